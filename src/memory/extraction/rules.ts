/** Facts found without a model: what people say plainly about themselves and theirs. */

import { type FoundFact, OWNER } from './facts.ts'
import { findEndings, findEvidence, isNewJob } from './rules-changes.ts'
import * as filters from './rules-filters.ts'
import {
  AS_ROLE,
  BARE_THING,
  BRAND,
  BROAD,
  DANGLING,
  ELLIPTIC,
  ORDER_WITHIN,
  OWN_SUBJECT,
  OWN_THING,
  PRONOUN,
  REMEMBER,
  REPORTING,
  SCHEDULED,
  STANDING_ORDER,
  SUCCEEDS,
  VERB,
  WANTING
} from './rules-patterns.ts'
import {
  findNamedSubject,
  isAcquaintance,
  meantBy,
  namesIn,
  type Person,
  peopleIn,
  subjectOf,
  withPlace
} from './rules-people.ts'
import { type Kind, kindOfOther, kindOfOwn } from './rules-predicates.ts'
import { clausesOf, type Stretch, sentencesOf } from './rules-sentences.ts'
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
  const sentences = sentencesOf(message).map(calm)
  const people = sentences.flatMap((sentence) => peopleIn(sentence, context.known))
  const reading: Reading = { people, context, facts: [], message, introduced: new Set() }
  for (const [index, sentence] of sentences.entries()) {
    const cut = filters.cutAtColon(sentence.text)
    const own = cut === null ? sentence : { ...sentence, text: cut }
    readSentence(reading, own, sentences[index - 1]?.text ?? '', sentences[index + 1]?.text ?? '')
    // What follows is the text to work on, or a play.
    if (cut !== null || filters.isPretending(sentence.text) || filters.isHandingOver(sentence.text)) break
  }
  introduce(reading, sentences)
  return reading.facts.slice(0, MAX_FACTS)
}

/** Shouting hides who is a name: read as if it were said. */
function calm({ text, start }: Stretch): Stretch {
  const isShouted = text.length > 10 && text === text.toUpperCase() && text !== text.toLowerCase()
  const lower = text.toLowerCase()
  return isShouted && lower.length === text.length ? { text: lower, start } : { text, start }
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
  if (filters.isAsking(text)) {
    readQuestion(reading, sentence)
    return
  }
  if (filters.isTold(text)) return
  if (readEnding(reading, sentence, before, after)) return
  const known = reading.facts.length
  const role = AS_ROLE.exec(bare(text))?.[1]
  if (role && kindOfOwn(`I'm ${role}`)) {
    add(reading, sentence, `I'm ${role}`, kindOfOwn(`I'm ${role}`) ?? thing(text), null, OWNER)
    return
  }
  for (const clause of clausesOf(sentence)) readClause(reading, sentence, clause, before)
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
  if ((ends.length === 0 && !succeeds) || filters.isUnreal(text) || filters.isQuestion(text)) return false
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
    NEW_JOB_PLACE.test(after) && isNewJob(text) ? `${stated.text} ${after}` : withNames(reading, stated),
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
  Object.assign(fact, { ends: scoped, evidence: findEvidence(text) })
  return true
}

/** Who a sentence is about: somebody named in it, or whom its first pronoun means. */
function personIn({ people }: Reading, sentence: Stretch): Person | null {
  const named = people.find(({ at }) => at >= sentence.start && at < sentence.start + sentence.text.length)
  if (named) return named
  for (const { text, start } of clausesOf(sentence)) {
    const pronoun = PRONOUN.exec(bare(text))?.[2]
    const person = pronoun ? meantBy(pronoun, people, start) : null
    if (person) return person
  }
  return null
}

/** A question tells of people, and of what the owner has by its maker's name. */
function readQuestion(reading: Reading, sentence: Stretch): void {
  const brand = BRAND.exec(sentence.text)?.[1]
  if (brand && !filters.isUnreal(sentence.text)) {
    add(reading, sentence, `I have a ${brand}`, {
      category: 'possession',
      slot: 'possession',
      importance: 0.5
    })
    const fact = reading.facts.at(-1)
    if (fact) fact.quote = sentence.text
    return
  }
  for (const clause of clausesOf(sentence).slice(0, -1)) readClause(reading, sentence, clause, '')
}

function readClause(reading: Reading, sentence: Stretch, clause: Stretch, before: string): void {
  const bared = bare(clause.text)
  const at = clause.start + clause.text.length - bared.length
  const upTo = `${before} ${sentence.text.slice(0, Math.max(clause.start - sentence.start, 0))}`
  const placed = withPlace(bared, upTo)
  const text = placed === null ? null : filters.withAntecedent(placed, upTo)
  if (text === null || filters.isUnreal(text) || filters.isPassing(text)) return
  if (filters.isCommand(text) || filters.isQuestion(text)) return
  if (isDangling(text)) return
  const pronoun = PRONOUN.exec(text)
  if (OWN_SUBJECT.test(text) || ELLIPTIC.test(text)) {
    const said = OWN_SUBJECT.test(text) ? text : `I ${text}`
    const kind = kindOfOwn(said)
    if (!kind || said.split(/[\s'’]+/).length <= 2 - Number(kind.category === 'health')) return
    if (kind.category === 'plan' && !filters.isTellingPlan(text)) return
    if (kind.importance <= 0.5 && filters.isOfTheMoment(text)) return
    for (const item of filters.eachNamed(text)) add(reading, sentence, item, kind)
  } else if (pronoun) {
    const person = meantBy(pronoun[2] ?? '', reading.people, at)
    if (person && !REPORTING.test(text) && isTellingOf(text)) {
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

/** Says nothing by itself, unless what it says is plain all the same: "I'm single and happy about it". */
function isDangling(text: string): boolean {
  const isPlain = ['relationship', 'health'].includes(kindOfOwn(text)?.category ?? '')
  return DANGLING.test(text) && termsOf(text).length < 3 && !isPlain
}

/** "She's loyal" is a remark; "she's diabetic" and "she lives in Oslo" are not. */
function isTellingOf(text: string): boolean {
  return !WANTING.test(text) && (termsOf(text).length > 1 || kindOfOther(text).category === 'health')
}

/** What a nameless acquaintance does is their own affair, unless it says where they live, what they do or how they are. */
function isWorthTelling({ name, relation }: Person, text: string): boolean {
  const { category, slot } = kindOfOther(text)
  return (
    name !== null || !isAcquaintance(relation) || category === 'health' || (slot ?? slotOf(text)) !== null
  )
}

/** "My brother's lot before they fly" has no verb; "my flight's at 6:40" does. */
function hasOwnVerb(text: string): boolean {
  return (
    VERB.test(text.replace(/^(?:my|our)\s[\p{L}-]+['’]s/iu, 'my')) ||
    /^(?:my|our)\s[\p{L}-]+['’]s\s(?:at|on|in|due|not|an?|the|called)\b/iu.test(text)
  )
}

function thing(text: string): Kind {
  const category = /\b(?:flight|trip|appointment|meeting|exam|wedding|deadline|test|interview|gig)\b/i.test(
    text
  )
    ? 'plan'
    : 'fact'
  return { category, slot: slotOf(text), importance: 0.5 }
}

/** A clause about somebody or something of the owner's. */
function readOther(reading: Reading, sentence: Stretch, text: string, at: number, before: string): void {
  const person =
    reading.people.find((spoken) => Math.abs(spoken.at - at) <= 1) ??
    findNamedSubject(text, `${reading.message} ${before}`)
  const hasVerb = VERB.test(text)
  if (person && hasVerb && !WANTING.test(text) && text.split(/\s+/).length > 2 && !REPORTING.test(text)) {
    if (person.introduced) reading.introduced.add(person)
    if (!isWorthTelling(person, text)) return
    add(reading, sentence, text, kindOfOther(text), null, subjectOf(person), person.relation)
  } else if (!person && OWN_THING.test(text) && hasOwnVerb(text)) {
    const own = kindOfOwn(text) ?? thing(text)
    if (own.importance <= 0.5 && filters.isOfTheMoment(text)) return
    add(reading, sentence, text, own)
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

/** People who were named with what they are to the owner, where nothing kept says so. */
function introduce(reading: Reading, sentences: Stretch[]): void {
  const { people, facts, context } = reading
  for (const person of people) {
    const { name, relation, introduced, gender } = person
    const sentence = sentences.find(
      ({ start, text }) => person.at >= start && person.at < start + text.length
    )
    if (!introduced || !name || !sentence || filters.isPlay(sentence.text)) continue
    if (context.known.some(({ subject }) => subject === name.toLowerCase())) continue
    if (facts.some(({ text }) => text.includes(name))) continue
    const statement = `${name} ${gender === 'they' ? 'are' : 'is'} my ${relation}.`
    const kind = { category: 'relationship', slot: 'relation', importance: 0.7 }
    add(reading, sentence, statement, kind, null, subjectOf(person), relation)
  }
}
