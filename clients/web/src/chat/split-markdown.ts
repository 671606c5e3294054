/** Where code begins, at the start of a line or of an item; marks that end in the same line are a phrase in a paragraph. */
const FENCE = /^\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}(?!.*`)|~{3,})/
/** A line that, after an empty one, begins a new block whatever came before: not indented, not an item of a list. */
const FRESH_START = /^(?![-*+](\s|$)|\d{1,9}[.)](\s|$))\S/
/** A definition may be used anywhere in the text, so such a text stays whole. */
const DEFINITION = /^ {0,3}\[[^\]]+\]:/m

/**
 * Cuts Markdown where a part means the same alone as in the whole. While a reply streams, only its last part changes,
 * and a long reply must not be parsed and highlighted again for every word.
 */
export function splitMarkdown(text: string): string[] {
  if (DEFINITION.test(text)) return [text]
  const parts: string[] = []
  let part: string[] = []
  let fence = ''
  let afterEmpty = false
  for (const line of text.split('\n')) {
    if (fence === '' && afterEmpty && FRESH_START.test(line)) {
      parts.push(part.join('\n'))
      part = []
    }
    const marker = FENCE.exec(line)?.[1] ?? ''
    if (fence === '') fence = marker
    // A fence is closed by as many of its own marks or more, and nothing behind them.
    else if (marker.startsWith(fence) && line.trim() === marker) fence = ''
    afterEmpty = line.trim() === ''
    part.push(line)
  }
  return [...parts, part.join('\n')]
}
