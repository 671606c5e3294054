/** How what was found is put: whole, dated, with names for pronouns, and with the subject and attribute it is about. */

import { findSince, makeDatesAbsolute } from './dates.ts'
import { type FoundFact, type Known, OWNER, type Remembered } from './facts.ts'
import type { Kind } from './kinds.ts'
import { findEvidence } from './rules-changes.ts'
import { OPENING, OWN_SUBJECT, PRONOUN } from './rules-patterns.ts'
import { callOf, introductionOf, meantBy, namesIn, type Person } from './rules-people.ts'
import { clausesOf, type Stretch } from './rules-sentences.ts'
import { TOPICAL, topicOf, valueSlot } from './rules-topics.ts'
import { holdsTerms, termsOf } from './sameness.ts'
import { isSameSubject, isSingle } from './slots.ts'

/** What the rules know besides the message. */
export interface RulesContext {
  saidAt: Date
  timeZone: string
  known: Known[]
  /** Memories that the message may have to do with. */
  standing: Remembered[]
}

/** A message being read, and what was found in it so far. */
export interface Reading {
  people: Person[]
  context: RulesContext
  facts: FoundFact[]
  message: string
  /** Who has been introduced in a statement. */
  introduced: Set<Person>
  /** Whom and which attribute each statement was about, also of those that were left out again. */
  spoken: Spoken[]
}

export interface Spoken {
  /** Where its sentence begins. */
  start: number
  subject: string | null
  slot: string | null
}

/** Adds a statement to what was found; null where it says nothing. */
export function add(
  reading: Reading,
  sentence: Stretch,
  text: string,
  { category, importance, slot: kindSlot }: Kind,
  reason: string | null = null,
  about?: string,
  relation = ''
): FoundFact | null {
  const { saidAt, timeZone } = reading.context
  const statement = toStatement(text)
  if (termsOf(statement).length === 0) return null
  const shown = valueSlot(statement, reading.message)
  const slot = qualified(shown ?? kindSlot, statement, findEvidence(sentence.text) !== null)
  const evidence = slot !== null && isSingle(slot) ? findEvidence(sentence.text) : null
  const isContact =
    (shown === 'phone' || shown === 'email') &&
    !/['’]s (?:new )?(?:number|phone|mobile|e-?mail)/i.test(statement)
  const subject =
    (shown ? undefined : about) ??
    (isContact ? OWNER : subjectFor(reading, statement, slot, evidence !== null))
  const fact: FoundFact = {
    text: makeDates(reading, slot === 'home' ? withHome(statement, subject) : statement),
    category,
    tags: tagsOf(relation, statement),
    importance,
    importanceReason: reason ?? `said plainly, about ${category}`,
    quote: sentence.text,
    quoteStart: sentence.start,
    subject,
    slot,
    validFrom: findSince(statement, saidAt, timeZone),
    validTo: null,
    saidBy: 'owner',
    evidence,
    ends: [],
    lasting: true
  }
  reading.facts.push(fact)
  reading.spoken.push({ start: sentence.start, subject, slot })
  return fact
}

const PLACE_NAMED = /\b(?:in|at|to|near|here|there)\s\(?(?:the\s)?(?:\p{Lu}|\d)/u
const NEW_HOME = /\b(?:signed for|moved|moving|new (?:place|flat|house|home|apartment))\b/i
const FIRM_NAMED = /\b(?:at|for|with|there|joined)\s\(?(?:the\s)?\p{Lu}/u

/** "I live alone" names no home, "I work nights" no employer, and a work number is not the number. */
function qualified(slot: string | null, statement: string, changed: boolean): string | null {
  if (slot === 'home' && !changed && !NEW_HOME.test(statement) && !PLACE_NAMED.test(statement)) return null
  if (slot === 'employer' && !changed && !FIRM_NAMED.test(statement)) return null
  const which = /\b(work|office|home|landline|emergency|second|old|other)\b/i.exec(statement)?.[1]
  return which && (slot === 'phone' || slot === 'email') ? `${slot} ${which.toLowerCase()}` : slot
}

const MOVED =
  /^(?:I|We)(?:['’]ve| have)?\s(?:\p{Ll}+\s)?(?:moved|relocated)\s(?:\p{Ll}+\s)?(?:from\s.+?\s)?to\s((?:the\s)?\p{Lu}[\p{L}'’-]*(?:\s\p{Lu}[\p{L}'’-]*)*)/u

/** "I moved from Oslo to Bergen" in the words that people ask with as well. */
function withHome(statement: string, subject: string | null): string {
  const place = subject === OWNER ? MOVED.exec(statement)?.[1] : undefined
  return place ? `${statement.replace(/[.!]+$/, '')}. I live in ${place}.` : statement
}

/** Who somebody is to the owner, then names. */
function tagsOf(relation: string, statement: string): string[] {
  const names = namesIn(statement).map((name) => name.toLowerCase())
  return [...new Set([relation, ...names])].filter((tag) => tag !== '').slice(0, 4)
}

function makeDates({ context }: Reading, text: string): string {
  return makeDatesAbsolute(text, context.saidAt, context.timeZone)
}

/** What a statement is about: a thing with a name or times of its own, else the owner. */
function subjectFor(
  { context, message }: Reading,
  statement: string,
  slot: string | null,
  changed: boolean
): string | null {
  const topic = topicOf(statement)
  const isTopical = slot !== null && TOPICAL.has(slot)
  if (isTopical && topic) return knownLike(context.known, topic, slot) ?? topic
  if (isTopical && changed) {
    const alike = context.known.filter((known) => known.slot === slot)
    const spoken = alike.find(({ subject }) => holdsTerms(message, termsOf(subject)))
    // The only title there is, when a title changes.
    return (spoken ?? (alike.length === 1 ? alike[0] : undefined))?.subject ?? null
  }
  return OWN_SUBJECT.test(statement) ? OWNER : (topic ?? null)
}

/** "the theatre lot" is the theatre group that was spoken of before. */
function knownLike(known: Known[], topic: string, slot: string): string | null {
  return known.find((one) => one.slot === slot && isSameSubject(one.subject, topic))?.subject ?? null
}

export function withNames(reading: Reading, sentence: Stretch): string {
  let text = sentence.text
  for (const clause of clausesOf(sentence).toReversed()) {
    const pronoun = PRONOUN.exec(clause.text)
    const person = pronoun && meantBy(pronoun[2] ?? '', reading.people, clause.start)
    if (!pronoun || !person) continue
    const from = clause.start - sentence.start
    text =
      text.slice(0, from) +
      rename(reading, clause.text, pronoun, person) +
      text.slice(from + clause.text.length)
  }
  return bare(text)
}

/** "She's just had her hip replaced" with who she is for the pronoun, and the verb in full. */
export function rename(
  reading: Reading,
  text: string,
  [whole, lead = '', , short = '']: RegExpExecArray,
  person: Person
): string {
  const rest = text.slice(whole.length)
  const name = reading.introduced.has(person) ? callOf(person) : introductionOf(person)
  reading.introduced.add(person)
  const isDone =
    /^\s(?:(?:just|already|now|never|always|recently)\s)?(?:been|had|got|gone|made|taken|become|(?!(?:obsess|marri|retir|engag|divorc|interest|scar|terrifi|tir|bor|bas|call|nam|addict|excit|concern|worri|train|qualifi)ed\b)\w+ed)\b/i.test(
      rest
    )
  const verbs: Record<string, string> = {
    s: isDone ? ' has' : ' is',
    re: ' are',
    ve: ' have',
    d: ' would',
    ll: ' will'
  }
  return `${lead}${name}${verbs[short.slice(1)] ?? ''}${rest}`
}

export function bare(text: string): string {
  return text.replace(OPENING, '').trim()
}

function toStatement(text: string): string {
  const trimmed = bare(text)
    .replace(/^[\s.,;:!?–-]+/, '')
    .replace(/[\s,;:–-]+$/, '')
    .replace(/\s(?:lol|haha|btw|fyi|tbh|pls|please|though)([.!]*)$/i, '$1')
    .replace(/\s+([.!]+)$/, '$1')
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
}
