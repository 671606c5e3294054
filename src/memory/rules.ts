/** Facts found without a model: what people say plainly about themselves and theirs. */

import { findSince, makeDatesAbsolute } from './dates.ts'
import { type FoundFact, OWNER } from './facts.ts'
import { findEndings, findEvidence } from './rules-changes.ts'
import * as filters from './rules-filters.ts'
import {
  callOf,
  findNamedSubject,
  findPeople,
  introductionOf,
  meantBy,
  namesIn,
  type Person,
  subjectOf,
  withPlace
} from './rules-people.ts'
import { type Kind, kindOfOther, kindOfOwn } from './rules-predicates.ts'
import { clausesOf, type Stretch, sentencesOf } from './rules-sentences.ts'
import { slotOf, TOPICAL, topicOf, valueSlot } from './rules-topics.ts'
import { holdsTerms, termsOf } from './sameness.ts'
import { isSameSubject, isSingle } from './slots.ts'

/** Something the owner has spoken of before, and an attribute of it that is known. */
export interface Known {
  subject: string
  slot: string | null
}

/** What the rules know besides the message. */
export interface RulesContext {
  saidAt: Date
  timeZone: string
  known: Known[]
}

const MAX_FACTS = 10
const ASKED = 'the owner asked to remember it'
/** Asked for by name: the highest importance, whatever it says. */
const REMEMBER =
  /^(?:please\s+|pls\s+|pai,?\s+|could you\s+|can you\s+)*(?:(?:remember|note|don['’]t forget|keep in mind|memori[sz]e|make a note|log for me|add to my notes|for (?:the|your) record)(?:\s+that|\s*:|,)?|remind me(?=\s+(?:to|that)\b))\s+(.+)$/i
/** How PAI is to behave from now on. */
const ORDER =
  '(?:answer|reply|write|sign|use|call|keep|give|send|speak|address|format|start|end|include|show|put|add|stop)'
const STANDING_ORDER = new RegExp(
  `^(?:(?:please|pls|and|also|perfect|ok|btw),?\\s+|(?:can|could) (?:you|u) )*(?:(?:always|never) ${ORDER}\\b|${ORDER}\\b.*\\b(?:from now on|going forward|in future|always|never|every time)\\b|call me\\s)`,
  'i'
)
const ORDER_WITHIN = new RegExp(`\\b(?:can|could) (?:you|u) (${ORDER}\\b.*\\bfrom now on\\b.*)`, 'i')
const OPENING =
  /^(?:(?:and|but|so|also|btw|fyi|oh|well|actually|yes|no|yeah|ok|okay|hi|hey|hello|hiya|morning|haha|lol|again|anyway|plus|sorry|correction|tiny correction[^:]*|heads up|note|as i said|turns out|quick q|ugh|help|right|because|bc|since|as|while|though|then|perfect|please|pls)(?:[,!:.]+\s*|\s+))+/i
const OWN_SUBJECT = /^(?:i|we)(?:['’]\w+)?\b|^(?:im|ive)\b/i
const OWN_THING =
  /^(?:my|our)\s+(?:[\p{L}\p{N}'’&-]+\s+){1,5}?(?:is|are|was|were|has|have|had|means|starts?|leaves|lives|meets?|costs?|needs|uses|makes|got|opens|closes|runs|takes|comes|gets|stays|moved|does|loves|hates|likes|can|can['’]t|cannot|won['’]t|doesn['’]t|don['’]t|squeaks)\b|^(?:my|our)\s+(?:[\p{L}\p{N}'-]+['’]s)\s/iu
const SCHEDULED =
  /^\(?(?:the|our|my)\s+[\p{L}\s'’-]{3,40}?\s(?:stays|is on|are on|is at|meets|comes|starts|takes place)\s.*(?:\d|days?\b)|^the\s[\p{L}\s'’-]{3,40}?\s(?:has|have|is|are)\s(?:now |just )?(?:gone over to|switched to|moved to|been moved to|renamed)\s/iu
/** A thing of the owner's that is named without "my". */
const BARE_THING =
  /^(?:house|flat|kitchen|garden|rent|car|bike|dog|cat|wife|husband|mum|mom|dad|boss)\s(?:is|are|was|has)\s|^(?:[\p{L}-]+\s){1,2}(?:is|are) (?:called|named) \p{Lu}|^\p{Lu}\p{Ll}+ is my \p{Ll}+ \p{Lu}/iu
const ELLIPTIC =
  /^(?:(?:just|finally|recently|also|only|now)\s+)*(?:moved|bought|sold|cancel(?:led|ed)|joined|got|started|quit|adopted|retired|switched|swapped|gave up|stopped|renamed|enrolled|signed up)\b(?!\s(?:it|this|that|back|home|your|you)\b)/i
const BRAND = /\b[Mm]y\s((?:\p{Lu}[\p{L}\d-]+\s)(?:\p{Lu}[\p{L}\d-]*|\d+)(?:\s(?:\p{Lu}[\p{L}\d-]*|\d+))*)/u
const PRONOUN =
  /^((?:from|since|as of|starting|these days|now|nowadays|apparently)\s(?:[\w]+\s?){0,3},?\s?)?(he|she|they)(['’](?:s|re|ve|d|ll))?\b/i
const VERB =
  /\s(?:is|are|was|were|has|had|have|\w+s|\w+ed|can['’]?t|can|does|did|lived?|work|keep|live|love|like|hate|play|never|only)\b|['’]s\s/i
const REPORTING =
  /^\S+(?:\s\S+){0,2}\s(?:texted|asked|called|rang|sent|emailed|thinks?|reckons|laughed|says?|said)\b/i
/** Points back at something that was not said in the same breath. */
const DANGLING = /\b(?:it|them|that|this|one|those|these|there|here)[.!?)]*$|\bgo by that\b/i
const WANTING = /\b(?:needs?|wants?|would like)\b/i
const SUCCEEDS = /^(?:so now|so|now|instead)\b/i

interface Reading {
  people: Person[]
  context: RulesContext
  facts: FoundFact[]
  message: string
  /** Who has been introduced in a statement. */
  introduced: Set<Person>
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
    // What follows is the text to work on.
    if (cut !== null) break
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

function peopleIn({ text, start }: Stretch, known: Known[]): Person[] {
  const introduced = findPeople(text).map((person) => ({ ...person, at: person.at + start }))
  const named = [...new Set(known.map(({ subject }) => subject))].flatMap((subject) => {
    const plain = subject.replace(/[^\p{L}\p{N}\s]/gu, '.')
    const at =
      subject === OWNER ? -1 : text.toLowerCase().search(new RegExp(`(?<![\\p{L}])${plain}(?![\\p{L}])`, 'u'))
    const name = text.slice(at, at + subject.length)
    if (at === -1 || !/^\p{Lu}/u.test(name) || introduced.some((person) => person.name === name)) return []
    return [{ name, relation: '', at: at + start, gender: null, introduced: false }]
  })
  return [...introduced, ...named].sort((a, b) => a.at - b.at)
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
  const ends = findEndings(text, `${text} ${after}`)
  const succeeds =
    SUCCEEDS.test(text) && findEndings(before, `${before} ${text}`).length > 0 && namesIn(text).length > 0
  if ((ends.length > 0 || succeeds) && !filters.isUnreal(text) && !filters.isQuestion(text)) {
    const whole = clausesOf(sentence).filter(
      ({ text: part }) => !filters.isCommand(part) && !filters.isQuestion(part)
    )
    const last = whole.at(-1)
    if (!last) return
    const stated = {
      text: sentence.text.slice(0, last.start - sentence.start + last.text.length),
      start: sentence.start
    }
    const said = ELLIPTIC.test(bare(text)) ? `I ${bare(text)}` : bare(text)
    const kind = kindOfOwn(said) ?? kindOfOther(text)
    const fact = add(reading, sentence, withNames(reading, stated), kind)
    if (fact) Object.assign(fact, { ends, evidence: findEvidence(text) })
    return
  }
  const known = reading.facts.length
  for (const clause of clausesOf(sentence)) readClause(reading, sentence, clause, before)
  const last = reading.facts.at(-1)
  // "2014 model, 140k km" and "Lichtenberg, keys on the 1st of May" go on with what was said before.
  if (reading.facts.length === known && last && filters.isFragment(text) && last.quote === before) {
    last.text = `${last.text.replace(/[.!]+$/, '')}. ${makeDates(reading, text)}`
  }
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
    if (!kind || said.split(/\s+/).length <= 2 - Number(kind.category === 'health')) return
    if (kind.category === 'plan' && !filters.isTellingPlan(text)) return
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
    add(reading, sentence, text, kindOfOther(text), null, subjectOf(person))
  } else if (
    !person &&
    OWN_THING.test(text) &&
    VERB.test(text.replace(/^(?:my|our)\s[\p{L}-]+['’]s/iu, 'my'))
  ) {
    const own = kindOfOwn(text)
    add(reading, sentence, text, own ?? thing(text))
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
    add(reading, sentence, statement, kind, null, subjectOf(person))
  }
}

function add(
  reading: Reading,
  sentence: Stretch,
  text: string,
  { category, importance, slot: kindSlot }: Kind,
  reason: string | null = null,
  about?: string
): FoundFact | null {
  const { saidAt, timeZone } = reading.context
  const statement = toStatement(text)
  if (termsOf(statement).length === 0) return null
  const shown = valueSlot(statement, reading.message)
  const slot = shown ?? kindSlot
  const evidence = slot !== null && isSingle(slot) ? findEvidence(sentence.text) : null
  const subject = (shown ? undefined : about) ?? subjectFor(reading, statement, slot, evidence !== null)
  const fact: FoundFact = {
    text: makeDates(reading, statement),
    category,
    tags: [...new Set(namesIn(statement).map((name) => name.toLowerCase()))].slice(0, 3),
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
  return fact
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
  return OWN_SUBJECT.test(statement) || kindOfOwn(statement) ? OWNER : (topic ?? null)
}

/** "the theatre lot" is the theatre group that was spoken of before. */
function knownLike(known: Known[], topic: string, slot: string): string | null {
  return known.find((one) => one.slot === slot && isSameSubject(one.subject, topic))?.subject ?? null
}

function withNames(reading: Reading, sentence: Stretch): string {
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
function rename(
  reading: Reading,
  text: string,
  [whole, lead = '', , short = '']: RegExpExecArray,
  person: Person
): string {
  const rest = text.slice(whole.length)
  const name = reading.introduced.has(person) ? callOf(person) : introductionOf(person)
  reading.introduced.add(person)
  const isDone =
    /^\s(?:(?:just|already|now|never|always|recently)\s)?(?:been|had|got|gone|made|taken|become|\w+ed)\b/i.test(
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

function bare(text: string): string {
  return text.replace(OPENING, '').trim()
}

function toStatement(text: string): string {
  const trimmed = bare(text)
    .replace(/[\s,;:–-]+$/, '')
    .replace(/\s(?:lol|haha|btw|fyi|tbh|pls|please|though)([.!]*)$/i, '$1')
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
}
