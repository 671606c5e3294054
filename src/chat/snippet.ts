import { analyzeTerms } from '../search/analyze.ts'

/** Where words stand in a text, in UTF-16 units, the end not included. */
export interface Highlight {
  start: number
  end: number
}

export interface Snippet {
  text: string
  highlights: Highlight[]
}

/** So much of a message is shown, and so much of it stands before the first word that was looked for. */
const SNIPPET = 200
const BEFORE = 40
/** What lies past this is not looked through. */
const MAX_TEXT = 100_000
const MAX_HIGHLIGHTS = 200
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*/gu
/** Scripts without spaces are searched by pairs of characters. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u

/** Whether a word is one that is looked for. */
export type IsLookedFor = (word: string) => boolean

/** Knows the words of a query's terms. Texts repeat their words, and each is taken apart once. */
export function looksFor(terms: ReadonlySet<string>): IsLookedFor {
  const known = new Map<string, boolean>()
  return (word) => {
    let answer = known.get(word)
    if (answer === undefined) {
      answer = analyzeTerms(word).some((term) => terms.has(term))
      known.set(word, answer)
    }
    return answer
  }
}

/** Where the words of a text stand that are looked for. */
export function findHighlights(text: string, isLookedFor: IsLookedFor): Highlight[] {
  const found: Highlight[] = []
  for (const { 0: word, index } of text.slice(0, MAX_TEXT).matchAll(WORD)) {
    if (found.length >= MAX_HIGHLIGHTS) break
    for (const { start, end } of UNSPACED.test(word) ? pairsOf(word) : [{ start: 0, end: word.length }]) {
      if (!isLookedFor(word.slice(start, end))) continue
      const last = found.at(-1)
      if (last && last.end >= index + start) last.end = index + end
      else found.push({ start: index + start, end: index + end })
    }
  }
  return found
}

function pairsOf(word: string): Highlight[] {
  return Array.from({ length: Math.max(word.length - 1, 1) }, (_, start) => ({
    start,
    end: Math.min(start + 2, word.length)
  }))
}

/** The part of a text that shows most of what was looked for; its beginning where nothing of it does. */
export function takeSnippet(text: string, isLookedFor: IsLookedFor): Snippet {
  const found = findHighlights(text, isLookedFor)
  const shownFrom = (start: number) =>
    found.filter((one) => one.start >= start && one.end <= start - BEFORE + SNIPPET)
  const best = found.reduce(
    (most, { start }) => (shownFrom(start).length > shownFrom(most).length ? start : most),
    found[0]?.start ?? 0
  )
  const start = best <= BEFORE ? 0 : cutAt(text, best - BEFORE, best)
  const end = start + SNIPPET >= text.length ? text.length : cutAt(text, start + SNIPPET, start)
  const [before, after] = [start > 0 ? '…' : '', end < text.length ? '…' : '']
  const shift = before.length - start
  return {
    text: `${before}${text.slice(start, end)}${after}`,
    highlights: found
      .filter((one) => one.start >= start && one.end <= end)
      .map((one) => ({ start: one.start + shift, end: one.end + shift }))
  }
}

/** The nearest place towards `towards` where no word is cut; where a word is longer than that, one inside no character. */
function cutAt(text: string, place: number, towards: number): number {
  const step = towards > place ? 1 : -1
  for (let at = place; Math.abs(at - place) < BEFORE && at !== towards; at += step) {
    if (/\s/.test(text.charAt(step > 0 ? at - 1 : at))) return at
  }
  const isInside =
    /[\ud800-\udbff]/.test(text.charAt(place - 1)) && /[\udc00-\udfff]/.test(text.charAt(place))
  return isInside ? place + step : place
}
