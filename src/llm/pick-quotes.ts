import { analyzeTerms } from '../search/analyze.ts'
import { weighTerm } from './common-words.ts'
import type { PromptSource } from './model.ts'

const MAX_QUOTES = 3
const MAX_QUOTE_LENGTH = 300
const MAX_SOURCE_LENGTH = 20_000
/** A recall this sure needs no shared word: the vectors may know what the words do not show. */
const STRONG_SCORE = 0.85
/** Of the weight of what was asked, how much a sentence must share when it shares one term only. */
const LEAST_COVERAGE = 0.25
/** A quote this much worse than the best one is beside the point. */
const LEAST_OF_BEST = 0.6
/** Words that ask for recall and are not what is asked about. */
const ASKING_TERMS = new Set(
  analyzeTerms('know known remember recall remind tell told say said show find list search')
)

/** A question with no content of its own ("Who am I?") is answered only when it asks about the owner. */
const ABOUT_OWNER = /\b(?:i|me|my|mine|myself|we|us|our|ours)\b/i

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' })

export interface Quote {
  source: PromptSource
  text: string
}

interface Candidate extends Quote {
  terms: Set<string>
  rank: number
}

/** The sentences that answer a question best, one of each source, best first; none when nothing fits. */
export function pickQuotes(question: string, sources: PromptSource[]): Quote[] {
  const asked = new Set(analyzeTerms(question).filter((term) => !ASKING_TERMS.has(term)))
  if (asked.size === 0 && !ABOUT_OWNER.test(question)) return []
  const fresh = sources.filter(
    ({ kind, text }) => text.trim() !== question.trim() && (asked.size > 0 || kind !== 'passage')
  )
  // Quoting a reply quotes a quote, so the owner's own words go first, and of these what still holds.
  const said = fresh.filter(({ role }) => role !== 'assistant')
  const holding = said.filter(({ status }) => status !== 'superseded')
  const candidates =
    [holding, said, fresh].map((some) => rank(some, asked)).find(({ length }) => length > 0) ?? []
  const least = (candidates[0]?.rank ?? 0) * LEAST_OF_BEST
  const picked: Candidate[] = []
  for (const candidate of candidates) {
    if (picked.length === MAX_QUOTES || candidate.rank < least) break
    if (!picked.some((other) => saysTheSame(other.terms, candidate.terms))) picked.push(candidate)
  }
  return picked.map(({ source, text }) => ({ source, text }))
}

function rank(sources: PromptSource[], asked: Set<string>): Candidate[] {
  return sources
    .map((source) => findBestSentence(source, asked))
    .filter((candidate) => candidate !== null)
    .toSorted((a, b) => b.rank - a.rank)
}

function findBestSentence(source: PromptSource, asked: Set<string>): Candidate | null {
  let best: Candidate | null = null
  for (const text of splitSentences(source.text)) {
    const terms = new Set(analyzeTerms(text))
    const shared = [...asked].filter((term) => terms.has(term))
    const coverage = asked.size > 0 ? sumWeights(shared) / sumWeights([...asked]) : 0
    const fits =
      asked.size === 0 || shared.length > 1 || coverage >= LEAST_COVERAGE || source.score >= STRONG_SCORE
    const rank = coverage + source.score / 4
    // Of equals the first: an opening sentence stands better alone.
    if (fits && rank > (best?.rank ?? 0)) best = { source, text: shorten(text), terms, rank }
  }
  return best
}

/** A question is no answer to a question, so those are left out. */
export function splitSentences(text: string): string[] {
  return text
    .slice(0, MAX_SOURCE_LENGTH)
    .split(/[\r\n]+/)
    .flatMap((line) => Array.from(sentences.segment(line), ({ segment }) => segment.trim()))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence) && !/[?？؟]["'”’)]*$/u.test(sentence))
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  if (line.length <= MAX_QUOTE_LENGTH) return line
  const cut = line
    .slice(0, MAX_QUOTE_LENGTH)
    .toWellFormed()
    .replace(/\ufffd$/, '')
  const lastSpace = cut.lastIndexOf(' ')
  return `${cut.slice(0, lastSpace > 0 ? lastSpace : cut.length)} …`
}

/** One holds all terms of the other. A single other term may be another fact: "in Oslo", "in Bergen". */
function saysTheSame(a: Set<string>, b: Set<string>): boolean {
  const [smaller, larger] = a.size < b.size ? [a, b] : [b, a]
  return [...smaller].every((term) => larger.has(term))
}

function sumWeights(terms: string[]): number {
  return terms.reduce((sum, term) => sum + weighTerm(term), 0)
}
