/** Statements that cannot both be true, whatever attribute they are of. */

import { isStopWord, splitWords, stemWord } from '../../search/analyze.ts'
import { isIn, NEGATION, negationsIn, polarityOf, termsOf } from './sameness.ts'

/** What somebody has so many of; what happened so many times may well happen again. */
const HAS_NUMBER =
  /\b(?:have|has|['’]ve|['’]s got) (?:got )?(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b/i
/** What was or has been is told of a time, and of another time otherwise: "I haven't been to Japan", "I have been". */
const BYGONE = /\b(?:did|was|were|had)(?:n['’]?t)?\b/i
const PERFECT =
  /(?:\b(?:have|has)(?:n['’]?t| not| never)|['’]ve (?:not|never)|['’]s never)\b(?! (?:got|an?|any|the|my|our)\b)/i
const BE = /\b(?:am|is|are|be|been|isn['’]?t|aren['’]?t|get|got)\b|['’](?:m|re|s)\b/i
const ENDED_WORD = /\b\p{L}{2,}ed\b/iu
/** What holds for a while, or not until later. */
const PASSING =
  /\byet\b|\bso far\b|\b(?:today|tonight|tomorrow|yesterday)\b|\b(?:this|next|last) (?:week|weekend|month|year|term|morning|afternoon|evening)\b/i
/** The day that was put behind the words it was said in. */
const DATE_NOTE = /\([^)]*\d{4}\)/g

/** Whether of two statements one says of the same things what the other denies: "I eat meat", "I do not eat meat". */
export function isDenied(one: string, other: string): boolean {
  if (!isOfOneTime(one, other) || isBygone(one) || isBygone(other)) return false
  if (!isOtherPolarity(one, other)) return false
  const [mine, theirs] = [withoutNegations(one), withoutNegations(other)]
  return isSameThings(termsOf(mine), termsOf(theirs)) && !isOtherTense(mine, theirs)
}

/** Whether two statements tell different numbers of the same: "I have two children", "I have three children". */
export function isOtherNumber(one: string, other: string): boolean {
  if (!HAS_NUMBER.test(one) || !HAS_NUMBER.test(other) || !isOfOneTime(one, other)) return false
  const [mine, theirs] = [termsOf(one), termsOf(other)]
  const [number, otherNumber] = [mine.filter(isNumber), theirs.filter(isNumber)]
  return (
    isSameThings(
      mine.filter((term) => !isNumber(term)),
      theirs.filter((term) => !isNumber(term))
    ) &&
    number.length === 1 &&
    otherNumber.length === 1 &&
    number[0] !== otherNumber[0]
  )
}

/** "I don't hate jazz" denies "I hate jazz", but neither "I don't like jazz" nor "I love jazz". */
function isOtherPolarity(one: string, other: string): boolean {
  const [mine, theirs] = [polarityOf(one), polarityOf(other)]
  if (mine === theirs) return false
  if (mine !== 'double' && theirs !== 'double') return true
  const [double, plain] = mine === 'double' ? [one, other] : [other, one]
  const [denied] = negationsIn(plain)
  return (
    denied !== undefined &&
    negationsIn(double)
      .slice(1)
      .some((word) => stemWord(word) === stemWord(denied))
  )
}

function isOfOneTime(one: string, other: string): boolean {
  const notes = (text: string) => (text.match(DATE_NOTE) ?? []).join()
  return (
    !PASSING.test(withoutEnding(one)) && !PASSING.test(withoutEnding(other)) && notes(one) === notes(other)
  )
}

function isBygone(text: string): boolean {
  if (BYGONE.test(text) || PERFECT.test(text)) return true
  const words = splitWords(text).filter((word) => !isStopWord(word))
  // "Ate" is of "eat", and "smoked" without "am" or "is" of "smoke".
  const isPast = words.some((word) => word.length > 2 && isOtherWord(word, stemWord(word)))
  return isPast || (!BE.test(text) && ENDED_WORD.test(withoutNegations(text)))
}

function isOtherTense(one: string, other: string): boolean {
  const words = (text: string) => new Map(splitWords(text).map((word) => [stemWord(word), word]))
  const theirs = words(other)
  return [...words(one)].some(([stem, word]) => {
    const form = theirs.get(stem)
    return form !== undefined && (isOtherWord(word, form) || word.endsWith('ed') !== form.endsWith('ed'))
  })
}

function isOtherWord(word: string, form: string): boolean {
  return word.slice(0, 3) !== form.slice(0, 3)
}

function isSameThings(mine: string[], theirs: string[]): boolean {
  return (
    mine.length > 0 && mine.every((term) => isIn(term, theirs)) && theirs.every((term) => isIn(term, mine))
  )
}

function withoutNegations(text: string): string {
  return withoutEnding(text).replace(new RegExp(NEGATION, 'gi'), ' ')
}

function withoutEnding(text: string): string {
  return text.replace(/\b(?:no longer|any ?more|these days|nowadays|now)\b/gi, ' ')
}

function isNumber(term: string): boolean {
  return /^\d+$/.test(term)
}
