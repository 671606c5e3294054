/** Facts found without a model: what people say plainly about themselves and theirs. */

import { type FoundFact, OWNER } from './facts.ts'
import { findEndings, findEvidence, isNewJob } from './rules-changes.ts'
import {
  hasOwnVerb,
  isDangling,
  isKinOf,
  isMereAct,
  isPassingOf,
  isTellingOf,
  isWorthTelling,
  STATE,
  thing,
  withLeadLast,
  withThing
} from './rules-clauses.ts'
import * as filters from './rules-filters.ts'
import { introduce, joinAlike, personIn } from './rules-introductions.ts'
import {
  ABOUT_ME,
  AS_ROLE,
  AWAY,
  BARE_THING,
  BRAND,
  BROAD,
  ELLIPTIC,
  HEDGE,
  HERE_IN,
  ORDER_WITHIN,
  OWN_SUBJECT,
  OWN_THING,
  PRONOUN,
  REMEMBER,
  REPORTING,
  SCHEDULED,
  STANDING_ORDER,
  SUCCEEDS,
  THEIR_THING,
  VERB,
  WANTING
} from './rules-patterns.ts'
import { callOf, findNamedSubject, meantBy, namesIn, peopleIn, subjectOf, withPlace } from './rules-people.ts'
import { isAnchored, isCutOff, isToOwner, kindOfPlain, withOwner } from './rules-plain.ts'
import { kindOfOther, kindOfOwn } from './rules-predicates.ts'
import { calm, clausesOf, type Stretch, sentencesOf } from './rules-sentences.ts'
import { spellOut } from './rules-spelling.ts'
import {
  add,
  bare,
  makeDates,
  type Reading,
  type RulesContext,
  rename,
  withNames
} from './rules-statements.ts'
import { slotOf } from './rules-topics.ts'
import { termsOf } from './sameness.ts'

export type { RulesContext } from './rules-statements.ts'

const MAX_FACTS = 10
const NEW_JOB_PLACE = /\bat \p{Lu}/u
const ASKED = 'the owner asked to remember it'

/** Whom a statement is about and which attribute it fills, so that what is written by hand is compared with what is said. */
export function describeStatement(text: string, context: RulesContext): Pick<FoundFact, 'subject' | 'slot'> {
  const [fact, ...others] = findFacts(text, context)
  const isComparable = fact?.slot && others.length === 0
  return isComparable ? { subject: fact.subject, slot: fact.slot } : { subject: null, slot: null }
}

/** What a message of the owner's says about the owner's world; nothing where nothing is plain. */
export function findFacts(message: string, context: RulesContext): FoundFact[] {
  const { text: spelt, original } = spellOut(message)
  const sentences = sentencesOf(spelt).map(calm)
  const people = sentences.flatMap((sentence) => peopleIn(sentence, context.known))
  const reading: Reading = { people, context, facts: [], message: spelt, introduced: new Set() }
  for (const [index, sentence] of sentences.entries()) {
    const cut = filters.cutAtColon(sentence.text)
    const own = cut === null ? sentence : { ...sentence, text: cut }
    readSentence(reading, own, sentences[index - 1]?.text ?? '', sentences[index + 1]?.text ?? '')
    // What follows is the text to work on, or a play.
    if (cut !== null || filters.isPretending(sentence.text) || filters.isHandingOver(sentence.text)) break
  }
  introduce(reading, sentences)
  joinAlike(reading)
  return reading.facts.slice(0, MAX_FACTS).map((fact) => {
    const quoteStart = original(fact.quoteStart)
    return {
      ...fact,
      quoteStart,
      quote: message.slice(quoteStart, original(fact.quoteStart + fact.quote.length))
    }
  })
}

function readSentence(reading: Reading, sentence: Stretch, before: string, after: string): void {
  const { text } = sentence
  const asked = REMEMBER.exec(text)?.[1]
  if (asked && !filters.isAsking(text) && !filters.isQuestion(asked)) {
    // "To call mom" would say nothing of why it is kept.
    const statement = /^to\b/i.test(asked) ? text : asked
    const kind = kindOfOwn(asked)
    const slot = kind?.slot ?? slotOf(asked)
    add(reading, sentence, statement, { category: kind?.category ?? 'note', slot, importance: 0.9 }, ASKED)
    return
  }
  if (filters.isNotEarnest(text) || filters.isSupposing(text)) return
  const order = ORDER_WITHIN.exec(text)?.[1] ?? (STANDING_ORDER.test(bare(text)) ? text : null)
  if (order && !filters.isUnreal(text)) {
    add(reading, sentence, order, { category: 'preference', slot: 'instruction', importance: 0.7 })
    return
  }
  if (filters.isAsking(text)) readQuestion(reading, sentence)
  if (filters.isAsking(text) || filters.isTold(text)) return
  const about = ABOUT_ME.exec(text)?.[1]
  if (about) add(reading, sentence, about, { category: 'identity', slot: null, importance: 0.7 }, null, OWNER)
  if (readEnding(reading, sentence, before, after)) return
  const known = reading.facts.length
  if (readRole(reading, sentence)) return
  for (const clause of clausesOf(sentence)) readClause(reading, sentence, clause, before)
  if (reading.facts.length === known) readMention(reading, sentence)
  const last = reading.facts.at(-1)
  // "2014 model, 140k km" and "Lichtenberg, keys on the 1st of May" go on with what was said before.
  if (reading.facts.length === known && last && filters.isFragment(text) && last.quote === before) {
    last.text = `${last.text.replace(/[.!]+$/, '')}. ${makeDates(reading, text)}`
  }
}

/** A sentence that says that something is over is kept whole: what was, and what is instead, explain each other. */
function readEnding(reading: Reading, sentence: Stretch, before: string, after: string): boolean {
  const { text } = sentence
  const ends = findEndings(text, `${text} ${after}`)
  const succeeds =
    SUCCEEDS.test(text) && findEndings(before, `${before} ${text}`).length > 0 && namesIn(text).length > 0
  const isBare = ends.every(({ denied }) => denied) && termsOf(text).length < 2
  if ((ends.length === 0 && !succeeds) || isBare || filters.isUnreal(text) || filters.isQuestion(text))
    return false
  const clauses = clausesOf(sentence).filter(
    ({ text: part }) => !filters.isCommand(part) && !filters.isQuestion(part)
  )
  const last = clauses.at(-1)
  if (!last) return true
  const stated = { ...sentence, text: text.slice(0, last.start - sentence.start + last.text.length) }
  const said = clauses
    .map((clause) => bare(clause.text))
    .map((part) => (ELLIPTIC.test(part) ? `I ${part}` : part))
  const isOwn = OWN_SUBJECT.test(said[0] ?? '')
  const person = isOwn ? null : personIn(reading, sentence)
  const kind = said.map(kindOfOwn).find((found) => found !== null)
  const about = isOwn || isNewJob(text) ? OWNER : person ? subjectOf(person) : undefined
  const fact = add(
    reading,
    sentence,
    NEW_JOB_PLACE.test(after) && isNewJob(text)
      ? `${stated.text} ${after}`
      : (withLeadLast(stated.text) ?? withNames(reading, stated)),
    kind ?? (person ? kindOfOther(text) : { category: 'fact', slot: null, importance: 0.5 }),
    null,
    about,
    person?.relation
  )
  if (!fact) return true
  const scoped = ends.map((ending) => ({
    ...ending,
    subject: ending.subject ?? (BROAD.test(text) ? null : (about ?? null))
  }))
  // "Never again" says nothing that is new.
  const lasting = !/^(?:never|no more|not)\b/i.test(bare(text))
  Object.assign(fact, { ends: scoped, evidence: findEvidence(text), lasting })
  return true
}

/** "As a nurse I ..." */
function readRole(reading: Reading, sentence: Stretch): boolean {
  const role = AS_ROLE.exec(bare(sentence.text))?.[1]
  const kind = role ? kindOfOwn(`I'm ${role}`) : null
  return kind !== null && add(reading, sentence, `I'm ${role}`, kind, null, OWNER) !== null
}

/** What is told by the way: a thing by its maker's name, and where home is. */
function readMention(reading: Reading, sentence: Stretch): boolean {
  const { text } = sentence
  if (filters.isUnreal(text)) return false
  const brand = BRAND.exec(text)?.[1]
  if (brand) {
    add(reading, sentence, `I have a ${brand}`, {
      category: 'possession',
      slot: 'possession',
      importance: 0.5
    })
    return true
  }
  const place = AWAY.test(reading.message) ? null : HERE_IN.exec(text)?.[1]
  if (place)
    add(reading, sentence, `I live in ${place}`, { category: 'place', slot: 'home', importance: 0.8 })
  return false
}

/** A question tells of people, and of what the owner has by its maker's name. */
function readQuestion(reading: Reading, sentence: Stretch): void {
  if (readRole(reading, sentence)) return
  if (readMention(reading, sentence)) return
  const clauses = clausesOf(sentence)
  // "I'm allergic to nuts, right?" asks what it says; what follows a question or a request does not.
  const asked = clauses.findIndex(
    ({ text }) => filters.isCommand(bare(text)) || filters.isQuestion(bare(text))
  )
  const isAskedFirst = asked !== -1 && asked < clauses.length - 1
  for (const clause of isAskedFirst ? clauses : clauses.slice(0, -1)) {
    readClause(reading, sentence, { ...clause, text: clause.text.replace(/[\s?!]+$/, '') }, '')
  }
}

function readClause(reading: Reading, sentence: Stretch, clause: Stretch, before: string): void {
  const bared = withLeadLast(clause.text) ?? bare(clause.text.replace(HEDGE, ''))
  const at = clause.start + Math.max(clause.text.length - bared.length, 0)
  const upTo = `${before} ${sentence.text.slice(0, Math.max(clause.start - sentence.start, 0))}`
  const placed = withPlace(bared, upTo)
  const text = placed === null ? null : filters.withAntecedent(withThing(placed, before), upTo)
  if (text === null || filters.isUnreal(text) || filters.isPassing(text)) return
  if (filters.isCommand(text) || filters.isQuestion(text)) return
  if (isDangling(text) || isCutOff(text)) return
  const their = THEIR_THING.exec(text)
  const pronoun = PRONOUN.exec(text)
  const whole = withOwner(text)
  if (OWN_SUBJECT.test(text) || ELLIPTIC.test(text) || whole) {
    const said = OWN_SUBJECT.test(text) ? text : (whole ?? `I ${text}`)
    const kind = kindOfOwn(said) ?? (whole ? STATE : isMereAct(text) ? null : kindOfPlain(said))
    if (!kind || said.split(/[\s'’]+/).length <= 2 - Number(kind.category === 'health')) return
    if (kind.category === 'plan' && !filters.isTellingPlan(text)) return
    if (kind.importance <= 0.5 && filters.isOfTheMoment(text)) return
    for (const item of filters.eachNamed(whole ?? text)) add(reading, sentence, item, kind)
  } else if (their) {
    const person = meantBy(their[1] ?? '', reading.people, at)
    if (!person || filters.isOfTheMoment(text)) return
    const named = `${callOf(person)}'s${their[2]}`
    add(
      reading,
      sentence,
      named,
      kindOfOther(/\bfavou?rite\b/i.exec(text)?.[0] ?? text),
      null,
      subjectOf(person)
    )
  } else if (pronoun) {
    const person = meantBy(pronoun[2] ?? '', reading.people, at)
    if (person && !REPORTING.test(text) && isTellingOf(text) && !isPassingOf(text)) {
      add(
        reading,
        sentence,
        rename(reading, text, pronoun, person),
        kindOfOther(text),
        null,
        subjectOf(person)
      )
    }
  } else {
    readOther(reading, sentence, text, at, upTo)
  }
}

/** A clause about somebody or something of the owner's. */
function readOther(reading: Reading, sentence: Stretch, text: string, at: number, before: string): void {
  const person =
    reading.people.find((spoken) => Math.abs(spoken.at - at) <= 1) ??
    findNamedSubject(text, `${reading.message} ${before}`)
  const hasVerb = VERB.test(text)
  const isTelling = hasVerb && !WANTING.test(text) && text.split(/\s+/).length > 2 && !REPORTING.test(text)
  if (person && isTelling && (isWorthTelling(person, text) || !isAnchored(text))) {
    if (person.introduced) reading.introduced.add(person)
    if (!isWorthTelling(person, text) || isPassingOf(text)) return
    add(reading, sentence, text, kindOfOther(text), null, subjectOf(person), person.relation)
  } else if (OWN_THING.test(text) && hasOwnVerb(text) && !REPORTING.test(text) && !WANTING.test(text)) {
    const own = kindOfOwn(text) ?? thing(text)
    if (
      own.importance <= 0.5 &&
      (filters.isOfTheMoment(text) || (!isAnchored(text) && termsOf(text).length < 3))
    )
      return
    add(reading, sentence, text, own)
  } else if (isKinOf(text)) {
    add(reading, sentence, text, { category: 'relationship', slot: null, importance: 0.6 })
  } else if (isToOwner(text)) {
    add(reading, sentence, text, { category: 'preference', slot: 'likes', importance: 0.55 })
  } else if (SCHEDULED.test(text)) {
    const slot = /\d|days?\b/i.test(text) ? 'schedule' : 'tool'
    add(reading, sentence, text, { category: 'schedule', slot, importance: 0.5 })
  } else if (
    BARE_THING.test(text) ||
    (findEvidence(text) && /^\p{Lu}\p{Ll}+\s\p{Ll}+/u.test(text) && slotOf(text))
  ) {
    const isFirst = sentence.text.endsWith(text) || bare(sentence.text).startsWith(text)
    add(reading, sentence, isFirst ? sentence.text : text, thing(text))
  }
}
