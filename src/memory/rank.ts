import type { Candidate } from './candidates.ts'
import type { RecallItem } from './schemas.ts'

/** How much each way counts in the fused score. Exact words tell more than likeness, and both together most. */
const LEXICAL = 0.6
const VECTOR = 0.4
/** A memory is the distilled fact, a message only what was said: of two equal matches the memory stands first. */
const MEMORY_BONUS = 0.05
/** Importance and pins bend the order by at most this much; they never let in what does not match. */
const IMPORTANCE_BEND = 0.1
/** Below this nothing is recalled: better no memory than a wrong one. */
const CUT_OFF = 0.12
/** What counts as matched by a way. */
const LEXICAL_MATCH = 0.05
const SIMILAR = 0.2

/** The fused score of a candidate, 0 to about 1. */
function scoreOf({ lexical, similarity, kind, importance, pinned }: Candidate): number {
  const match = LEXICAL * Math.min(lexical ?? 0, 1) + VECTOR * Math.max(similarity ?? 0, 0)
  const bend = pinned ? 1 : (importance ?? 0.5)
  return (
    match * (1 + IMPORTANCE_BEND * (2 * bend - 1)) +
    (kind === 'memory' && match >= CUT_OFF ? MEMORY_BONUS : 0)
  )
}

/** The candidates worth recalling, best first. A message that a recalled memory was taken from is not said twice. */
export function rankCandidates(candidates: Candidate[], limit: number): RecallItem[] {
  const scored = candidates
    .map((candidate) => ({ candidate, score: scoreOf(candidate) }))
    .filter(({ score }) => score >= CUT_OFF)
    .sort((a, b) => b.score - a.score || (a.candidate.id < b.candidate.id ? 1 : -1))
  const told = new Set(scored.flatMap(({ candidate }) => candidate.sourceIds ?? []))
  return scored
    .filter(({ candidate }) => candidate.kind === 'memory' || !told.has(candidate.id))
    .slice(0, limit)
    .map(({ candidate, score }) => ({
      kind: candidate.kind,
      id: candidate.id,
      text: candidate.text,
      score: Math.round(Math.min(score, 1) * 1000) / 1000,
      matchedBy: waysOf(candidate),
      at: candidate.at.toISOString(),
      ...(candidate.conversationId ? { conversationId: candidate.conversationId } : {})
    }))
}

function waysOf({ lexical, similarity }: Candidate): RecallItem['matchedBy'] {
  return [
    ...((similarity ?? 0) >= SIMILAR ? ['vector' as const] : []),
    ...((lexical ?? 0) >= LEXICAL_MATCH ? ['lexical' as const] : [])
  ]
}
