import { isStopWord } from '../search/analyze.ts'

/**
 * Whether two memories say the same in other clothes. True facts must not vanish, so whatever might make a difference
 * makes one: any word but the emptiest, a tense, a number, a name, a negation.
 */

export interface Statement {
  text: string
  subject: string | null
  slot: string | null
}

/** Words without which a statement is the same. */
const EMPTY = new Set('a an the really very quite just also that so please too indeed'.split(' '))
const CONTRACTED: [RegExp, string][] = [
  [/\bcan['’]t\b/g, 'can not'],
  [/\bcannot\b/g, 'can not'],
  [/\bwon['’]t\b/g, 'will not'],
  [/n['’]t\b/g, ' not'],
  [/\bi['’]m\b/g, 'i am'],
  [/['’]re\b/g, ' are'],
  [/['’]ve\b/g, ' have'],
  [/['’]ll\b/g, ' will']
]
const WORD = /(?<![\p{L}\p{N}])[-−]\p{N}+|[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}.,;:!?"“”()\p{Pd}'’]/gu
const NEGATIONS = new Set(
  `not no never none nobody nothing nowhere neither nor without hardly barely except unless former formerly ex
  anymore longer stopped quit unlike instead nicht kein keine ikke inte pas jamais nunca não niet geen`.split(
    /\s+/
  )
)
const CRITICAL = new Set(
  `was were had did will would could might should used ago before after until since yesterday tomorrow
  all some most few every each always sometimes often rarely seldom only more less both either
  one two three four five six seven eight nine ten eleven twelve dozen twenty thirty forty fifty hundred thousand
  million half third first second last once twice monday tuesday wednesday thursday friday saturday sunday`.split(
    /\s+/
  )
)

/** Lower-case words, contractions written out. Signs such as emoji and "+" are words too. */
function wordsOf(text: string): string[] {
  let plain = text.normalize('NFKC').toLowerCase()
  for (const [short, long] of CONTRACTED) plain = plain.replace(short, long)
  return plain.match(WORD) ?? []
}

/** What the statement is with its empty words left out; two with the same key say the same. */
export function keyOf({ text, subject, slot }: Statement): string {
  const words = wordsOf(text).filter((word) => !EMPTY.has(word))
  return JSON.stringify([subject, slot, words])
}

/** Whether two statements hold the same words, names and numbers in the same order, about one attribute of one thing. */
export function isReordered(a: Statement, b: Statement): boolean {
  if (a.subject === null || a.slot === null || a.subject !== b.subject || a.slot !== b.slot) return false
  const bag = (text: string) =>
    wordsOf(text)
      .filter((word) => !EMPTY.has(word))
      .sort()
      .join(' ')
  return bag(a.text) === bag(b.text) && namesOf(a.text).join(' ') === namesOf(b.text).join(' ')
}

/**
 * Whether nothing that can be read off the words speaks against two statements being one fact: the guard on whatever a
 * model says of them.
 */
export function mayBeSame(a: Statement, b: Statement): boolean {
  if (a.subject !== null && b.subject !== null && a.subject !== b.subject) return false
  // Not by their slots: which attribute one sentence fills and another does not is a guess.
  const critical = (text: string) =>
    wordsOf(text)
      .filter((word) => CRITICAL.has(word) || NEGATIONS.has(word) || /\p{N}/u.test(word))
      .sort()
      .join(' ')
  if (critical(a.text) !== critical(b.text)) return false
  return holdsEvery(namesOf(a.text), wordsOf(b.text)) && holdsEvery(namesOf(b.text), wordsOf(a.text))
}

/** Words with a capital. That of a sentence's first word may say nothing; then it makes a difference where there is none. */
function namesOf(text: string): string[] {
  const words = text.normalize('NFKC').match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  return words
    .filter((word) => /^\p{Lu}/u.test(word))
    .map((word) => word.toLowerCase())
    .filter((word) => !isStopWord(word))
}

function holdsEvery(names: string[], words: string[]): boolean {
  const held = new Set(words)
  return names.every((name) => held.has(name))
}

/** Whether every name and number of a text stands in the texts it was made from: what does not was made up. */
export function holdsEveryName(text: string, from: string[]): boolean {
  const said = from.flatMap(wordsOf)
  // The first word's capital says nothing, and its form may be another.
  const [, ...names] = text.normalize('NFKC').match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  const named = names.filter((word) => /^\p{Lu}|\p{N}/u.test(word) && word !== 'I')
  return holdsEvery(
    named.map((word) => word.toLowerCase()),
    said
  )
}

/** Whether a text says that something is not so. */
export function isNegated(text: string): boolean {
  return wordsOf(text).some((word) => NEGATIONS.has(word))
}
