import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Block, blocksNamed, parseHcl, standingBlocks } from './hcl.ts'

interface Known {
  since?: string
  type?: 'string' | 'number' | 'bool' | 'list'
  values?: string[]
  required?: boolean
  block?: Record<string, Known>
}

const { resources: NEWER } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'newer-arguments.json'), 'utf8')
) as { resources: Record<string, Record<string, Known>> }

/** The first version of the provider that knows everything the modules use. */
export const NEWEST_NEEDED = '6.21.0'

/** Takes out what an older provider does not know, so that it can judge all the rest; answers what was taken. */
export function withoutNewer(text: string): { text: string; removed: string[] } {
  const cuts: { start: number; end: number; what: string }[] = []
  for (const { type, name, path, at } of findNewer(text)) {
    cuts.push({ start: at.start, end: at.end, what: `${type}.${name}: ${path}` })
  }
  cuts.sort((a, b) => b.start - a.start)
  let rest = text
  for (const { start, end } of cuts) {
    const line = rest.lastIndexOf('\n', start) + 1
    rest = rest.slice(0, line) + rest.slice(end).replace(/^[^\n]*\n/, '')
  }
  return { text: rest, removed: cuts.map(({ what }) => what).reverse() }
}

/** Holds what an older provider cannot judge against what the newer one's types say. */
export function checkNewer(folder: string): { problems: string[]; checked: number } {
  const problems: string[] = []
  let checked = 0
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.tf'))) {
    const text = readFileSync(join(folder, file), 'utf8')
    for (const { type, name, path, known, block, literal } of findNewer(text)) {
      checked++
      const where = `${file}: ${type}.${name}: ${path}`
      if (known.block && block) problems.push(...checkBlock(where, known.block, block))
      else if (literal !== undefined) problems.push(...checkLiteral(where, known, literal))
      else problems.push(`${where} is ${known.block ? 'a block' : 'an argument'}`)
    }
  }
  return { problems, checked }
}

function* findNewer(text: string) {
  for (const resource of parseHcl(text).blocks.filter(({ type }) => type === 'resource')) {
    const [type = '', name = ''] = resource.labels
    for (const [path, known] of Object.entries(NEWER[type] ?? {})) {
      const parts = path.split('.')
      const last = parts.pop() as string
      const holders = parts.reduce<Block[]>(
        (found, part) => found.flatMap((in_) => blocksNamed(in_, part)),
        [resource]
      )
      for (const holder of holders) {
        for (const at of standingBlocks(holder, last)) {
          const block = at.type === 'dynamic' ? at.blocks.find((inner) => inner.type === 'content') : at
          yield { type, name, path, known, at, block, literal: undefined }
        }
        for (const at of holder.arguments.filter((argument) => argument.name === last)) {
          yield { type, name, path, known, at, block: undefined, literal: at.text }
        }
      }
    }
  }
}

function checkBlock(where: string, known: Record<string, Known>, block: Block): string[] {
  const problems: string[] = []
  const given = new Set<string>()
  for (const { name, text } of block.arguments) {
    given.add(name)
    const rule = known[name]
    if (!rule || rule.block) problems.push(`${where}: no argument is named ${name}`)
    else problems.push(...checkLiteral(`${where}: ${name}`, rule, text))
  }
  for (const inner of block.blocks) {
    const type = inner.type === 'dynamic' ? (inner.labels[0] ?? '') : inner.type
    given.add(type)
    const rule = known[type]?.block
    if (!rule) problems.push(`${where}: no block is named ${type}`)
    else
      for (const made of blocksNamed({ arguments: [], blocks: [inner] }, type))
        problems.push(...checkBlock(`${where}.${type}`, rule, made))
  }
  for (const [name, { required }] of Object.entries(known)) {
    if (required && !given.has(name)) problems.push(`${where}: ${name} is missing`)
  }
  return problems
}

/** What stands there plainly; of an expression, only Terraform knows the type. */
function checkLiteral(where: string, { type, values }: Known, text: string): string[] {
  const literal = /^"[^"$]*"$/.test(text)
    ? 'string'
    : /^-?[\d.]+$/.test(text)
      ? 'number'
      : /^(true|false)$/.test(text)
        ? 'bool'
        : text.startsWith('[')
          ? 'list'
          : null
  if (literal === null) return []
  if (literal !== type) return [`${where} is a ${literal}, not a ${type}`]
  if (values && !values.includes(text.slice(1, -1))) return [`${where} is none of ${values.join(', ')}`]
  return []
}
