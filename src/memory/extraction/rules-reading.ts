/** Clauses one by one: whom each is about, and what it says of them. */

import { OWNER } from './facts.ts'
import { isImperative, isOwnerLeftOut, parseClause } from './grammar.ts'
import { kindOf } from './kinds.ts'
import { withLeadLast, withThing } from './rules-clauses.ts'
import * as filters from './rules-filters.ts'
import { FOR_INTRODUCING, KEPT, KEPT_WITH_REASON, type Keep } from './rules-keeping.ts'
import { HEDGE, PRONOUN, THEIR_THING } from './rules-patterns.ts'
import { callOf, findNamedSubject, meantBy, subjectOf, withPlace } from './rules-people.ts'
import type { Stretch } from './rules-sentences.ts'
import { add, bare, type Reading, rename } from './rules-statements.ts'
import { slotOf, TOPICAL } from './rules-topics.ts'
import { termsOf } from './sameness.ts'
import type { Weighed } from './worth.ts'

const OWN = /^(?:(?:(?:my|our)\s)?\p{L}{3,}\sand\s)?(?:i|we|me and \p{L}+)(?:['’]\w+)?\b/iu
const MINE = /^(?:my|our)\b/i
/** Ends before it has said what: "because my sister is". */
const CUT_OFF = /^(?:\S+\s){1,4}(?:is|am|are|was|were|do|does|did|has|have|can|will|not)[.!)]*$/i
/** Where somebody has just begun to live or to work. */
const NEW_OF_MINE =
  /^(?:the|our|my) new (?:place|flat|house|home|apartment|job|office)\b|^(?:the |my )?first (?:day|week|month|shift) (?:\w+ing )?(?:at|in|as|with|for)\b/i
const POINTING = /^(?:it|that|this|they|these|those|he|she|one|both)\b/i
const DANGLING = /\b(?:in|on|for|with|at|of|about|to) (?:it|them|that|this)[.!?)]*$/i

/** Whether the owner is who does it, named or left out. */
export function isOwnSubject(text: string): boolean {
  return OWN.test(text) || isOwnerLeftOut(parseClause(text))
}

export function readClause(
  reading: Reading,
  sentence: Stretch,
  clause: Stretch,
  before: string,
  mark: Omit<Weighed, 'text' | 'person'>,
  keep: Keep
): void {
  const bared = withLeadLast(clause.text) ?? bare(clause.text.replace(HEDGE, ''))
  const at = clause.start + Math.max(clause.text.length - bared.length, 0)
  const upTo = `${before} ${sentence.text.slice(0, Math.max(clause.start - sentence.start, 0))}`
  const placed = withPlace(bared, upTo)
  const text = placed === null ? null : filters.withAntecedent(withThing(placed, before), upTo)
  if (text === null || filters.isUnreal(text) || filters.isCommand(text) || filters.isQuestion(text)) return
  const parsed = parseClause(text)
  if (termsOf(text).length === 0 || parsed.words.length < 2 || CUT_OFF.test(text) || filters.isTalk(text))
    return
  const isLeftOut = isOwnerLeftOut(parsed)
  const weighed = (person: boolean): Weighed => ({ ...mark, text, person })
  if (OWN.test(text) || isLeftOut) {
    const kind = kindOf(parsed, text, true)
    // "I work" and "I'm done" say nothing, "I'm diabetic" does.
    if (parsed.rest.every(({ part }) => part === 'PUNCT') && kind.importance < 0.8) return
    for (const item of filters.eachNamed(text)) {
      keep(
        add(reading, sentence, item, kind, null, OWNER),
        { ...weighed(false), text: item },
        DANGLING.test(text) ? KEPT + 1 : KEPT
      )
    }
    return
  }
  if (isImperative(parsed)) return
  const their = THEIR_THING.exec(text)
  const pronoun = PRONOUN.exec(text)
  const meant = their || pronoun ? meantBy(their?.[1] ?? pronoun?.[2] ?? '', reading.people, at) : null
  if (meant) {
    const named = their
      ? `${callOf(meant)}'s${their[2]}`
      : pronoun
        ? rename(reading, text, pronoun, meant)
        : text
    keep(add(reading, sentence, named, kindOf(parsed, text, false), null, subjectOf(meant)), weighed(true))
    return
  }
  const person =
    reading.people.find((spoken) => Math.abs(spoken.at - at) <= 1) ??
    findNamedSubject(text, `${reading.message} ${before}`)
  const isOwn = person === null && (MINE.test(text) || NEW_OF_MINE.test(text))
  const hasVerb = parsed.verb !== null || parsed.auxiliaries.length > 0
  if (POINTING.test(text) || !(hasVerb || isOwn || person)) {
    const context = sentence.text.slice(0, Math.max(clause.start - sentence.start, 0)).trim() || before
    const isTold = context !== '' && !isAsked(context) && !filters.isUnreal(context)
    const fact = add(reading, sentence, text, kindOf(parsed, text, false))
    keep(fact, weighed(false), KEPT_WITH_REASON, isTold ? bare(context) : '')
    return
  }
  if (person?.introduced) reading.introduced.add(person)
  const kind = kindOf(parsed, text, isOwn)
  const slot = kind.slot ?? slotOf(text)
  const about = person ? subjectOf(person) : isOwn && slot !== null && !TOPICAL.has(slot) ? OWNER : undefined
  const fact = add(reading, sentence, text, { ...kind, slot }, null, about, person?.relation)
  keep(fact, weighed(person !== null), person?.introduced ? KEPT - FOR_INTRODUCING : KEPT)
}

function isAsked(text: string): boolean {
  return filters.isQuestion(text) || filters.isCommand(text)
}
