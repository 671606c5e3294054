import { splitSentences } from '../llm/pick-quotes.ts'
import { analyzeTerms } from '../search/analyze.ts'
import type { SpokenMessage } from './summary-store.ts'
import { weighTermsOf } from './telling.ts'

const MAX_SENTENCE = 240
/** Fewer content words than this say too little alone. */
const LEAST_TERMS = 3
/** The owner's own words count for more than the answers to them. */
const OWN_WORDS = 1.5
const SHORT_SENTENCE_TERMS = 4

interface Line {
  text: string
  terms: string[]
  share: number
  order: number
}

/** A conversation in short without a model: of what was told before and of the messages since, the most telling sentences. */
export function extractSummary(before: string, messages: SpokenMessage[], maxCharacters: number): string {
  const lines = [...linesBefore(before), ...messages.flatMap(linesOf)].map((line, order) => ({
    ...line,
    order
  }))
  const weights = weighTermsOf(lines.map(({ terms }) => terms))
  const ranked = lines
    .map((line) => ({ line, worth: worthOf(line, weights) }))
    .sort((a, b) => b.worth - a.worth || a.line.order - b.line.order)
  const kept: Line[] = []
  let left = maxCharacters
  for (const { line } of ranked) {
    if (line.text.length + 1 > left || kept.some((other) => saysNoMore(line, other))) continue
    kept.push(line)
    left -= line.text.length + 1
  }
  return kept
    .sort((a, b) => a.order - b.order)
    .map(({ text }) => text)
    .join('\n')
}

function linesBefore(text: string): Omit<Line, 'order'>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ text: line, terms: analyzeTerms(line), share: OWN_WORDS }))
}

function linesOf({ role, name, content, at }: SpokenMessage): Omit<Line, 'order'>[] {
  const day = at.toISOString().slice(0, 10)
  const speaker = name ?? (role === 'user' ? 'The owner' : 'PAI')
  return splitSentences(content).flatMap((sentence) => {
    const terms = analyzeTerms(sentence)
    if (terms.length < LEAST_TERMS || sentence.length > MAX_SENTENCE) return []
    const text = `${day} ${speaker}: ${sentence.replace(/\s+/g, ' ')}`
    return [{ text, terms, share: role === 'user' ? OWN_WORDS : 1 }]
  })
}

function worthOf({ terms, share }: Line, weights: Map<string, number>): number {
  const distinct = new Set(terms)
  const sum = [...distinct].reduce((total, term) => total + (weights.get(term) ?? 0), 0)
  // Long sentences hold more terms, and are not better for it.
  return (share * sum) / Math.sqrt(distinct.size + SHORT_SENTENCE_TERMS)
}

function saysNoMore(line: Line, other: Line): boolean {
  const known = new Set(other.terms)
  return line.terms.every((term) => known.has(term))
}
