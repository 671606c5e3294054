/** Facts found without a model: what people say plainly about themselves and theirs. */

import { findSince, makeDatesAbsolute } from './dates.ts'
import { type FoundFact, OWNER } from './facts.ts'
import { findEndings, findEvidence } from './rules-changes.ts'
import * as filters from './rules-filters.ts'
import { callOf, findPeople, meantBy, namesIn, type Person, subjectOf } from './rules-people.ts'
import { type Kind, kindOfOther, kindOfOwn } from './rules-predicates.ts'
import { clausesOf, type Stretch, sentencesOf } from './rules-sentences.ts'
import { termsOf } from './sameness.ts'
import { isSingle } from './slots.ts'

/** What the rules know besides the message. */
export interface RulesContext {
  saidAt: Date
  timeZone: string
  /** Whom and what the owner has spoken of before. */
  known: string[]
}

const MAX_FACTS = 10
/** Asked for by name: the highest importance, whatever it says. */
const REMEMBER =
  /^(?:please\s+|pls\s+|pai,?\s+|could you\s+|can you\s+)*(?:remember|note|don['’]t forget|keep in mind|memori[sz]e|make a note|log for me|add to my notes|for (?:the|your) record|remind me)(?:\s+that|\s*:|,)?\s+(.+)$/i
/** How PAI is to behave from now on. */
const STANDING_ORDER =
  /\b(?:from now on|going forward|in future|every time|always|never)\b.*\b(?:answer|reply|write|sign|use|call|keep|give|send|speak|address|format|start|end|be|include|show|tell|put|add)\b|\b(?:answer|reply|write|sign|use|call|keep|give|send|speak|address|format|start|end|include|show|put|add)\b.*\b(?:from now on|going forward|in future|every time|always|never)\b|^(?:please\s+|pls\s+)*call me\s/i
const OPENING =
  /^(?:(?:and|but|so|also|btw|fyi|oh|well|actually|yes|no|yeah|ok|okay|hi|hey|hello|hiya|morning|haha|lol|again|anyway|plus|sorry|correction|tiny correction|heads up|note|as i said|turns out|quick q|ugh|help|right|because|bc|since|as|while|though|again|then)(?:[,!:.]+\s*|\s+))+/i
const OWN_SUBJECT = /^(?:i|we)(?:['’]\w+)?\b|^(?:im|ive)\b/i
const OWN_THING =
  /^(?:my|our)\s+(?:[\p{L}\p{N}'’&-]+\s+){1,5}?(?:is|are|was|were|has|have|had|means|starts?|leaves|lives|meets?|costs?|needs|uses|makes|got|opens|closes|runs|takes|comes|gets|stays|moved|does|loves|hates|likes|can|can['’]t|cannot|won['’]t|doesn['’]t|don['’]t)\b|^(?:my|our)\s+(?:[\p{L}\p{N}'-]+['’]s)\s/iu
const SCHEDULED =
  /^\(?(?:the|our|my)\s+[\p{L}\s'’-]{3,40}?\s(?:stays|is on|are on|is at|meets|comes|starts|takes place)\s.*(?:\d|days?\b)/iu
const ELLIPTIC =
  /^(?:(?:just|finally|recently|also|only|now)\s+)*(?:moved|bought|sold|cancel(?:led|ed)|joined|got|started|quit|adopted|retired|switched|swapped|gave up|stopped|renamed|enrolled|signed up)\b(?!\s(?:it|this|that|back|home|your|you)\b)/i
const PERSON_SUBJECT = /^(?:my|our)\s/i
const PRONOUN = /^(he|she|they)(['’](?:s|re|ve|d|ll))?\b/i
const TRANSIENT =
  /\b(?:texted|asked|called|rang|wants?|sent|emailed|drilling|thinks?|reckons|laughed|visiting|is coming|needs? a|needs? new|needs? some|would|keeps? (?:saying|asking))\b/i

/** A sentence on its way: what it says, who is spoken of, and what it has to do with what came before. */
interface Reading {
  people: Person[]
  context: RulesContext
  facts: FoundFact[]
}

/** What a message of the owner's says about the owner's world; nothing where nothing is plain. */
export function findFacts(message: string, context: RulesContext): FoundFact[] {
  const sentences = sentencesOf(message).map(calm)
  const people = sentences.flatMap((sentence) => peopleIn(sentence, context.known))
  const reading: Reading = { people, context, facts: [] }
  for (const [index, sentence] of sentences.entries()) {
    if (filters.isWorkOnText(sentence.text)) break
    const next = sentences[index + 1]
    readSentence(reading, sentence, `${sentence.text} ${next?.text ?? ''}`)
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

function peopleIn({ text, start }: Stretch, known: string[]): Person[] {
  const introduced = findPeople(text).map((person) => ({ ...person, at: person.at + start }))
  const named = known.flatMap((subject) => {
    const at =
      subject === OWNER
        ? -1
        : text.toLowerCase().search(new RegExp(`\\b${subject.replace(/[^\p{L}\p{N}\s]/gu, '.')}\\b`))
    const name = text.slice(at, at + subject.length)
    if (at === -1 || !/^\p{Lu}/u.test(name) || introduced.some((person) => person.name === name)) return []
    return [{ name, relation: '', at: at + start, gender: null, introduced: false }]
  })
  return [...introduced, ...named].sort((a, b) => a.at - b.at)
}

function readSentence(reading: Reading, sentence: Stretch, passage: string): void {
  const { text } = sentence
  const asked = REMEMBER.exec(text)?.[1]
  if (asked && !filters.isAsking(text) && !filters.isQuestion(asked)) {
    // "To call mom" would say nothing of why it is kept.
    const statement = /^to\b/i.test(asked) ? text : asked
    add(reading, sentence, statement, noteKind(asked), subjectIn(reading, sentence, statement))
    return
  }
  if (filters.isNotEarnest(text) || filters.isSupposing(text)) return
  if (STANDING_ORDER.test(text) && !filters.isUnreal(text)) {
    add(reading, sentence, text, { category: 'preference', slot: 'instruction', importance: 0.7 }, OWNER)
    return
  }
  if (filters.isTold(text) || filters.isAsking(text)) return
  const ends = findEndings(text, passage)
  if (ends.length > 0 && !filters.isUnreal(text) && !filters.isQuestion(text)) {
    const statement = withNames(reading, sentence)
    const kind = kindOfOwn(ELLIPTIC.test(bare(text)) ? `I ${bare(text)}` : bare(text)) ?? kindOfOther(text)
    const before = reading.facts.length
    add(reading, sentence, statement, kind, subjectIn(reading, sentence, statement))
    const fact = reading.facts[before]
    if (fact) Object.assign(fact, { ends, evidence: findEvidence(text) })
    return
  }
  for (const clause of clausesOf(sentence)) readClause(reading, sentence, clause)
}

function readClause(reading: Reading, sentence: Stretch, clause: Stretch): void {
  const text = bare(clause.text)
  const at = clause.start + clause.text.length - text.length
  if (filters.isUnreal(text) || filters.isPassing(text)) return
  if (filters.isCommand(text) || filters.isQuestion(text)) return
  const pronoun = PRONOUN.exec(text)
  if (OWN_SUBJECT.test(text) || ELLIPTIC.test(text)) {
    const said = OWN_SUBJECT.test(text) ? text : `I ${text}`
    const kind = kindOfOwn(said)
    if (kind && said.split(/\s+/).length > 2 - Number(kind.category === 'health')) {
      add(reading, sentence, text, kind, OWNER)
    }
  } else if (pronoun) {
    const person = meantBy(pronoun[1] ?? '', reading.people, at)
    if (!person || TRANSIENT.test(text)) return
    add(reading, sentence, rename(text, pronoun, person), kindOfOther(text), subjectOf(person))
  } else {
    readOther(reading, sentence, text, at)
  }
}

/** A clause about somebody or something of the owner's. */
function readOther(reading: Reading, sentence: Stretch, text: string, at: number): void {
  const person = reading.people.find((spoken) => spoken.at >= at - 1 && spoken.at <= at + 1)
  const isOwn = PERSON_SUBJECT.test(text)
  if (person && text.split(/\s+/).length > 3 && !TRANSIENT.test(text)) {
    if (
      !/\s(?:is|are|was|were|has|had|have|['’]s|\w+s|\w+ed|can['’]?t|can|does|did|lived?|work|keep|live|love|like|hate|play|never|only)\b/i.test(
        text
      )
    )
      return
    add(reading, sentence, text, kindOfOther(text), subjectOf(person))
  } else if (!person && isOwn && OWN_THING.test(text)) {
    const own = kindOfOwn(text)
    add(
      reading,
      sentence,
      text,
      own ?? { category: 'fact', slot: slotOf(text), importance: 0.5 },
      own ? OWNER : topicOf(text)
    )
  } else if (SCHEDULED.test(text)) {
    add(reading, sentence, text, { category: 'schedule', slot: 'schedule', importance: 0.5 }, topicOf(text))
  }
}

/** People who were named with what they are to the owner, where nothing kept says so. */
function introduce(reading: Reading, sentences: Stretch[]): void {
  const { people, facts, context } = reading
  const told = new Set<string>()
  for (const person of people) {
    const { name, relation, introduced, gender } = person
    const sentence = sentences.find(
      ({ start, text }) => person.at >= start && person.at < start + text.length
    )
    if (!introduced || !name || !sentence || told.has(name) || context.known.includes(name.toLowerCase()))
      continue
    if (
      filters.isNotEarnest(sentence.text) ||
      /\b(?:pretend|imagine|suppose|what if|story|poem)\b/i.test(sentence.text)
    )
      continue
    told.add(name)
    const isSaid = facts.some(({ text }) => text.includes(name) && text.toLowerCase().includes(relation))
    if (isSaid) continue
    const statement = `${name} ${gender === 'they' ? 'are' : 'is'} my ${relation}.`
    add(
      reading,
      sentence,
      statement,
      { category: 'relationship', slot: 'relation', importance: 0.7 },
      subjectOf(person)
    )
  }
}

function add(reading: Reading, sentence: Stretch, text: string, kind: Kind, subject: string | null): void {
  const { saidAt, timeZone } = reading.context
  const statement = toStatement(text)
  if (termsOf(statement).length === 0) return
  const { category, importance, slot } = kind
  reading.facts.push({
    text: makeDatesAbsolute(statement, saidAt, timeZone),
    category,
    tags: [...new Set(namesIn(statement).map((name) => name.toLowerCase()))].slice(0, 3),
    importance,
    importanceReason: importance === 0.9 && category === 'note' ? ASKED : `said plainly, about ${category}`,
    quote: sentence.text,
    quoteStart: sentence.start,
    subject,
    slot,
    validFrom: findSince(statement, saidAt, timeZone),
    validTo: null,
    saidBy: 'owner',
    evidence: slot !== null && isSingle(slot) ? findEvidence(sentence.text) : null,
    ends: [],
    lasting: true
  })
}

const ASKED = 'the owner asked to remember it'

function noteKind(asked: string): Kind {
  return {
    category: kindOfOwn(asked)?.category ?? 'note',
    slot: kindOfOwn(asked)?.slot ?? slotOf(asked),
    importance: 0.9
  }
}

/** The attribute of a thing: its price, its times, what it is called. */
function slotOf(text: string): string | null {
  if (/\b(?:called|named|renamed|title)\b/i.test(text)) return 'title'
  if (/\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\d{1,2}:\d\d/i.test(text)) return 'schedule'
  if (/[£$€]\s?\d|\b(?:price|an hour|per hour|costs?)\b/i.test(text)) return 'price'
  return null
}

/** What a clause is about: the words between "my" and its verb. */
function topicOf(text: string): string | null {
  const [, words = ''] =
    /^\(?(?:my|our|the)\s+(.+?)\s(?:is|are|was|were|has|have|had|meets?|stays|starts?|comes|takes|leaves|costs?|needs|uses|got|opens|closes|moved)\b/i.exec(
      text
    ) ?? []
  const terms = termsOf(words)
  return terms.length > 0 && terms.length <= 4 ? terms.join(' ') : null
}

function subjectIn(reading: Reading, { start, text }: Stretch, statement: string): string | null {
  const person = reading.people.find(({ at }) => at >= start && at < start + text.length)
  if (person && !OWN_SUBJECT.test(statement)) return subjectOf(person)
  return OWN_SUBJECT.test(bare(statement)) ? OWNER : topicOf(bare(statement))
}

function withNames(reading: Reading, sentence: Stretch): string {
  const parts = clausesOf(sentence)
  let text = sentence.text
  for (const clause of parts.toReversed()) {
    const pronoun = PRONOUN.exec(clause.text)
    const person = pronoun && meantBy(pronoun[1] ?? '', reading.people, clause.start)
    if (!pronoun || !person) continue
    const from = clause.start - sentence.start
    text = text.slice(0, from) + rename(clause.text, pronoun, person) + text.slice(from + clause.text.length)
  }
  return bare(text)
}

/** "She's just had her hip replaced" with the name for the pronoun, and the verb in full. */
function rename(text: string, [pronoun, , short = '']: RegExpExecArray, person: Person): string {
  const rest = text.slice(pronoun.length)
  const name = callOf(person)
  const many = person.gender === 'they'
  const isDone =
    /^\s(?:(?:just|already|now|never|always|recently)\s)?(?:been|had|got|gone|made|taken|become|\w+ed)\b/i.test(
      rest
    )
  const verb = {
    s: isDone ? ' has' : ' is',
    re: ' are',
    ve: many ? ' have' : ' has',
    d: ' would',
    ll: ' will'
  }[short.slice(1)]
  return `${name}${verb ?? ''}${rest}`
}

function bare(text: string): string {
  return text.replace(OPENING, '').trim()
}

function toStatement(text: string): string {
  const trimmed = bare(text)
    .replace(/[\s,;:–-]+$/, '')
    .replace(/\s(?:lol|haha|btw|fyi|tbh|pls|please|though)([.!]*)$/i, '$1')
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
}
