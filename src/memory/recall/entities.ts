import { isStopWord, splitWords } from '../../search/analyze.ts'

/** Marks a term as a name: no word begins like this. */
const NAME = '@'
/** Names kept of one text, and looked up of one query. */
const MAX_NAMES = 32
/** A text's later parts say little more about whom it is about. */
const MAX_LENGTH = 20_000
/** A word with a capital inside a sentence: at its start every word has one. */
const CAPITALISED = /(?<!(?:^|[.!?:\n]["”’)]*\s*)["“‘'(]*)(?<![\p{L}\p{M}\p{N}])\p{Lu}[\p{L}\p{M}\p{N}]+/gu
/** Written with a capital, yet the name of nothing in the owner's world. */
const CALENDAR = new Set(
  `monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
  october november december`.split(/\s+/)
)

/** The people, places and things a text names, as terms of their own beside its words. */
export function nameTerms(text: string): string[] {
  const names = new Set<string>()
  for (const [match] of text.slice(0, MAX_LENGTH).matchAll(CAPITALISED)) {
    const [name = ''] = splitWords(match)
    if (isName(name)) names.add(NAME + name)
    if (names.size === MAX_NAMES) break
  }
  return [...names]
}

/** What a query may name: any of its words, since people ask in lower case. What is no name in the index counts nothing. */
export function askedNames(query: string): string[] {
  return [...new Set(splitWords(query).filter(isName))].slice(0, MAX_NAMES).map((name) => NAME + name)
}

/** A query without names that are all over the owner's world: in a vector they would outweigh what is asked about them. */
export function withoutNames(query: string, names: string[]): string {
  const unwanted = new Set(names.map((name) => name.slice(NAME.length)))
  if (unwanted.size === 0) return query
  const rest = query.replace(/[\p{L}\p{M}\p{N}'’]+/gu, (word) =>
    unwanted.has(splitWords(word)[0] ?? '') ? '' : word
  )
  return rest.replace(/\s+/g, ' ').trim() || query
}

/** Who says a message or whom a memory is about, as a term. */
export function nameTerm(name: string): string[] {
  return splitWords(name)
    .filter(isName)
    .map((word) => NAME + word)
}

function isName(word: string): boolean {
  return word.length > 1 && !isStopWord(word) && !CALENDAR.has(word)
}
