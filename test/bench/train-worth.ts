/**
 * Makes the weights that say which clauses are worth keeping (src/memory/extraction/worth-weights.json), from the
 * conversations that the rules may be written from and from plain sentences that have no context:
 * `node test/bench/train-worth.ts`. It makes the same weights each time.
 */

import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFacts } from '../../src/memory/extraction/rules.ts'
import { featuresOf, type Weighed } from '../../src/memory/extraction/worth.ts'
import type { Case, Statement } from './write-quality.ts'
import { says } from './write-quality.ts'

const CASES = join(import.meta.dirname, 'write-quality')
const WEIGHTS = join(import.meta.dirname, '../../src/memory/extraction/worth-weights.json')
/** What is seen less often than this says nothing. */
const LEAST_SEEN = 5
/** How strongly weights are held near zero, how often all examples are gone through, and how far each step goes. */
const DECAY = 0.06
const ROUNDS = 60
const STEP = 0.3
/** Sentences without context count for less, but for the first few, which are the plainest there are. */
const PLAIN_COUNTS = 0.3
const PLAINEST = 'plain-sentences.json'
/** Weights nearer to zero than this are left out. */
const SMALLEST = 0.02

const PLAIN = 'plain'

interface Example {
  features: string[]
  worthy: boolean
  counts: number
}

/** The weights, by the names of what is seen, in the order of the names. */
export function trainWeights(): Record<string, number> {
  return regress([...readConversations(), ...readPlain()])
}

/** Each clause that could be kept; it is worth it where it says something that memory must or may hold. */
function* readConversations(): Iterable<Example> {
  for (const file of globSync('dev-*.json', { cwd: CASES }).sort()) {
    for (const { sessions, holds, gone, optional = [] } of readJson<Case[]>(file)) {
      const welcome: Statement[] = [...holds, ...optional, ...gone]
      const known = new Map<string, { subject: string; slot: string | null; relation: string | null }>()
      for (const { at, messages } of sessions) {
        for (const { content } of messages.filter(({ role }) => role === 'user')) {
          const context = { saidAt: new Date(at), timeZone: 'UTC', known: [...known.values()] }
          const { seen, facts } = watch(content, context)
          for (const { weighed, statement } of seen) {
            const worthy = welcome.some((one) => says(statement, one))
            yield { features: featuresOf(weighed), worthy, counts: 1 }
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
}

function* readPlain(): Iterable<Example> {
  for (const file of globSync('plain-sentences*.json', { cwd: CASES }).sort()) {
    const { keep, leave } = readJson<{ keep: string[]; leave: string[] }>(file)
    const counts = file === PLAINEST ? 1 : PLAIN_COUNTS
    yield* readSentences(keep, true, counts)
    yield* readSentences(leave, false, counts)
  }
}

function* readSentences(sentences: string[], worthy: boolean, counts: number): Iterable<Example> {
  for (const sentence of sentences) {
    const text = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`
    const { seen } = watch(text, { saidAt: new Date('2025-03-01'), timeZone: 'UTC', known: [] })
    // What is kept of conversations and of sentences is not the same share: the last of these takes up the difference.
    for (const { weighed } of seen) yield { features: [...featuresOf(weighed), PLAIN], worthy, counts }
  }
}

/** Reads a message, takes everything, and tells what was weighed on the way. */
function watch(message: string, context: Parameters<typeof findFacts>[1]) {
  const seen: { weighed: Weighed; statement: string }[] = []
  const facts = findFacts(message, context, (weighed, statement) => {
    seen.push({ weighed, statement })
    return Number.POSITIVE_INFINITY
  })
  return { seen, facts }
}

/** Logistic regression by AdaGrad, in the order of the examples, so that it comes out the same each time. */
function regress(examples: Example[]): Record<string, number> {
  const seen = new Map<string, number>()
  for (const { features } of examples) for (const name of features) seen.set(name, (seen.get(name) ?? 0) + 1)
  const names = [...seen].filter(([, count]) => count >= LEAST_SEEN).map(([name]) => name)
  const weights = new Map(names.map((name) => [name, { value: 0, moved: 1e-6 }]))
  const rows = examples.map(({ features, worthy, counts }) => ({
    weights: features.flatMap((name) => weights.get(name) ?? []),
    goal: Number(worthy),
    counts
  }))
  for (let round = 0; round < ROUNDS; round++) {
    for (const { weights: own, goal, counts } of rows) {
      const sum = own.reduce((total, { value }) => total + value, 0)
      const error = counts * (1 / (1 + Math.exp(-sum)) - goal)
      for (const weight of own) {
        const slope = error + DECAY * weight.value
        weight.moved += slope * slope
        weight.value -= (STEP * slope) / Math.sqrt(weight.moved)
      }
    }
  }
  return Object.fromEntries(
    [...weights]
      .filter(([name, { value }]) => name !== PLAIN && Math.abs(value) > SMALLEST)
      .map(([name, { value }]): [string, number] => [name, Math.round(value * 1000) / 1000])
      .sort(([one], [other]) => (one < other ? -1 : 1))
  )
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(CASES, file), 'utf8')) as T
}

if (import.meta.main) writeFileSync(WEIGHTS, `${JSON.stringify(trainWeights(), null, 2)}\n`)
