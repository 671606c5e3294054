import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SRC = join(import.meta.dirname, '..', 'src')
const FEATURES = ['auth', 'chat', 'consolidation', 'memory', 'models']
/** A whole import of another folder's module, and whether it is of types alone. */
const IMPORT = /^import (type )?[^'"]*from '\.\.\/(\w+)\/([\w-]+)\.ts'/gm

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
