/**
 * Whether a sentence says that something remembered is over, or has another value now. Two things are weighed: how much
 * the sentence is one that tells of a change, and what it shares with the memory.
 */

import { readFileSync } from 'node:fs'
import { isStopWord, splitWords, stemWord } from '../../search/analyze.ts'
import type { Remembered } from './facts.ts'
import { parseClause, type Word } from './grammar.ts'
import { termsOf } from './sameness.ts'
import { isSingle } from './slots.ts'
import { type ValueKind, valuesIn } from './values.ts'

/** A sentence with what stands around it, and whom and which attributes its clauses are about. */
export interface Heard {
  text: string
  before: string
  after: string
  saidAt: Date
  spoken: { subject: string | null; slot: string | null }[]
}

/** What is seen, by names that the weights know, and how much of it. */
export type Features = Map<string, number>

export interface LinkWeights {
  cue: Map<string, number>
  link: Map<string, number>
}

interface Telling {
  word: Word
  at: number
  stem: string
}

interface Seen {
  words: Word[]
  telling: Telling[]
  stems: Set<string>
  values: Map<ValueKind, Set<string>>
  denies: boolean
}

/** From here on a sentence ends a memory: the logarithm of the odds. */
export const LINKED = -0.7
/** A memory of more terms than these mostly holds several facts, and all would end with one: each asks for surer signs. */
const ONE_FACT = 5
const SURER = 0.5
const CONTENT = new Set(['NOUN', 'PROPN', 'VERB', 'ADJ', 'NUM', 'X', 'INTJ'])
/** What two sentences may share, the most telling first. */
const ANCHORS = ['PROPN', 'NOUN', 'VERB', 'ADJ', 'NUM']
const POINTING = /\b(?:it|they|them|that|he|she|him|her)\b/i
const DENIAL = /\b(?:not|no|never|none|without|cannot)\b|n['’]t\b/i
/** The sureness of a change counts up to here, so that no sentence ends whatever it touches. */
const MOST_SURE = 3
/** How far from a word its verb is looked for. */
const REACH = 6
const HOUR_MS = 3_600_000

const seen = new WeakMap<{ text: string }, Seen>()

function see(spoken: { text: string }): Seen {
  const known = seen.get(spoken)
  if (known) return known
  // Without the dates that were put behind the words.
  const text = spoken.text.replace(/ \([^)]*\d{4}\)/g, '')
  const { words } = parseClause(text)
  const telling = words.flatMap((word, at) => {
    const plain = splitWords(word.text)[0] ?? ''
    const tells = CONTENT.has(word.part) && plain.length > 1 && !isStopWord(plain)
    return tells ? [{ word, at, stem: stemWord(plain) }] : []
  })
  const stems = new Set(telling.map(({ stem }) => stem))
  const found = { words, telling, stems, values: valuesIn(text), denies: DENIAL.test(text) }
  seen.set(spoken, found)
  return found
}

/** What is seen of a sentence that may tell of a change, whatever it changes. */
export function cueFeatures(heard: Heard): Features {
  const { words, denies } = see(heard)
  const features: Features = new Map([['bias', 1]])
  for (const [index, { part, lemma, lower }] of words.entries()) {
    if (part === 'PUNCT') continue
    features.set(`word ${part === 'VERB' || part === 'NOUN' ? lemma : lower}`, 1)
    if (part === 'VERB') features.set(`form ${formOf(lower, lemma)}`, 1)
    const next = words[index + 1]
    if (!next) continue
    features.set(`parts ${part} ${next.part}`, 1)
    if (next.part !== 'PUNCT') features.set(`pair ${lemma} ${next.lemma}`, 1)
  }
  const first = words.find(({ part }) => part !== 'INTJ' && part !== 'CCONJ' && part !== 'PUNCT')
  features.set(`first ${first?.part === 'PRON' ? first.lower : first?.part}`, 1)
  if (denies) features.set('denies', 1)
  features.set(`length ${stepOf(words.length, [4, 8, 14, 22])}`, 1)
  return features
}

function formOf(lower: string, lemma: string): string {
  return /(?:ing|ed|s)$/.exec(lower)?.[0] ?? (lower === lemma ? 'base' : 'past')
}

function stepOf(amount: number, steps: number[]): number {
  return steps.filter((step) => amount >= step).length
}

/**
 * What is seen of a sentence beside a memory; null where nothing ties them. `cue` is how surely the sentence tells of a
 * change: it is weighed anew with each thing that the two share.
 */
export function linkFeatures(
  heard: Heard,
  memory: Remembered,
  standing: Remembered[],
  cue: number
): Features | null {
  const mine = see(heard)
  const theirs = see(memory)
  const shared = mine.telling.filter(({ stem }) => theirs.stems.has(stem))
  const nearby = new Set(splitWords(`${heard.before} ${heard.after}`).map(stemWord))
  const isNear = theirs.telling.some(({ stem }) => nearby.has(stem) && !mine.stems.has(stem))
  const isPointing = POINTING.test(heard.text)
  const values = compareValues(mine, theirs)
  const fills = heard.spoken.some(
    ({ subject, slot }) => slot !== null && slot === memory.slot && subject === memory.subject
  )
  const isSlot = fills && isSingle(memory.slot ?? '')
  // A verb by itself ties nothing: people get, go and make many things.
  const isNamed = shared.some(({ word }) => word.part !== 'VERB')
  if (!isNamed && !isSlot && !(isPointing && (isNear || values.other))) return null
  const sure = Math.max(-MOST_SURE, Math.min(MOST_SURE, cue))
  const features: Features = new Map([
    ['bias', 1],
    ['cue', sure]
  ])
  const note = (name: string, holds: boolean) => holds && features.set(name, 1)
  const cross = (name: string, holds = true) => {
    if (holds) features.set(name, 1).set(`cue ${name}`, sure)
  }
  const anchor = ANCHORS.find((part) => shared.some(({ word }) => word.part === part))
  cross(`shared ${anchor ?? shared.length > 0}`)
  note(`shared count ${Math.min(3, shared.length)}`, true)
  features.set('share of memory', shared.length / Math.max(1, theirs.telling.length))
  features.set('share of sentence', shared.length / Math.max(1, mine.telling.length))
  cross(`near ${isNear} ${isPointing} ${shared.length > 0}`)
  const subject = splitWords(memory.subject ?? '').map(stemWord)
  note(
    'speaks of subject',
    subject.some((stem) => mine.stems.has(stem))
  )
  note('same slot', fills)
  cross('same single slot', isSlot)
  if (isSlot) cross(`single ${memory.slot}`)
  cross('same slot shared', fills && shared.length > 0)
  if (memory.slot) note(`slot ${memory.slot.replace(/ .*/, '')}`, true)
  for (const name of values.names) cross(name)
  cross('other value', values.other)
  cross('other value shared', values.other && isNamed)
  note('same value', values.same)
  cross(`denial ${mine.denies} ${theirs.denies}`, shared.length > 0)
  for (const { at, word } of shared) {
    if (word.part === 'VERB') {
      note(`itself ${word.lemma}`, true)
      continue
    }
    const done = verbFrom(mine.words, at, -1)
    const then = verbFrom(mine.words, at, 1)
    note(`does ${done?.lemma}`, done !== null)
    note(`then ${then?.lemma}`, then !== null)
    cross(`place ${stepOf(at, [2, 5])}`)
  }
  note('pointing', isPointing && shared.length === 0)
  note('later', heard.saidAt.getTime() - memory.since.getTime() > HOUR_MS)
  const others = standing.filter((other) => other !== memory).map(see)
  const isRival = (other: Seen) => shared.some(({ stem }) => other.stems.has(stem))
  cross('alone', shared.length > 0 && !others.some(isRival))
  const hasValue = (other: Seen) =>
    [...mine.values.keys()].some((kind) => kind !== 'number' && other.values.has(kind))
  cross('alone with value', values.other && !others.some(hasValue))
  return features
}

/** How the values of a sentence and a memory stand to each other. A bare number is a value of nothing by itself. */
function compareValues(mine: Seen, theirs: Seen): { names: string[]; other: boolean; same: boolean } {
  const compared = { names: [] as string[], other: false, same: false }
  for (const [kind, values] of mine.values) {
    const old = theirs.values.get(kind)
    if (!old) continue
    const isOther = !values.isSubsetOf(old)
    const isKept = !values.isDisjointFrom(old)
    if (isOther) compared.names.push(`${kind} other`)
    if (isKept) compared.names.push(`${kind} ${isOther ? 'both' : 'same'}`)
    if (kind === 'number') continue
    compared.other ||= isOther
    compared.same ||= !isOther
  }
  return compared
}

/** The verb before a word, or what follows it as a verb or in its place: "is", "to", "instead". */
function verbFrom(words: Word[], from: number, step: 1 | -1): Word | null {
  for (let at = from + step; Math.abs(at - from) <= REACH; at += step) {
    const word = words[at]
    if (!word || /^[;.!?]$/.test(word.text)) return null
    if (word.part === 'VERB' || (step === 1 && FOLLOWING.has(word.part))) return word
  }
  return null
}

const FOLLOWING = new Set(['AUX', 'ADP', 'ADV'])

/** Whether a sentence names something that a memory speaks of. */
export function namesOf(heard: Heard, memory: Remembered): boolean {
  const { stems } = see(memory)
  return see(heard).telling.some(({ stem, word }) => word.part !== 'VERB' && stems.has(stem))
}

let weights: LinkWeights | null = null

function ownWeights(): LinkWeights {
  if (weights) return weights
  const file = new URL('links-weights.json', import.meta.url)
  const { cue, link } = JSON.parse(readFileSync(file, 'utf8'))
  weights = { cue: new Map(Object.entries(cue)), link: new Map(Object.entries(link)) }
  return weights
}

/** How much speaks for each of the memories that stand being ended by a sentence: odds, as logarithms, less for long ones. */
export function weighLinks(heard: Heard, standing: Remembered[], by = ownWeights()): number[] {
  const cue = sumOf(cueFeatures(heard), by.cue)
  return standing.map((memory) => {
    const features = linkFeatures(heard, memory, standing, cue)
    const further = Math.max(0, termsOf(memory.text).length - ONE_FACT)
    return features ? sumOf(features, by.link) - SURER * further : Number.NEGATIVE_INFINITY
  })
}

export function sumOf(features: Features, by: Map<string, number>): number {
  let sum = 0
  for (const [name, amount] of features) sum += (by.get(name) ?? 0) * amount
  return sum
}
