import type { Citation } from '../../chat/schemas.ts'
import { FORGOTTEN, mergeSpans, type Shortened, type Span } from './forgotten-words.ts'
import type { WhatGoes } from './what-goes.ts'

/** A message, as far as it may tell what goes. */
export interface Said {
  id: string
  role: 'user' | 'assistant' | 'system'
  content: string
}

/** Where a message tells what goes: its words, what was quoted from here, and in a reply what repeats it. */
export function findSpans(
  { id, role, content, citations }: Said & { citations: Citation[] },
  { ids, words, sources }: Pick<WhatGoes, 'ids' | 'words' | 'sources'>
): Span[] {
  const spans = words.spansIn(content)
  for (const { messageId, quote, quoteStart } of sources) {
    if (messageId !== id || quote === '') continue
    const start = content.startsWith(quote, quoteStart ?? -1) ? (quoteStart ?? -1) : content.indexOf(quote)
    if (start !== -1) spans.push([start, start + quote.length])
  }
  const cited = citations.filter(({ kind, id: memoryId }) => kind === 'memory' && ids.includes(memoryId))
  const numbers = cited.map(({ index }) => index)
  const repeats = role === 'assistant' ? words.repeatsIn(content, numbers) : []
  return mergeSpans([...spans, ...repeats])
}

/** The citations of what stays, without words that go. */
export function withoutCitations(
  citations: Citation[],
  { ids, words }: Pick<WhatGoes, 'ids' | 'words'>
): Citation[] {
  return citations
    .filter(({ kind, id }) => kind !== 'memory' || !ids.includes(id))
    .map((citation) => ({ ...citation, quote: words.takeOutOf(citation.quote) }))
}

/** A quote of a message that was shortened: it follows the words it points at. */
export function moveQuote(
  { text, move }: Shortened,
  quote: string,
  quoteStart: number
): { quote: string; quoteStart: number } {
  const start = move(quoteStart)
  // Where the quote began or ended inside what was taken out, the mark that stands there is a part of it.
  const end = Math.max(move(quoteStart + quote.length), endOfMark(text, move(quoteStart + quote.length - 1)))
  return { quote: text.slice(start, end), quoteStart: start }
}

function endOfMark(text: string, place: number): number {
  return text.startsWith(FORGOTTEN, place) ? place + FORGOTTEN.length : place + 1
}
