import { isStopWord, splitWords, stemWord } from '../../search/analyze.ts'

/** How a new statement stands to one that is there. */
export type Sameness = 'same' | 'less' | 'more' | 'different'

/** Words that add nothing to a statement: a repetition is often dressed up in them. */
const FILLERS = new Set(
  `actually again already also always anyway basically btw bit call completely currently definitely especially fact
  finally fyi get got haha hey honestly just kind know like lol maybe mean mention moment need new note now
  obviously oh ok okay one please pls quite really recently remember say said seriously since sort still tell thing
  though today told tonight usual usually well wow yeah yes yet way want love lovely enjoy like day days time times
  every each own thanks`
    .split(/\s+/)
    .map(stemWord)
)
/** Words that deny what they stand with, some of other languages among them: what a model finds is put in the message's own. */
export const NEGATION =
  /\b(?:not|no|never|none|nothing|neither|nor|without|stopped|quit|isn['’]?t|aren['’]?t|wasn['’]?t|don['’]?t|doesn['’]?t|didn['’]?t|can['’]?t|cannot|won['’]?t|haven['’]?t|hasn['’]?t|hate|hates|dislike|dislikes|nicht|kein(?:e[mnrs]?)?|ikke|inte|pas|jamais|nunca|niet|geen)\b/i
/** One denial soon after another takes it back: "I don't really hate jazz", "I can't live without coffee". */
const TAKEN_BACK = new RegExp(
  `${NEGATION.source}(?:\\s+(?!(?:and|or|but|nor)\\b)[\\p{L}'’]+){0,2}?\\s+${NEGATION.source}`,
  'iu'
)
/** What two statements of one attribute share when they tell the same. */
const MOSTLY_TERMS = 2
const MOSTLY_SHARE = 0.6
/** Values: where both have some and they differ, the statements do. */
const VALUE = /[\p{N}=]/u
const LETTER = /(?<=\S\s)[A-HJ-Z]\b(?!['’.\p{L}])/gu
const WEEKDAYS = new Set('monday tuesday wednesday thursday friday saturday sunday'.split(' ').map(stemWord))
const NUMBER_WORDS = new Map(
  'zero two three four five six seven eight nine ten eleven twelve'
    .split(' ')
    .map((word, index) => [word, String(index === 0 ? 0 : index + 1)])
)
const SHORT_FORMS = new Map([
  ['neg', 'negative'],
  ['pos', 'positive']
])
/** Words this alike are forms of one: "allergy", "allergic". */
const SHARED_PREFIX = 5
const MAX_TAIL = 3

/** Compares what two statements say, by their words: "less" when the new one says a part of what the old one does. */
export function compareStatements(fresh: string, known: string): Sameness {
  if (polarityOf(fresh) !== polarityOf(known)) return 'different'
  const [mine, theirs] = [termsOf(fresh), termsOf(known)]
  if (mine.length === 0 || theirs.length === 0) return 'different'
  const extra = mine.filter((term) => !isIn(term, theirs))
  const missing = theirs.filter((term) => !isIn(term, mine))
  // Nothing shared but fillers is nothing shared.
  if (extra.length === mine.length) return 'different'
  if (extra.some(isValue) && missing.some(isValue)) return 'different'
  if (extra.length === 0) return missing.length === 0 ? 'same' : 'less'
  return missing.length === 0 ? 'more' : 'different'
}

/** Whether a statement says so, says that it is not so, or takes a denial back. */
export function polarityOf(text: string): 'says' | 'denies' | 'double' {
  if (TAKEN_BACK.test(text)) return 'double'
  return NEGATION.test(text) ? 'denies' : 'says'
}

/** The words that deny, in order. */
export function negationsIn(text: string): string[] {
  return [...text.toLowerCase().matchAll(new RegExp(NEGATION, 'gi'))].map(([word]) => word)
}

/** Whether two statements are mostly the same words, so that of one attribute they tell the same. */
export function isMostlySame(one: string, other: string): boolean {
  const [mine, theirs] = [termsOf(one), termsOf(other)]
  const shared = mine.filter((term) => isIn(term, theirs))
  const differ = (terms: string[], others: string[]) =>
    terms.some((term) => isValue(term) && !isIn(term, others))
  return (
    shared.length >= MOSTLY_TERMS &&
    shared.length >= MOSTLY_SHARE * Math.min(mine.length, theirs.length) &&
    !(differ(mine, theirs) && differ(theirs, mine)) &&
    polarityOf(one) === polarityOf(other)
  )
}

/** Whether a text speaks of all of these terms, in any form of the words. */
export function holdsTerms(text: string, terms: string[]): boolean {
  const held = termsOf(text)
  return terms.length > 0 && terms.every((term) => isIn(term, held))
}

/** The telling terms of a statement: stemmed, without fillers, numbers in figures. */
export function termsOf(text: string): string[] {
  const terms = splitWords(text.replace(/\([^)]*\d{4}\)/g, ' '))
    .filter((word) => !isStopWord(word))
    .map((word) => SHORT_FORMS.get(word) ?? word)
    .map((word) => NUMBER_WORDS.get(word) ?? word.replace(/^(\d+)(?:st|nd|rd|th|am|pm)$/, '$1'))
    .map(stemWord)
    .filter((term) => !FILLERS.has(term))
  // A letter by itself is a value: blood group A is not B.
  const letters = [...text.matchAll(LETTER)].map(([letter]) => `=${letter.toLowerCase()}`)
  return [...new Set([...terms, ...letters])]
}

/** The numbers and weekdays of a statement, those of its dates too. */
export function figuresOf(text: string): string[] {
  return splitWords(text)
    .map((word) => NUMBER_WORDS.get(word) ?? word.replace(/^(\d+)(?:st|nd|rd|th|am|pm)$/, '$1'))
    .map(stemWord)
    .filter((term) => /\p{N}/u.test(term) || WEEKDAYS.has(term))
}

/** The words with a capital, as terms. That of the first word may say nothing: it counts unless it is a common word. */
export function namesOf(text: string): string[] {
  const words = text.normalize('NFKC').match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  return words
    .filter((word) => /^\p{Lu}/u.test(word))
    .flatMap(splitWords)
    .filter((word) => !isStopWord(word))
    .map(stemWord)
    .filter((term) => !FILLERS.has(term))
}

/** Whether a text has every one of these terms, be it a word that adds nothing. */
export function hasWords(text: string, terms: string[]): boolean {
  const held = splitWords(text).map(stemWord)
  return terms.every((term) => isIn(term, held))
}

/** Whether a term is among others, in any form of its word. */
export function isIn(term: string, terms: string[]): boolean {
  return terms.some((other) => other === term || isFormOf(other, term))
}

function isFormOf(one: string, other: string): boolean {
  if (VALUE.test(one) || VALUE.test(other)) return false
  const [shorter, longer] = one.length < other.length ? [one, other] : [other, one]
  if (shorter.length < SHARED_PREFIX) return false
  let shared = 0
  while (shared < shorter.length && shorter[shared] === longer[shared]) shared++
  return shared >= SHARED_PREFIX && shared >= shorter.length - 1 && longer.length - shared <= MAX_TAIL
}

function isValue(term: string): boolean {
  return VALUE.test(term) || WEEKDAYS.has(term)
}
