import { analyzeTerms } from './analyze.ts'

/** BM25's constants (Robertson and Zaragoza, 2009), low because the texts are short and of like length. */
const K1 = 0.9
const B = 0.3
/** Distinct terms kept of one text: the tail of a very long one says little about it. */
const MAX_TERMS = 400

/** The empty term counts the texts themselves. */
export const EVERY_TEXT = ''

export interface WeightedTerm {
  term: string
  weight: number
}

/** A part of what is indexed as one text, and how much its words count. */
export interface TextPart {
  text: string
  share: number
}

/**
 * The terms of a text with the part of BM25 that depends on the text alone: tf(k1+1) / (tf + k1(1-b+b·length/pivot)).
 * `pivotLength`, in terms, stands for the average length, fixed so that a text's weights never go stale. The other part,
 * the inverse document frequency, is the owner's and is taken at query time.
 */
export function weighTerms(parts: TextPart[], pivotLength: number): WeightedTerm[] {
  const frequencies = new Map<string, number>()
  let length = 0
  for (const { text, share } of parts) {
    for (const term of analyzeTerms(text)) {
      frequencies.set(term, (frequencies.get(term) ?? 0) + share)
      length += share
    }
  }
  const norm = K1 * (1 - B + (B * length) / pivotLength)
  const weighed = [...frequencies]
    .slice(0, MAX_TERMS)
    .map(([term, frequency]) => ({ term, weight: (frequency * (K1 + 1)) / (frequency + norm) }))
  return [{ term: EVERY_TEXT, weight: 0 }, ...weighed]
}
