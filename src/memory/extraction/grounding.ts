import { splitWords } from '../../search/analyze.ts'
import { termsOf } from './sameness.ts'

/** So many letters are little enough to be looked for, and more than "I". */
const LEAST_LETTERS = 4
/** In scripts without spaces a letter says as much as a word. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}]/gu

/** Whether a quotation says anything: a telling word, or all of a shorter message. */
export function isTellingQuote(quote: string, message: string): boolean {
  const letters = quote.match(/[\p{L}\p{N}]/gu) ?? []
  if (letters.length === 0) return false
  if ((quote.match(UNSPACED) ?? []).length > 1) return true
  if (letters.length >= LEAST_LETTERS && termsOf(quote).length > 0) return true
  return splitWords(quote).join(' ') === splitWords(message).join(' ')
}
