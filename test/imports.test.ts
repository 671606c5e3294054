import { globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const SRC = join(ROOT, 'src')
/** What features stand on, and what knows none of them. */
const FOUNDATION = ['db', 'http', 'jobs', 'llm', 'search', 'telemetry']
const FEATURES = readdirSync(SRC, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !FOUNDATION.includes(entry.name))
  .map(({ name }) => name)
/** A whole import of another folder's module, and whether it is of types alone. */
const IMPORT = /^import (type )?[^'"]*from '\.\.\/(\w+)\/([\w-]+)\.ts'/gm
/** Where any import or export, dynamic ones too, takes from. */
const TAKEN_FROM = /(?:from|import) ?\(?'([^']+)'/g

test('a feature takes from another its types and its tables, and is handed its functions', () => {
  const wrong = FEATURES.flatMap((feature) =>
    globSync(join(SRC, feature, '**', '*.ts')).flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(IMPORT)]
        .filter(([, type, from = '', name]) => FEATURES.includes(from) && !type && name !== 'tables')
        .map(([statement]) => `${path.slice(SRC.length)}: ${statement}`)
    )
  )
  expect(wrong).toEqual([])
})

test('the linter knows every folder there is', () => {
  const { overrides } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'))
  const [features, foundation] = overrides.map(({ includes }: { includes: string[] }) =>
    /^src\/\{([\w,]+)\}\/\*\*$/
      .exec(includes[0] ?? '')?.[1]
      ?.split(',')
      .sort()
  )
  expect(features).toEqual(FEATURES.toSorted())
  expect(foundation).toEqual(FOUNDATION)
  const { group } = overrides[1].linter.rules.style.noRestrictedImports.options.patterns[0]
  expect(group).toEqual(expect.arrayContaining(FEATURES.map((name) => `../${name}/**`)))
})

test('a client takes nothing of PAI’s but the SDK', () => {
  const clients = join(ROOT, 'clients')
  const wrong = globSync(join(clients, '*', '{src,test}', '**', '*.{ts,tsx}')).flatMap((path) => {
    const [client = ''] = relative(clients, path).split(/[\\/]/)
    const isOwn = (from: string) =>
      from.startsWith('.')
        ? resolve(dirname(path), from).startsWith(join(clients, client))
        : !from.startsWith('@pai/') || from === '@pai/sdk'
    return [...readFileSync(path, 'utf8').matchAll(TAKEN_FROM)]
      .filter(([, from = '']) => !isOwn(from))
      .map(([statement]) => `${path.slice(ROOT.length)}: ${statement}`)
  })
  expect(wrong).toEqual([])
})
