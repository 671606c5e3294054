import { analyzeTerms } from '../../search/analyze.ts'

/** What stands in place of forgotten words. */
export const FORGOTTEN = '[forgotten]'

/** Words that say so little would be found everywhere: they are taken out where they were told, and nowhere else. */
const LEAST_TERMS = 2
/** A long number is nobody else's; a year or a short one is. */
const CODE = /\d{6,}/
/** A sentence that holds this share of the fact repeats it in other words. */
const REPEAT_SHARE = 0.6
const TOKEN = /[\p{L}\p{M}\p{N}]+/gu
/** Scripts without spaces have no word boundaries to look for. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u
const ASCII = /^[ -~\n]*$/
/** Of words too few to look for. */
const NOTHING = { isIn: () => false, spansIn: (): Span[] => [], takeOutOf: (text: string) => text }
/** Where a statement begins that stands for itself … */
const BEGINNING = '(?:^|[.!?:;…]|\\b(?:know|remember|note|said) that\\s)[^\\p{L}\\p{M}\\p{N}]*'
/** … and where it ends. */
const END = '(?=[^\\p{L}\\p{M}\\p{N}]*(?:$|[.!?;…]))'
const sentences = new Intl.Segmenter('en', { granularity: 'sentence' })
const letters = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** From, and up to but without, in UTF-16 units. */
export type Span = [start: number, end: number]

/** The words of facts that are to be forgotten, whatever their case, spacing and punctuation. */
export interface ForgottenWords {
  /** Whether a text holds them. */
  isIn(text: string): boolean
  /** Where they stand in a text. */
  spansIn(text: string): Span[]
  /** A text without them. */
  takeOutOf(text: string): string
  /** Where the sentences stand that say a fact in other words, or cite it by one of these numbers. */
  repeatsIn(text: string, cited: number[]): Span[]
}

/** Of statements, each of which says a fact as a whole: a part of one, such as a name or a year, tells other things too. */
export function createForgottenWords(statements: string[]): ForgottenWords {
  const facts = statements.filter(isTelling)
  const factTerms = facts.map((fact) => new Set(analyzeTerms(fact)))
  const repeats = (text: string): boolean => {
    const held = termsOf(text)
    return factTerms.some((terms) => shareOf(terms, held) >= REPEAT_SHARE)
  }
  const patterns = [...new Set(facts.flatMap((words) => [words, words.normalize('NFKC')]))].map(patternFor)
  if (patterns.length === 0) return { ...NOTHING, repeatsIn }
  // Longest first, so that of two that begin alike the whole of the longer is found.
  const pattern = patterns.toSorted((a, b) => b.length - a.length).join('|')
  const first = new RegExp(pattern, 'iu')
  const all = new RegExp(pattern, 'giu')
  const least = Math.min(...facts.map((words) => (words.match(TOKEN) ?? []).join(' ').length))
  const matchesIn = (text: string): Span[] =>
    Array.from(text.matchAll(all), ({ index, 0: { length } }) => [index, index + length])
  /** A purge asks this of every text there is, most of which are single terms. */
  const isIn = (text: string): boolean => {
    if (ASCII.test(text)) return text.length >= least && first.test(text)
    return first.test(text) || first.test(text.normalize('NFKC'))
  }
  const spansIn = (text: string): Span[] => {
    const spans = matchesIn(text)
    if (!isIn(takeOut(text, spans).text)) return spans
    const { plain, placeOf } = toPlain(text)
    const more = matchesIn(plain).map(([start, end]): Span => [placeOf(start), placeOf(end)])
    return mergeSpans([...spans, ...more])
  }

  return { isIn, spansIn, takeOutOf: (text) => takeOut(text, spansIn(text)).text, repeatsIn }

  function repeatsIn(text: string, cited: number[]): Span[] {
    // No sentence holds more of it than all of them.
    if (cited.length === 0 && !repeats(text)) return []
    return Array.from(sentences.segment(text), ({ index, segment }): Span[] => {
      const isRepeat = cited.some((number) => segment.includes(`[${number}]`)) || repeats(segment)
      const end = index + segment.trimEnd().length
      return isRepeat ? [[index, end]] : []
    }).flat()
  }
}

/** Whether a text makes a statement as a whole, and not only with its words in another one. */
export function isStatedIn(statement: string, text: string): boolean {
  if (!isTelling(statement)) return false
  const pattern = `${BEGINNING}${patternFor(statement.normalize('NFKC'))}${END}`
  return new RegExp(pattern, 'iu').test(text.normalize('NFKC'))
}

/** A text with its letters in their plain forms, and where a place in that is in the text itself. */
function toPlain(text: string): { plain: string; placeOf(place: number): number } {
  const places: number[] = []
  let plain = ''
  for (const { segment, index } of letters.segment(text)) {
    const form = segment.normalize('NFKC')
    for (let unit = 0; unit < form.length; unit++) places.push(index)
    plain += form
  }
  return { plain, placeOf: (place) => places[place] ?? text.length }
}

export interface Shortened {
  text: string
  /** Where a place in the text before is in the text after; inside what was taken out, its beginning. */
  move(place: number): number
}

/** A text with spans of it replaced, and how places in it have moved. */
export function takeOut(text: string, spans: Span[]): Shortened {
  const apart = mergeSpans(spans)
  let result = ''
  let from = 0
  for (const [start, end] of apart) {
    result += text.slice(from, start) + FORGOTTEN
    from = end
  }
  return {
    text: result + text.slice(from),
    move(place) {
      let moved = place
      for (const [start, end] of apart) {
        if (place <= start) break
        moved += place < end ? start - place : FORGOTTEN.length - (end - start)
      }
      return moved
    }
  }
}

/** In order, those that touch made one. */
export function mergeSpans(spans: Span[]): Span[] {
  const merged: Span[] = []
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last && start <= last[1]) last[1] = Math.max(last[1], end)
    else if (end > start) merged.push([start, end])
  }
  return merged
}

function isTelling(words: string): boolean {
  return new Set(analyzeTerms(words)).size >= LEAST_TERMS || CODE.test(words)
}

/** The share of a fact's terms that a text holds. */
function shareOf(terms: Set<string>, held: Set<string>): number {
  return terms.size === 0 ? 0 : [...terms].filter((term) => held.has(term)).length / terms.size
}

/** The last one is kept: a text is held against one fact after the other. */
let analysed = { text: '', terms: new Set<string>() }

function termsOf(text: string): Set<string> {
  if (analysed.text !== text) analysed = { text, terms: new Set(analyzeTerms(text)) }
  return analysed.terms
}

/** The words one after the other, with anything but words between them. */
function patternFor(words: string): string {
  const tokens = words.match(TOKEN) ?? []
  const [first = '', last = ''] = [tokens[0], tokens.at(-1)]
  const between = tokens.join('[^\\p{L}\\p{M}\\p{N}]+')
  const before = UNSPACED.test(first[0] ?? '') ? '' : '(?<![\\p{L}\\p{M}\\p{N}])'
  const after = UNSPACED.test(last.at(-1) ?? '') ? '' : '(?![\\p{L}\\p{M}\\p{N}])'
  return `${before}${between}${after}`
}
