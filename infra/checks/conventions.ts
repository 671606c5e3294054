import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Block, parseHcl } from './hcl.ts'
import { INFRA, rootsOf } from './workspace.ts'

const FILES = ['main.tf', 'variables.tf', 'outputs.tf', 'versions.tf', 'README.md']
const START = '<!-- variables and outputs, written by: npm run check:infra -- --write -->'

interface Root {
  path: string
  blocks: Block[]
  text: string
}

function read(root: string): Root {
  const folder = join(INFRA, root)
  const files = readdirSync(folder).filter((name) => name.endsWith('.tf'))
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'))
  return { path: folder, blocks: texts.flatMap((text) => parseHcl(text).blocks), text: texts.join('\n') }
}

/** What a stranger relies on: every module has the same files, and says what it takes and gives. */
export function checkConventions(): string[] {
  return rootsOf().flatMap((root) => {
    const { path, blocks, text } = read(root)
    const has = (block: Block, name: string) => block.arguments.some((argument) => argument.name === name)
    const problems = FILES.filter((name) => !existsSync(join(path, name))).map((name) => `${name} is missing`)
    if (!existsSync(join(path, 'tests'))) problems.push('tests are missing')
    for (const block of blocks) {
      const [label = ''] = block.labels
      if (['variable', 'output'].includes(block.type) && !has(block, 'description'))
        problems.push(`${block.type} ${label} says nothing of itself`)
      if (block.type === 'variable' && !has(block, 'type')) problems.push(`variable ${label} has no type`)
      if (block.type === 'variable' && !new RegExp(`\\bvar\\.${label}\\b`).test(text))
        problems.push(`variable ${label} is not used`)
      if (block.type === 'resource' && !/^[a-z0-9_]+$/.test(block.labels[1] ?? ''))
        problems.push(`${block.labels.join('.')} is not in snake_case`)
    }
    if (!blocks.some((block) => block.type === 'terraform' && has(block, 'required_version')))
      problems.push('required_version is missing')
    const readme = join(path, 'README.md')
    if (
      existsSync(readme) &&
      readFileSync(readme, 'utf8') !== withTables(readFileSync(readme, 'utf8'), blocks)
    ) {
      problems.push('README.md is out of date: npm run check:infra -- --write')
    }
    return problems.map((problem) => `${root}: ${problem}`)
  })
}

/** Writes what each README says of variables and outputs. */
export function writeTables(): void {
  for (const root of rootsOf()) {
    const { path, blocks } = read(root)
    const readme = join(path, 'README.md')
    writeFileSync(readme, withTables(readFileSync(readme, 'utf8'), blocks))
  }
}

function withTables(readme: string, blocks: Block[]): string {
  const text = (block: Block, name: string) =>
    block.arguments.find((argument) => argument.name === name)?.text
  const words = (block: Block) =>
    (text(block, 'description') ?? '').replace(/^"|"$/g, '').replaceAll('\\"', '"').replaceAll('|', '\\|')
  const fallback = (block: Block) => {
    const value = text(block, 'default')
    if (value === undefined) return 'required'
    return value.includes('\n') ? 'see variables.tf' : `\`${value}\``
  }
  const variables = blocks.filter(({ type }) => type === 'variable')
  const outputs = blocks.filter(({ type }) => type === 'output')
  const parts = [readme.split(START)[0]?.trimEnd(), '', START]
  if (variables.length > 0) {
    parts.push('', '## Takes', '', '| Variable | Default | Meaning |', '| --- | --- | --- |')
    for (const block of variables)
      parts.push(`| \`${block.labels[0]}\` | ${fallback(block)} | ${words(block)} |`)
  }
  if (outputs.length > 0) {
    parts.push('', '## Gives', '', '| Output | Meaning |', '| --- | --- |')
    for (const block of outputs) parts.push(`| \`${block.labels[0]}\` | ${words(block)} |`)
  }
  return `${parts.join('\n')}\n`
}
