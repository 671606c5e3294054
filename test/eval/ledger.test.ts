import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { costOf, type Graded, openLedger, summarise } from './ledger.ts'

const graded = (key: string, correct: boolean): Graded => ({
  key,
  system: 'PAI',
  category: 1,
  question: 'Who?',
  answer: 'Ada',
  correct,
  reason: '',
  usage: { inputTokens: 1_000, outputTokens: 10, cachedTokens: 400 },
  judging: { inputTokens: 1, outputTokens: 1 }
})

test('a run that was killed while it wrote goes on with what is whole', ({ onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'pai-ledger-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'answers.jsonl')
  openLedger(path).add(graded('a', true))
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"key":"b","sys`)
  const again = openLedger(path)
  expect(again.has('a', 'PAI')).toBe(true)
  expect(again.has('a', 'full context')).toBe(false)
  expect(again.has('b', 'PAI')).toBe(false)
  again.add(graded('b', false))
  expect(openLedger(path).entries.map(({ key }) => key)).toEqual(['a', 'b'])
})

test('an answer costs what its tokens cost, the cached ones less', () => {
  const prices = { input: 2, cached: 0.5, output: 10 }
  expect(costOf(graded('a', true).usage, prices)).toBeCloseTo((600 * 2 + 400 * 0.5 + 10 * 10) / 1e6)
  expect(summarise([graded('a', true), graded('b', false)], prices)).toMatchObject({
    questions: 2,
    correct: 0.5,
    'input tokens': 1_000
  })
  expect(summarise([graded('a', true)], null)['dollars an answer']).toBe('')
})
