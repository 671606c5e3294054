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
  /(?:\b(?:dr|mr|mrs|ms|prof|st|mt|vs|approx|inc|ltd|jr|sr|e\.g|i\.e|esp|dept|incl)|\b[A-Z])\.$/i
const SENTENCE_END = /(?<=[.!?…]["”')]*|\p{Extended_Pictographic}|\s[:;][)(DP])\s+(?=\S)/gu
const SUBJECT = `(?:(?:i|i['’]m|i['’]ve|im|ive|we|we['’]re|we['’]ve|he|she|they|he['’]s|she['’]s|they['’]re|my|our|mine['’]s)\\s|(?:her|his|their)\\s\\p{L}+(?=['’]s\\s|\\s(?:is|are|was)\\s))`
/** "Viktor, my husband, cooks": what stands between the commas begins no clause. */
const APPOSITION = `(?:my|our)\\s[\\w-]+(?:\\s[\\w-]+)?\\s*[,.)]`
const REQUEST = `(?:give|make|write|draft|any|which|what|whats|what['’]s|how|how['’]s|where|when|who|why|keep|let['’]s|remind|find|help|suggest|recommend|plan|tell|show|translate|fix|redo)\\s|(?:can|could|should|shall|would|do|does|will|is|are|did)\\s(?:i|you|u|we|it|there|that|this)\\b`
/** Where one clause ends and another subject begins. */
const CLAUSE_END = new RegExp(
  `\\s*(?:;|\\s[-–—]+\\s|:\\s(?=(?:i|we|my|our)\\b)|\\.\\.+\\s|,?\\s(?:and|but|so|because|bc|cos|since|as|&|while|though)\\s(?=(?:now\\s)?(?:${SUBJECT}|${REQUEST}))|,\\s(?!${APPOSITION})(?=(?:and\\s|but\\s|so\\s)?(?:${SUBJECT}|${REQUEST}|\\p{Ll}+ is (?:called|named)\\b)))\\s*`,
  'giu'
)
/** "I'm not retired, I just took a break" says one thing. */
const CORRECTED =
  /^(?:[\w\s]+:\s)?(?:(?:no|and|but|well),?\s)*(?:i(?:['’]m| am) not|i don['’]?t have|i never|we(?:['’]re| are) not)\b(?!.*\b(?:vegan|allergic|religious)\b)/i

/** The sentences that are their writer's own words. */
export function sentencesOf(message: string): Stretch[] {
  const text = message.length > MAX_CHARACTERS ? message.slice(0, message.indexOf('\n') + 1) : message
  const foreign = findForeign(text)
  const sentences: Stretch[] = []
  let lineStart = 0
  for (const line of text.split('\n')) {
    for (const { text: sentence, start } of splitAt(line, SENTENCE_END, (before) =>
      ABBREVIATION.test(before)
    )) {
      const at = lineStart + start
      const own = ownPart({ text: sentence.trimEnd(), start: at }, foreign)
      if (own.text && own.text.length <= MAX_SENTENCE) sentences.push(own)
    }
    lineStart += line.length + 1
  }
  return sentences
}

/** A sentence up to where somebody else's words begin. */
function ownPart({ text, start }: Stretch, foreign: Span[]): Stretch {
  const span = foreign.find(([from, to]) => start < to && start + text.length > from)
  if (!span) return { text, start }
  return { text: text.slice(0, Math.max(span[0] - start, 0)).replace(/[\s:("“«„]+$/, ''), start }
}

/** The parts of a sentence that have a subject of their own. */
export function clausesOf(sentence: Stretch): Stretch[] {
  const clauses: Stretch[] = []
  for (const { text, start } of splitAt(
    sentence.text,
    CLAUSE_END,
    (before) => isInBrackets(before) || isHalfSubject(before)
  )) {
    const last = clauses.at(-1)
    if (last && CORRECTED.test(last.text)) {
      last.text = sentence.text.slice(last.start - sentence.start, start + text.length)
    } else clauses.push({ text, start: sentence.start + start })
  }
  return clauses
}

/** "Ada and I" is one subject. */
function isHalfSubject(before: string): boolean {
  return /(?:^|[,;.]\s|\b(?:since|because|that|as|so|but|well|when)\s)(?:(?:my|our)\s)?(?!i\b|we\b|he\b|she\b|it\b|they\b|yes\b|no\b|thanks\b|thx\b|hi\b|hello\b|great\b|ok\b|okay\b)\p{L}{3,}$/iu.test(
    before
  )
}

function isInBrackets(before: string): boolean {
  return before.lastIndexOf('(') > before.lastIndexOf(')')
}

function splitAt(text: string, separator: RegExp, isNone: (before: string) => boolean): Stretch[] {
  const parts: Stretch[] = []
  let from = 0
  const push = (to: number) => {
    const part = text.slice(from, to)
    const trimmed = part.trim()
    if (trimmed) parts.push({ text: trimmed, start: from + part.indexOf(trimmed) })
  }
  for (const match of text.matchAll(separator)) {
    if (match.index < from || isNone(text.slice(from, match.index))) continue
    push(match.index)
    from = match.index + match[0].length
  }
  push(text.length)
  return parts
}

/** Shouting hides who is a name. */
export function calm({ text, start }: Stretch): Stretch {
  const isShouted = text.length > 10 && text === text.toUpperCase() && text !== text.toLowerCase()
  const lower = text.toLowerCase()
  return isShouted && lower.length === text.length ? { text: lower, start } : { text, start }
}
