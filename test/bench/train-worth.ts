/**
 * Makes the weights that say which clauses are worth keeping (src/memory/extraction/worth-weights.json), from the
 * conversations that the rules may be written from and from plain sentences that have no context:
 * `node test/bench/train-worth.ts`. It makes the same weights each time.
 */

import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Known } from '../../src/memory/extraction/facts.ts'
import { findFacts } from '../../src/memory/extraction/rules.ts'
import { featuresOf, type Weighed } from '../../src/memory/extraction/worth.ts'
import { type Example, regress, toRecord } from './regress.ts'
import { type Case, type Statement, says } from './write-quality.ts'

const CASES = join(import.meta.dirname, 'write-quality')
const WEIGHTS = join(import.meta.dirname, '../../src/memory/extraction/worth-weights.json')
const MANNER = { leastSeen: 5, decay: 0.06, rounds: 60, step: 0.3 }
/** Sentences without context count for less, but for the first few, which are the plainest there are. */
const PLAIN_COUNTS = 0.3
const PLAINEST = 'plain-sentences.json'
/** Weights nearer to zero than this are left out. */
const SMALLEST = 0.02

const PLAIN = 'plain'

/** All examples there are to learn from; `files` are the conversations. */
export function readExamples(files = globSync('{dev,checked}-*.json', { cwd: CASES }).sort()): Example[] {
  return [...files.flatMap((file) => [...readConversations(file)]), ...readPlain()]
}

/** The weights by the names of what is seen. */
export function trainWorth(examples: Example[]): Map<string, number> {
  const weights = regress(examples, MANNER)
  weights.delete(PLAIN)
  return weights
}

/** The weights as they stand in their file. */
export function worthRecord(): Record<string, number> {
  return toRecord(trainWorth(readExamples()), SMALLEST)
}

/** Each clause that could be kept; it is worth it where it says something that memory must or may hold. */
export function* readConversations(file: string): Iterable<Example> {
  for (const { sessions, holds, gone, optional = [] } of readJson<Case[]>(file)) {
    const welcome: Statement[] = [...holds, ...optional, ...gone]
    const known = new Map<string, Known>()
    for (const { at, messages } of sessions) {
      for (const { content } of messages.filter(({ role }) => role === 'user')) {
        const { seen, facts } = watch(content, new Date(at), [...known.values()])
        for (const { weighed, statement } of seen) {
          const goal = welcome.some((one) => says(statement, one))
          yield { features: toFeatures(weighed), goal, counts: 1 }
        }
        for (const { subject, slot, category, tags } of facts) {
          if (!subject) continue
          const relation = category === 'relationship' ? (tags[0] ?? null) : null
          known.set(`${subject} ${slot}`, { subject, slot, relation })
        }
      }
    }
  }
}

export function* readPlain(): Iterable<Example> {
  for (const file of globSync('plain-sentences*.json', { cwd: CASES }).sort()) {
    const { keep, leave } = readJson<{ keep: string[]; leave: string[] }>(file)
    const counts = file === PLAINEST ? 1 : PLAIN_COUNTS
    yield* readSentences(keep, true, counts)
    yield* readSentences(leave, false, counts)
  }
}

function* readSentences(sentences: string[], goal: boolean, counts: number): Iterable<Example> {
  for (const sentence of sentences) {
    const text = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`
    const { seen } = watch(text, new Date('2025-03-01'), [])
    // What is kept of conversations and of sentences is not the same share: the last of these takes up the difference.
    for (const { weighed } of seen) yield { features: toFeatures(weighed).set(PLAIN, 1), goal, counts }
  }
}

function toFeatures(weighed: Weighed): Map<string, number> {
  return new Map(featuresOf(weighed).map((name) => [name, 1]))
}

/** Reads a message, takes everything, and tells what was weighed on the way. */
function watch(message: string, saidAt: Date, known: Known[]) {
  const seen: { weighed: Weighed; statement: string }[] = []
  const context = { saidAt, timeZone: 'UTC', known, standing: [] }
  const facts = findFacts(message, context, (weighed, statement) => {
    seen.push({ weighed, statement })
    return Number.POSITIVE_INFINITY
  })
  return { seen, facts }
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(CASES, file), 'utf8')) as T
}

if (import.meta.main) writeFileSync(WEIGHTS, `${JSON.stringify(worthRecord(), null, 2)}\n`)
