import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigSchema } from '../src/config.ts'
import { findErrorCodes, readSource, sourceFiles } from './http/error-codes.ts'

const README = join(import.meta.dirname, '..', 'README.md')

/** What stands in backticks in the first column of the table under a heading. */
function firstColumn(heading: string): string[] {
  const text = existsSync(README) ? readFileSync(README, 'utf8') : ''
  const section = text.split(/^(?=## )/m).find((part) => part.startsWith(`## ${heading}\n`)) ?? ''
  return section
    .split('\n')
    .map((line) => /^\|\s*`([^`]+)`\s*\|/.exec(line)?.[1])
    .filter((name) => name !== undefined)
}

test('the README lists every error code a client may meet, and no other', async () => {
  expect(firstColumn('Error codes').toSorted()).toEqual(await findErrorCodes())
})

test('the README lists every setting, and no other', () => {
  expect(firstColumn('Settings').toSorted()).toEqual(Object.keys(ConfigSchema.properties).sort())
})

/** Why a job failed: for the log and the table of failed jobs, never in an answer. */
const CODES_OF_JOBS = ['PAI_JOB_FAILED', 'PAI_MEMORY_PURGE_INCOMPLETE']

test('no code in the sources escapes the list', async () => {
  const settings = Object.keys(ConfigSchema.properties)
  const named = sourceFiles().flatMap(
    (path) => readSource(path).match(/(?<=['"`])PAI_[A-Z_]+(?=['"`])/g) ?? []
  )
  const codes = new Set(named.filter((name) => !settings.includes(name)))
  expect([...codes].sort()).toEqual([...(await findErrorCodes()), ...CODES_OF_JOBS].sort())
})
