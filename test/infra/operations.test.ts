import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseHcl } from '../../infra/checks/hcl.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const all = (text: string, pattern: RegExp) => [
  ...new Set(text.matchAll(pattern).map(([, found]) => found as string))
]

const operations = read('docs/operations.md')
const workflows = readdirSync(join(ROOT, '.github', 'workflows')).map((name) => ({
  name: name.replace('.yml', ''),
  text: read(`.github/workflows/${name}`)
}))
const everything = [operations, read('infra/README.md'), ...workflows.map(({ text }) => text)].join('\n')
const deliver = read('infra/scripts/deliver.mjs')
const steps = (/const steps = \{([^}]*)\}/.exec(deliver)?.[1] ?? '')
  .split(',')
  .map((step) => step.split(':')[0]?.trim())
const tasks = all(read('infra/modules/service/tasks.tf'), /^ {4}(\w+) = \{\n {6}log /gm)

test('paths that operators and workflows are given exist', () => {
  const named = all(everything, /\b((?:infra|load|docs)\/[\w./-]*\w)/g).filter((path) => !path.includes('…'))
  expect(named.length).toBeGreaterThan(5)
  // What is filled in stands after the last slash that is known.
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('workflows that operators are sent to exist', () => {
  const named = all(operations, /[Ww]orkflow `(\w+)`/g)
  expect(named).toContain('deploy')
  expect(named.filter((name) => !workflows.some((workflow) => workflow.name === name))).toEqual([])
})

test('steps and tasks of a delivery exist', () => {
  const named = all(everything, /deliver\.mjs (\w+)/g)
  expect(named.length).toBeGreaterThan(4)
  expect(named.filter((step) => !steps.includes(step))).toEqual([])
  expect(tasks).toContain('migrate')
  expect(all(everything, /deliver\.mjs task (\w+)/g).filter((task) => !tasks.includes(task))).toEqual([])
})

test('options of put-secrets.mjs exist', () => {
  const script = read('infra/scripts/put-secrets.mjs')
  expect(all(everything, /--new (\w+)/g).filter((secret) => !script.includes(`--new ${secret}`))).toEqual([])
  expect(script).toContain('--from')
})

test('alarms and saved queries that operators look at exist', () => {
  const alarms = read('infra/modules/observability/alarms.tf')
  const rows = operations.slice(operations.indexOf('| Alarm |'), operations.indexOf('## What it costs'))
  const named = all(rows, /^\| (`[^|]*`) \|/gm).flatMap((cell) => all(cell, /`([\w-]+)`/g))
  expect(named.length).toBeGreaterThan(8)
  expect(
    named.filter((alarm) => !alarms.includes(`${alarm} = {`) && !alarms.includes(`\${var.name}-${alarm}"`))
  ).toEqual([])
})

test('what Terraform is told to import, replace or forget is in its modules', () => {
  const addresses = all(operations, /'(module\.pai\.module\.[^']+)'/g)
  expect(addresses.length).toBeGreaterThan(1)
  for (const address of addresses) {
    const [, module = '', type = '', name = ''] =
      /module\.pai\.module\.(\w+)(?:\[0\])?\.(\w+)\.(\w+)/.exec(address) ?? []
    const folder = join(ROOT, 'infra', 'modules', module)
    const blocks = readdirSync(folder)
      .filter((file) => file.endsWith('.tf'))
      .flatMap((file) => parseHcl(readFileSync(join(folder, file), 'utf8')).blocks)
    expect(
      blocks.some(({ labels }) => labels[0] === type && labels[1] === name),
      address
    ).toBe(true)
  }
})

test('workflows run in environments that exist, as roles that bootstrap makes', () => {
  const environments = readdirSync(join(ROOT, 'infra', 'environments'))
  const roles = read('infra/bootstrap/delivery.tf')
  for (const { name, text } of workflows) {
    for (const choices of all(text, /options: \[((?:dev|staging|prod)[^\]]*)\]/g))
      expect(environments, name).toEqual(expect.arrayContaining(choices.split(', ')))
    for (const role of all(text, /:role\/pai-(\w+)/g))
      expect(roles, name).toMatch(new RegExp(`${role} = \\[|"${role}-\\$`))
  }
})

test('actions of others are named by commit: a tag may be moved, and some have been', () => {
  const used = workflows.flatMap(({ text }) => all(text, /uses: (\S+)/g))
  expect(used.length).toBeGreaterThan(10)
  expect(used.filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([])
})
