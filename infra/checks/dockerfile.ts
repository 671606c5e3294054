import { DockerfileParser, type Instruction, Run } from 'dockerfile-ast'

const EXEC_FORM = ['CMD', 'ENTRYPOINT', 'HEALTHCHECK']
const LABELS = ['title', 'description', 'licenses', 'version', 'revision']
const SECRET = /SECRET|PASSWORD|TOKEN|API_KEY|DATABASE_URL/

/** What is wrong with a Dockerfile, by our own rules: see each one's words. */
export function dockerfileProblems(text: string): string[] {
  const file = DockerfileParser.parse(text)
  const problems: string[] = []
  const complain = (instruction: Instruction, what: string) =>
    problems.push(`line ${instruction.getRange().start.line + 1}: ${what}`)
  const instructions = file.getInstructions()
  const stages = new Set<string>()
  const given = new Map(
    file.getInitialARGs().map((arg) => [arg.getProperty()?.getName(), arg.getProperty()?.getValue()])
  )

  for (const from of file.getFROMs()) {
    const image = (from.getImage() ?? '').replace(/^\$\{?(\w+)\}?$/, (_, name) => given.get(name) ?? '')
    if (!stages.has(image) && (!/(:[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image) || image.endsWith(':latest')))
      complain(from, `the image "${image}" is named neither by a version nor by a digest`)
    stages.add(from.getBuildStage() ?? '')
  }
  for (const instruction of instructions) {
    const keyword = instruction.getKeyword()
    if (keyword === 'ADD') complain(instruction, 'ADD may fetch from anywhere: COPY does not')
    if (instruction instanceof Run && instruction.getFlags().length > 0)
      complain(instruction, 'options of RUN are not known to every builder')
    if (keyword === 'ARG' || keyword === 'ENV') {
      const names = instruction.getArguments().map((argument) => argument.getValue().split('=')[0] ?? '')
      for (const name of names)
        if (SECRET.test(name)) complain(instruction, `${name}: a secret would stay in the image`)
    }
    if (EXEC_FORM.includes(keyword) && !isExecForm(instruction))
      complain(instruction, `${keyword} needs a shell: write it as a list`)
  }

  const last = instructions.slice(instructions.findLastIndex((one) => one.getKeyword() === 'FROM'))
  const ofLast = (keyword: string) => last.filter((instruction) => instruction.getKeyword() === keyword)
  const user = ofLast('USER').at(-1)?.getArgumentsContent() ?? ''
  if (!/^[1-9]\d*:[1-9]\d*$/.test(user))
    problems.push(`the user is "${user}": a number other than 0 can be checked, a name cannot`)
  for (const keyword of ['CMD', 'HEALTHCHECK'])
    if (ofLast(keyword).length !== 1) problems.push(`${keyword} is said ${ofLast(keyword).length} times`)
  for (const run of ofLast('RUN')) complain(run, 'there is no shell in the image that runs')
  const labels = ofLast('LABEL')
    .map((label) => label.getArgumentsContent())
    .join(' ')
  for (const name of LABELS)
    if (!labels.includes(`org.opencontainers.image.${name}=`)) problems.push(`the label ${name} is missing`)
  return problems
}

function isExecForm(instruction: Instruction): boolean {
  return /(^|\bCMD\s+)\[.*\]$/s.test(instruction.getRawArgumentsContent() ?? '')
}
