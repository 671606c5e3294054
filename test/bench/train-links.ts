/**
 * Makes the weights that say whether a sentence ends something remembered (src/memory/extraction/links-weights.json), from
 * the conversations that the rules may be written from, from statements with sentences that end them and sentences that do
 * not, and from plain sentences that end nothing: `node test/bench/train-links.ts`. It makes the same weights each time.
 */

import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Known, OWNER, type Remembered } from '../../src/memory/extraction/facts.ts'
import {
  cueFeatures,
  type Features,
  type Heard,
  type LinkWeights,
  linkFeatures,
  sumOf
} from '../../src/memory/extraction/links.ts'
import { findFacts } from '../../src/memory/extraction/rules.ts'
import { termsOf } from '../../src/memory/extraction/sameness.ts'
import { regress, toRecord } from './regress.ts'
import { knownOf } from './replay.ts'
import { type Case, says } from './write-quality.ts'

const CASES = join(import.meta.dirname, 'write-quality')
const WEIGHTS = join(import.meta.dirname, '../../src/memory/extraction/links-weights.json')
const CUES = { leastSeen: 3, decay: 0.05, rounds: 20, step: 0.2 }
const LINKS = { leastSeen: 4, decay: 0.1, rounds: 20, step: 0.2 }
/** How often it is looked anew which of a message's sentences it is that ends a memory. */
const PASSES = 3
const FOLDS = 5
const SMALLEST = 0.01
/** An owner has more memories than a scripted one: so many of others are held against each message. */
const STRANGERS = 4
/** How much pairs count that nobody put together on purpose. */
const STRANGER_COUNTS = 0.5
const PLAIN_COUNTS = 0.3
/** What of a statement's words a memory has to hold to say the same, and from where on it is not sure that it does not. */
const SAYS_SAME = 0.6
const MAY_SAY_SAME = 0.25
const BEFORE = new Date('2025-01-10T10:00:00Z')
const AFTER = new Date('2025-04-10T10:00:00Z')

/** A sentence beside a memory. Of those with the same `bag`, one at least ends it; null: it ends nothing. */
export interface Pair {
  heard: Heard
  memory: Remembered
  standing: Remembered[]
  bag: string | null
  /** It speaks of what is instead, and so is the one of its bag. */
  told: boolean
  counts: number
}

/** All pairs there are to learn from; `files` are the conversations. */
export function readPairs(files = globSync('{dev,checked}-*.json', { cwd: CASES }).sort()): Pair[] {
  return [...readConversations(files), ...readChanges(), ...readUnlinked()]
}

/** Learns first which sentences tell of a change, then what ties one to a memory. */
export function trainLinks(pairs: Pair[]): LinkWeights {
  const cues = new Map(pairs.map((pair) => [pair, cueFeatures(pair.heard)]))
  const cueOf = (pair: Pair, by: Map<string, number>) => sumOf(cues.get(pair) ?? new Map(), by)
  let picked = pick(pairs, () => 0)
  let weights: LinkWeights = { cue: new Map(), link: new Map() }
  for (let pass = 0; pass < PASSES; pass++) {
    const sentences = sortSentences(pairs, picked)
    const learn = (leftOut: number | null) =>
      regress(
        [...sentences.values()]
          .filter(({ fold, unsure }) => fold !== leftOut && !unsure)
          .map(({ pair, ends }) => ({
            features: cues.get(pair) ?? new Map(),
            goal: ends,
            counts: Math.max(PLAIN_COUNTS, pair.counts)
          })),
        CUES
      )
    // What was learnt from a sentence itself would say too much of it: it is weighed by what was learnt from others.
    const folds = Array.from({ length: FOLDS }, (_, fold) => learn(fold))
    const links = new Map<Pair, Features>()
    for (const pair of pairs) {
      const cue = cueOf(pair, folds[sentences.get(keyOf(pair))?.fold ?? 0] ?? new Map())
      links.set(pair, linkFeatures(pair.heard, pair.memory, pair.standing, cue) ?? new Map())
    }
    const link = regress(
      pairs
        .filter((pair) => pair.bag === null || picked.has(pair))
        .map((pair) => ({
          features: links.get(pair) ?? new Map(),
          goal: pair.bag !== null,
          counts: pair.counts
        })),
      LINKS
    )
    weights = { cue: learn(null), link }
    picked = pick(pairs, (pair) => sumOf(links.get(pair) ?? new Map(), link))
  }
  return weights
}

interface Sentence {
  pair: Pair
  ends: boolean
  /** It may be the one that ends something, and was not picked. */
  unsure: boolean
  fold: number
}

function sortSentences(pairs: Pair[], picked: Set<Pair>): Map<string, Sentence> {
  const sentences = new Map<string, Sentence>()
  for (const pair of pairs) {
    const known = sentences.get(keyOf(pair))
    const one = known ?? { pair, ends: false, unsure: false, fold: sentences.size % FOLDS }
    one.ends ||= picked.has(pair)
    one.unsure = !one.ends && (one.unsure || pair.bag !== null)
    sentences.set(keyOf(pair), one)
  }
  return sentences
}

function keyOf({ heard }: Pair): string {
  return `${heard.saidAt.getTime()} ${heard.text}`
}

/** The likeliest of each bag. */
function pick(pairs: Pair[], weighing: (pair: Pair) => number): Set<Pair> {
  const best = new Map<string, { pair: Pair; sum: number }>()
  for (const pair of pairs) {
    if (pair.bag === null) continue
    const sum = pair.told ? Number.MAX_VALUE : weighing(pair)
    if (sum > (best.get(pair.bag)?.sum ?? Number.NEGATIVE_INFINITY)) best.set(pair.bag, { pair, sum })
  }
  return new Set([...best.values()].map(({ pair }) => pair))
}

/** Reads a message, takes everything, and tells which sentences were held against which memories. */
function watch(
  message: string,
  saidAt: Date,
  known: Known[],
  standing: Remembered[],
  tell: (heard: Heard, memory: Remembered) => void
) {
  const context = { saidAt, timeZone: 'UTC', known, standing }
  return findFacts(
    message,
    context,
    () => Number.POSITIVE_INFINITY,
    (heard, all) =>
      all.map((memory) => {
        if (linkFeatures(heard, memory, all, 0)) tell(heard, memory)
        return Number.NEGATIVE_INFINITY
      })
  )
}

export function readConversations(files: string[]): Pair[] {
  const pairs: Pair[] = []
  const met: Remembered[] = []
  for (const item of files.flatMap((file) => readJson<Case[]>(file))) {
    const held: (Remembered & { category: string; tags: string[]; status: string })[] = []
    const welcome = [...item.holds, ...(item.optional ?? []), ...item.gone]
    for (const [round, { at, messages }] of item.sessions.entries()) {
      for (const [index, { content }] of messages.entries()) {
        if (messages[index]?.role !== 'user') continue
        const saidAt = new Date(new Date(at).getTime() + index * 60_000)
        const strangers = strangersFor(met, pairs.length, saidAt)
        const standing = [...held, ...strangers]
        const facts = watch(content, saidAt, knownOf(held), standing, (heard, memory) => {
          const isStranger = strangers.includes(memory)
          const over = isStranger ? null : whetherOver(item, memory)
          // What is known when nothing has been said yet cannot have changed.
          if (over === 'unsure' || (over && round === 0 && index === 0)) return
          const told = over ? over.some((one) => says(heard.text, one)) : false
          const bag = over ? `${item.id} ${memory.id}` : null
          pairs.push({ heard, memory, standing, bag, told, counts: isStranger ? STRANGER_COUNTS : 1 })
        })
        for (const fact of facts) {
          const isWelcome = welcome.some((one) => says(fact.text, one))
          if (!isWelcome || held.some(({ text }) => text === fact.text)) continue
          held.push({ ...fact, id: `${held.length}`, since: saidAt, status: 'active' })
        }
      }
    }
    met.push(...held)
  }
  return pairs
}

function strangersFor(met: Remembered[], from: number, saidAt: Date): Remembered[] {
  const since = new Date(saidAt.getTime() - 90 * 86_400_000)
  return Array.from({ length: STRANGERS }, (_, index) => met[(from * 7 + index * 131) % met.length]).flatMap(
    (one, index) => (one ? [{ ...one, id: `stranger ${index}`, since }] : [])
  )
}

/** What takes a memory's place, where it is over by the end of a conversation; null where it goes on. */
function whetherOver(item: Case, { text }: Remembered): Case['holds'] | 'unsure' | null {
  const gone = item.gone.filter((one) => says(text, one) || shareOf(text, one.fact) >= SAYS_SAME)
  if (gone.length === 0)
    return item.gone.some((one) => shareOf(text, one.fact) > MAY_SAY_SAME) ? 'unsure' : null
  const successors = gone.flatMap(({ replacedBy }) => item.holds[replacedBy ?? -1] ?? [])
  // Of what was never so, nobody says that it is over.
  const wasSo = successors.length > 0 || /^(?:change|negation)/.test(item.kind)
  return wasSo && !item.holds.some((one) => says(text, one)) ? successors : 'unsure'
}

/** Statements with sentences that end them and sentences that do not. */
export function readChanges(): Pair[] {
  const pairs: Pair[] = []
  const all = globSync('plain-changes*.json', { cwd: CASES })
    .sort()
    .flatMap((file) => readJson<{ was: string; ends: string[]; stays: string[] }[]>(file))
  const remembered = all.map(({ was }, index) => remember(`${was}.`, `${index}`))
  for (const [index, { ends, stays }] of all.entries()) {
    const own = remembered[index]
    if (!own) continue
    for (const [nth, said] of [...ends, ...stays].entries()) {
      const others = [7, 13, 29].flatMap((step) => remembered[(index + step + nth) % remembered.length] ?? [])
      const standing = [own, ...others]
      const known = knownOf(standing.map((one) => ({ ...one, status: 'active', category: '', tags: [] })))
      watch(said, AFTER, known, standing, (heard, memory) => {
        const bag = memory === own && nth < ends.length ? `plain ${index} ${nth}` : null
        const counts = memory === own ? 1 : STRANGER_COUNTS
        pairs.push({ heard, memory, standing, bag, told: false, counts })
      })
    }
  }
  return pairs
}

function remember(text: string, id: string): Remembered {
  const [fact] = watch(text, BEFORE, [], [], () => {})
  return {
    id,
    text: fact?.text ?? text,
    subject: fact ? fact.subject : OWNER,
    slot: fact?.slot ?? null,
    since: BEFORE
  }
}

/** Plain sentences beside plain statements that share a word: hardly any of them ends another. */
export function readUnlinked(): Pair[] {
  const pairs: Pair[] = []
  const files = globSync('plain-sentences*.json', { cwd: CASES })
    .sort()
    .map((file) => readJson<{ keep: string[]; leave: string[] }>(file))
  const byTerm = new Map<string, string[]>()
  for (const text of files.flatMap(({ keep }) => keep)) {
    for (const term of termsOf(text)) byTerm.set(term, [...(byTerm.get(term) ?? []), text])
  }
  for (const [index, text] of files.flatMap(({ keep, leave }) => [...keep, ...leave]).entries()) {
    if (index % 2 === 1) continue
    const near = [...new Set(termsOf(text).flatMap((term) => byTerm.get(term) ?? []))].filter(
      (one) => one !== text
    )
    const chosen = [near[index % near.length], near[(index * 7 + 3) % near.length]]
    const standing = chosen.flatMap((one, nth) =>
      one ? [{ id: `${nth}`, text: one, subject: null, slot: null, since: BEFORE }] : []
    )
    watch(`${text}.`, AFTER, [], standing, (heard, memory) => {
      pairs.push({ heard, memory, standing, bag: null, told: false, counts: PLAIN_COUNTS })
    })
  }
  return pairs
}

const WORDLESS = new Set(termsOf('owner user'))

/** How much of a fact's words a text has. */
function shareOf(text: string, fact: string): number {
  const terms = termsOf(fact).filter((term) => !WORDLESS.has(term))
  const held = new Set(termsOf(text))
  return terms.filter((term) => held.has(term)).length / Math.max(1, terms.length)
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(CASES, file), 'utf8')) as T
}

/** The weights as they stand in their file. */
export function linkRecords(): Record<keyof LinkWeights, Record<string, number>> {
  const { cue, link } = trainLinks(readPairs())
  return { cue: toRecord(cue, SMALLEST), link: toRecord(link, SMALLEST) }
}

if (import.meta.main) writeFileSync(WEIGHTS, `${JSON.stringify(linkRecords(), null, 2)}\n`)
