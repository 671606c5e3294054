// npm run check:infra [-- --write] [--database] [names…]: everything that can be known about infra/ without an AWS account.
import { parseArgs } from 'node:util'
import { applyCore } from './apply.ts'
import { checkConventions, writeTables } from './conventions.ts'
import { checkImage } from './image.ts'
import { lint } from './lint.ts'
import { checkNewer, NEWEST_NEEDED } from './newer.ts'
import { breaches } from './policies.ts'
import { judged, type Outcome, printOutcome, skipped } from './report.ts'
import { checkFormat, reportRemoved, validateAndTest } from './terraform.ts'
import { compareVersions, findProviderMirror, findTool } from './tools.ts'
import { createWorkspace, INFRA, rootsOf } from './workspace.ts'

const PARTS = ['conventions', 'newer', 'lint', 'terraform', 'apply', 'image']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false }, database: { type: 'boolean', default: false } }
})
const unknown = positionals.filter((name) => !PARTS.includes(name))
if (unknown.length > 0) {
  console.error(`No such part: ${unknown.join(', ')}. There are: ${PARTS.join(', ')}`)
  process.exit(2)
}
const wanted = (part: string) => positionals.length === 0 || positionals.includes(part)
const outcomes: Outcome[] = []
function report(...more: Outcome[]): void {
  for (const outcome of more) printOutcome(outcome)
  outcomes.push(...more)
}

if (values.write) writeTables()
if (wanted('conventions'))
  report(judged('conventions', checkConventions(), `${rootsOf().length} modules and environments`))
if (wanted('newer')) {
  const found = rootsOf().map((root) => checkNewer(`${INFRA}/${root}`))
  const checked = found.reduce((sum, { checked }) => sum + checked, 0)
  report(
    judged(
      'arguments that only newer providers know',
      found.flatMap(({ problems }) => problems),
      `${checked} held against the types of 6.25`
    )
  )
}
if (wanted('lint')) report(...(await lint()))
if (wanted('terraform') || wanted('apply')) await withTerraform()
if (wanted('image')) for await (const outcome of checkImage()) report(outcome)

const count = (status: string) => outcomes.filter((outcome) => outcome.status === status).length
console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('SKIPPED')} SKIPPED`)
process.exitCode = count('failed') > 0 ? 1 : 0

async function withTerraform(): Promise<void> {
  const terraform = findTool('terraform')
  if (!terraform)
    return report(skipped('terraform', 'it is not on the PATH, and PAI_CHECK_TERRAFORM names none'))
  const provider = findProviderMirror()
  const workspace = createWorkspace(provider)
  try {
    if (wanted('terraform')) {
      report(await checkFormat(terraform))
      const made = await validateAndTest(terraform, workspace, report)
      for (const [root, all] of made) {
        const isProtected = root.endsWith('prod')
        report(
          judged(
            `policies ${root}`,
            all.length > 0 ? breaches(all, isProtected) : ['nothing was made'],
            `${all.length} resources`
          )
        )
      }
      if (provider && compareVersions(provider.version, NEWEST_NEEDED) < 0)
        report(...reportRemoved(workspace))
    }
    if (wanted('apply')) {
      for await (const outcome of applyCore(terraform, workspace, values.database)) report(outcome)
    }
  } finally {
    workspace.dispose()
  }
}
