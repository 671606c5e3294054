import { findForeign, type Span } from './foreign.ts'

/** A stretch of a message, and where it begins. */
export interface Stretch {
  text: string
  start: number
}

/** A longer message is mostly something pasted, which is not about its owner: only its first line is read. */
const MAX_CHARACTERS = 4_000
const MAX_SENTENCE = 400
/** A full stop after these ends no sentence. */
const ABBREVIATION =
  /(?:\b(?:dr|mr|mrs|ms|prof|st|mt|vs|approx|ca|no|nr|inc|ltd|jr|sr|e\.g|i\.e|esp|tel|min|max|dept|ave)|\b[A-Z])\.$/i
const SENTENCE_END = /(?<=[.!?…]["”')]*|\p{Extended_Pictographic}|\s[:;][)(DP])\s+(?=\S)/gu
/** Where one clause ends and another subject begins. */
const CLAUSE_END =
  /\s*(?:;|\s[-–—]+\s|:\s(?=(?:i|we|my|our)\b)|\.\.+\s|,?\s(?:and|but|so|because|bc|cos|since|as|&|while|though)\s(?=(?:now\s)?(?:i|i['’]m|i['’]ve|im|ive|we|we['’]re|we['’]ve|my|our|he|she|they|he['’]s|she['’]s|they['’]re)\s)|,\s(?=(?:and\s|but\s|so\s)?(?:i|i['’]m|i['’]ve|im|ive|we|we['’]re|we['’]ve|my|our|he|she|they|he['’]s|she['’]s|they['’]re|it['’]s|give|make|write|draft|any|which|what|how|can|could|keep)\s))\s*/gi

/** The sentences that are their writer's own words. */
export function sentencesOf(message: string): Stretch[] {
  const text = message.length > MAX_CHARACTERS ? message.slice(0, message.indexOf('\n') + 1) : message
  const foreign = findForeign(text)
  const sentences: Stretch[] = []
  let lineStart = 0
  for (const line of text.split('\n')) {
    for (const { text: sentence, start } of splitAt(line, SENTENCE_END, ABBREVIATION)) {
      const at = lineStart + start
      const own = { text: sentence.trimEnd(), start: at }
      if (own.text && own.text.length <= MAX_SENTENCE && !isWithin(own, foreign)) sentences.push(own)
    }
    lineStart += line.length + 1
  }
  return sentences
}

/** A sentence that reports somebody's words is theirs as a whole; one that only names a title is not. */
function isWithin({ text, start }: Stretch, foreign: Span[]): boolean {
  return foreign.some(([from, to]) => start < to && start + text.length > from)
}

/** The parts of a sentence that have a subject of their own. */
export function clausesOf(sentence: Stretch): Stretch[] {
  return splitAt(sentence.text, CLAUSE_END).map(({ text, start }) => ({
    text,
    start: sentence.start + start
  }))
}

function splitAt(text: string, separator: RegExp, unless?: RegExp): Stretch[] {
  const parts: Stretch[] = []
  let from = 0
  const push = (to: number) => {
    const part = text.slice(from, to)
    const trimmed = part.trim()
    if (trimmed) parts.push({ text: trimmed, start: from + part.indexOf(trimmed) })
  }
  for (const match of text.matchAll(separator)) {
    if (match.index < from || unless?.test(text.slice(from, match.index))) continue
    push(match.index)
    from = match.index + match[0].length
  }
  push(text.length)
  return parts
}
