/** Which parts of a message are not its writer's own words: quotations, quoted lines, code, and what is pasted below a line. */

/** A shorter pair of quotation marks names something ("the Ferrante thing", a title); a longer one repeats somebody. */
const MAX_TITLE_WORDS = 5
const PASTE_LINE =
  /^\s*(?:[-=_*]{3,}|(?:from|to|subject|date|sent):.*|begin forwarded message.*|-+ ?original message.*)\s*$/i
/** "Forwarded message from Kari: …", "Fwd: …": what follows is theirs, from the same line on. */
const PASTE_LEAD =
  /^\s*(?:fwd?|(?:(?:an?|the|this) )?(?:(?:forwarded|pasted|copied) )?(?:message|e-?mail|mail|letter) from\b[^:\n]{1,60}|(?:forwarded|pasted|copied)(?: (?:message|e-?mail|mail|letter|text))?)\s*:/i

const PAIRS = [
  ['„', '“'],
  ['"', '"'],
  ['“', '”'],
  ['«', '»']
] as const

/** From and to, in UTF-16 units. */
export type Span = [start: number, end: number]

export function isForeign(text: string, start: number, length: number): boolean {
  return findForeign(text).some(([from, to]) => start < to && start + length > from)
}

/** The spans of a message that are somebody else's words, in order. */
export function findForeign(text: string): Span[] {
  return [...quotedLines(text), ...quotations(text), ...singleQuotations(text)].sort(([a], [b]) => a - b)
}

function* quotedLines(text: string): Iterable<Span> {
  let start = 0
  let fenced = false
  let pastedFrom = -1
  for (const line of text.split('\n')) {
    const end = start + line.length
    const isFence = /^\s*(?:```|~~~)/.test(line)
    if (isFence || fenced || /^\s*>/.test(line)) yield [start, end]
    if (isFence) fenced = !fenced
    // A header or a rule with text below it begins something pasted, to the end.
    else if (pastedFrom === -1 && !fenced && beginsPaste(line, end < text.length)) pastedFrom = start
    start = end + 1
  }
  if (pastedFrom !== -1) yield [pastedFrom, text.length]
}

function beginsPaste(line: string, hasTextBelow: boolean): boolean {
  return PASTE_LEAD.test(line) || (hasTextBelow && PASTE_LINE.test(line))
}

function* quotations(text: string): Iterable<Span> {
  const closed = new Set<number>()
  for (const [open, close] of PAIRS) {
    let from = text.indexOf(open)
    while (from !== -1) {
      const to = text.indexOf(close, from + 1)
      // One that never ends goes on to the end of the message.
      const end = to === -1 ? text.length : to + 1
      // What closes „these“ opens “those”.
      if (!closed.has(from) && (to === -1 || isSpeech(text.slice(from + 1, to)))) yield [from, end]
      closed.add(end - 1)
      from = text.indexOf(open, end)
    }
  }
}

/** Single marks are apostrophes as well: they quote only where they stand around words, not in them. */
function* singleQuotations(text: string): Iterable<Span> {
  for (const match of text.matchAll(/(?<=^|[\s(:,])['‘](?=\p{L})([^\n]{8,}?)['’](?=$|[\s.,;:?!)])/gu)) {
    if (isSpeech(match[1] ?? '')) yield [match.index, match.index + match[0].length]
  }
}

function isSpeech(quoted: string): boolean {
  const words = quoted.trim().split(/\s+/)
  return (
    words.length > MAX_TITLE_WORDS ||
    /[.!?]$/.test(quoted.trim()) ||
    /^(?:I|I['’]m|My)\b/.test(words[0] ?? '')
  )
}
