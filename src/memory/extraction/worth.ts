/** How likely a clause tells something that lasts about the owner's world, weighed by its form and its words. */

import { readFileSync } from 'node:fs'
import { parseClause } from './grammar.ts'
import { kindOf } from './kinds.ts'
import { findEvidence } from './rules-changes.ts'
import { isUnreal } from './rules-filters.ts'
import { RELATION } from './rules-people.ts'

/** A clause with where it stands. */
export interface Weighed {
  text: string
  /** Its sentence asks: what stands before the question may still tell. */
  asked: boolean
  /** One of several in its sentence. */
  joined: boolean
  /** The sentence laughs. */
  laughs: boolean
  /** A person it is about is known by name or by what they are. */
  person: boolean
}

const KIN = new RegExp(`\\b(?:${RELATION})\\b`, 'i')
const SUBJECTS = /^(?:i|we|my|our|he|she|they|it|you|the|this|that|her|his|their|there|an?|no)$/
/** Words that are weighed by themselves; the others are seen by their part of speech. */
const TELLING = new Set(['NOUN', 'VERB', 'ADJ', 'ADV', 'ADP', 'SCONJ', 'INTJ'])
const SIGNS: [string, RegExp][] = [
  ['digit', /\d/],
  ['kin', KIN],
  ['dangling', /\b(?:it|them|that|this|one|those|these|there|here)[.!?)]*$/i],
  ['you', /\b(?:you|your|u)\b/i],
  [
    'often',
    /\b(?:every|each|always|never|usually|since|years?|daily|weekly|twice|days?|weekends?|mornings?|evenings?)\b/i
  ],
  ['moment', /\b(?:today|tonight|now|tomorrow|this (?:morning|week|afternoon|evening)|just)\b/i],
  ['excited', /!/]
]

/** What is seen in a clause, by names that the weights know. */
export function featuresOf(weighed: Weighed): string[] {
  const { text, asked, joined, laughs, person } = weighed
  const clause = parseClause(text)
  const { words, subject, auxiliaries, verb, rest } = clause
  const first = words[0]
  const found = new Set(['bias'])
  const note = (name: string, holds: unknown = true) => holds && found.add(name)
  const who = SUBJECTS.test(first?.lower ?? '')
    ? first?.lower
    : subject.length === 0
      ? 'none'
      : first?.part === 'PROPN'
        ? 'name'
        : first?.part
  note(`subject ${who}`)
  note('subject kin', KIN.test(subject.map(({ lower }) => lower).join(' ')))
  note('person', person)
  note('no verb', !verb && auxiliaries.length === 0)
  for (const { lower } of auxiliaries) note(`helper ${lower}`)
  if (verb) note(`verb ${verb.lemma}`)
  if (verb) note(`form ${/(?:ing|ed|s)$/.exec(verb.lower)?.[0] ?? ''} ${auxiliaries.length > 0}`)
  else note(`being ${rest[0]?.part}`)
  for (const part of ['PROPN', 'NUM', 'NOUN', 'ADJ', 'PRON'])
    note(
      `says ${part}`,
      rest.some((word) => word.part === part)
    )
  note(`nouns ${Math.min(3, rest.filter(({ part }) => part === 'NOUN').length)}`)
  note(
    `names ${Math.min(2, words.slice(1).filter((word) => /^\p{Lu}/u.test(word.text) && word.part !== 'PRON').length)}`
  )
  for (const [name, sign] of SIGNS) note(name, sign.test(text))
  note('change', findEvidence(text))
  note('unreal', isUnreal(text))
  note('asked', asked)
  note('joined', joined)
  note('laughs', laughs)
  const kind = kindOf(clause, text, !person)
  note(`kind ${kind.category}`)
  // "I like coffee" tells of every day, "I like the second one" of this talk.
  note(`${kind.category} of ${rest[0]?.part}`)
  note(`slot ${kind.slot?.replace(/^favourite .*/, 'favourite')}`)
  const own = /^(?:i|we|my|our)$/.test(first?.lower ?? '')
  note(`own ${kind.category}`, own)
  note('own attribute', own && kind.slot !== null)
  note('my thing is', /^(?:my|our)$/.test(first?.lower ?? '') && !verb && auxiliaries.length > 0)
  note(
    'own habit',
    /^(?:i|we)$/.test(first?.lower ?? '') && verb?.lower === verb?.lemma && auxiliaries.length === 0
  )
  note('somebody attribute', !own && kind.slot !== null)
  note(
    `begins ${words
      .slice(0, 2)
      .map(({ part }) => part)
      .join(' ')}`
  )
  for (const { lemma, part } of words) note(`word ${lemma}`, TELLING.has(part))
  for (const [index, { part }] of words.slice(1).entries()) note(`pair ${words[index]?.part} ${part}`)
  return [...found]
}

let weights: Map<string, number> | null = null

/** The logarithm of the odds that a clause is worth keeping. */
export function weigh(weighed: Weighed, _statement: string): number {
  weights ??= new Map(
    Object.entries(JSON.parse(readFileSync(new URL('worth-weights.json', import.meta.url), 'utf8')))
  )
  let sum = 0
  for (const name of featuresOf(weighed)) sum += weights.get(name) ?? 0
  return sum
}
