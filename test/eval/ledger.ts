import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Usage } from '../../src/llm/model.ts'

/** One answer to one question, graded: a line of the ledger. */
export interface Graded {
  key: string
  system: 'PAI' | 'full context'
  category: number
  question: string
  answer: string
  correct: boolean
  reason: string
  usage: Usage
  /** What grading it took, which is no cost of the system's. */
  judging: { inputTokens: number; outputTokens: number }
}

/** Dollars for a million tokens. */
export interface Prices {
  input: number
  cached: number
  output: number
}

/** What was graded so far, one JSON line each: a run that was stopped goes on from it, and pays for nothing twice. */
export function openLedger(path: string) {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  // The last line of a run that was killed may be cut.
  const entries = lines.flatMap((line) => parse(line) ?? [])
  if (lines.at(-1)) appendFileSync(path, '\n')
  return {
    entries,
    has: (key: string, system: Graded['system']) =>
      entries.some((entry) => entry.key === key && entry.system === system),
    add(entry: Graded) {
      entries.push(entry)
      appendFileSync(path, `${JSON.stringify(entry)}\n`)
    }
  }
}

function parse(line: string): Graded | null {
  try {
    return JSON.parse(line) as Graded
  } catch {
    return null
  }
}

/** One row of the table: how often it was right, and what an answer took. */
export function summarise(entries: Graded[], prices: Prices | null) {
  const mean = (value: (entry: Graded) => number) =>
    entries.reduce((sum, entry) => sum + value(entry), 0) / entries.length
  const round = (value: number, digits: number) => Number(value.toFixed(digits))
  return {
    questions: entries.length,
    correct: round(
      mean(({ correct }) => Number(correct)),
      3
    ),
    'input tokens': Math.round(mean(({ usage }) => usage.inputTokens)),
    'of them cached': Math.round(mean(({ usage }) => usage.cachedTokens)),
    'output tokens': Math.round(mean(({ usage }) => usage.outputTokens)),
    'dollars an answer': prices
      ? round(
          mean(({ usage }) => costOf(usage, prices)),
          6
        )
      : ''
  }
}

export function costOf(
  { inputTokens, cachedTokens, outputTokens }: Usage,
  { input, cached, output }: Prices
): number {
  return ((inputTokens - cachedTokens) * input + cachedTokens * cached + outputTokens * output) / 1_000_000
}
