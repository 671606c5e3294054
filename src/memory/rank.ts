import { analyzeTerms } from '../search/analyze.ts'
import type { Candidate } from './candidates.ts'
import type { RecallItem } from './schemas.ts'

/** How much each way counts beside the others: vectors of meaning more than vectors of words, which tell little new. */
const LEXICAL = 0.6
const SEMANTIC_VECTOR = 0.4
const WORD_VECTOR = 0.1
/** The entity way: a message by the one person the query names counts this much more. */
const SPEAKER = 1
/** A message gains this share of the best match in its conversation: what was talked about around it counts. */
const CONVERSATION = 0.2
/** A memory is the distilled fact, a message only what was said: of two equal matches the memory stands first. */
const MEMORY_BONUS = 0.25
/** Importance and pins bend the order by at most this much; they never let in what does not match. */
const IMPORTANCE_BEND = 0.1
/** Below this match nothing is recalled: better no memory than a wrong one. */
const CUT_OFF = 0.09
/** What counts as matched by a way. */
const LEXICAL_MATCH = 0.05
const SIMILAR = 0.2

/** Shares of the match, together 1: a way that did not look must not make every match look weak. */
interface Weights {
  lexical: number
  vector: number
}

interface Scored {
  candidate: Candidate
  score: number
}

/** The ways that looked. */
export interface WaysUsed {
  lexical: boolean
  vector: boolean
  /** Whether the vectors know meaning. */
  semantic: boolean
}

/** The candidates worth recalling, best first. A message that a recalled memory was taken from is not said twice. */
export function rankCandidates(
  query: string,
  candidates: Candidate[],
  used: WaysUsed,
  limit: number
): RecallItem[] {
  const weights = weighWays(used)
  const named = findNamedSpeaker(query, candidates)
  const matching = candidates
    .map((candidate) => ({ candidate, score: matchOf(candidate, named, weights) }))
    .filter(({ score }) => score >= CUT_OFF)
  const ranked = addContext(matching).sort(
    (a, b) => b.score - a.score || (a.candidate.id < b.candidate.id ? 1 : -1)
  )
  const told = new Set(ranked.flatMap(({ candidate }) => candidate.sourceIds ?? []))
  return ranked
    .filter(({ candidate }) => candidate.kind === 'memory' || !told.has(candidate.id))
    .slice(0, limit)
    .map(toItem)
}

function weighWays({ lexical, vector, semantic }: WaysUsed): Weights {
  const words = lexical ? LEXICAL : 0
  const likeness = vector ? (semantic ? SEMANTIC_VECTOR : WORD_VECTOR) : 0
  const total = words + likeness || 1
  return { lexical: words / total, vector: likeness / total }
}

/** How well a candidate fits the query by itself, 0 to about 1. */
function matchOf(
  { lexical, similarity, speaker, importance, pinned }: Candidate,
  named: string | null,
  weights: Weights
): number {
  const match = weights.lexical * Math.min(lexical ?? 0, 1) + weights.vector * Math.max(similarity ?? 0, 0)
  const bend = pinned ? 1 : (importance ?? 0.5)
  const said = named !== null && speaker === named ? 1 + SPEAKER : 1
  return match * said * (1 + IMPORTANCE_BEND * (2 * bend - 1))
}

function addContext(matching: Scored[]): Scored[] {
  const best = new Map<string, number>()
  for (const { candidate, score } of matching) {
    const { conversationId } = candidate
    if (conversationId) best.set(conversationId, Math.max(best.get(conversationId) ?? 0, score))
  }
  return matching.map(({ candidate, score }) => {
    const { conversationId } = candidate
    const context = conversationId ? CONVERSATION * (best.get(conversationId) ?? 0) : MEMORY_BONUS * score
    return { candidate, score: score + context }
  })
}

/** The one speaker the query names; null when it names none or several. */
function findNamedSpeaker(query: string, candidates: Candidate[]): string | null {
  const asked = new Set(analyzeTerms(query))
  const speakers = new Set(candidates.flatMap(({ speaker }) => speaker ?? []))
  const named = [...speakers].filter((speaker) => analyzeTerms(speaker).some((term) => asked.has(term)))
  return named.length === 1 ? (named[0] ?? null) : null
}

function toItem({ candidate, score }: Scored): RecallItem {
  return {
    kind: candidate.kind,
    id: candidate.id,
    text: candidate.text,
    // The speaker's and the conversation's gain can lift a perfect match to about twice itself.
    score: Math.round(Math.min(score, 1) * 1000) / 1000,
    matchedBy: waysOf(candidate),
    at: candidate.at.toISOString(),
    ...(candidate.conversationId ? { conversationId: candidate.conversationId } : {})
  }
}

function waysOf({ lexical, similarity }: Candidate): RecallItem['matchedBy'] {
  return [
    ...((similarity ?? 0) >= SIMILAR ? ['vector' as const] : []),
    ...((lexical ?? 0) >= LEXICAL_MATCH ? ['lexical' as const] : [])
  ]
}
