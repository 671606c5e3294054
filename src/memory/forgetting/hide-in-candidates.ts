import type { Tx } from '../../db/client.ts'
import { analyzeTerms } from '../../search/analyze.ts'
import type { Candidate } from '../recall/candidates.ts'
import { FORGOTTEN } from './forgotten-words.ts'
import { readHidden } from './hide-in-messages.ts'
import { type Coming, withWaiting } from './waiting.ts'

/**
 * What recall may tell: of a message that tells of what is forgotten what is left of it, and only where that holds a word of
 * the query, since it was found by all it said.
 */
export async function hideInCandidates(
  tx: Tx,
  ownerId: string,
  terms: string[],
  coming: Coming<Candidate[]>
): Promise<Candidate[]> {
  const [waiting, candidates] = await withWaiting(tx, ownerId, coming)
  const ids = candidates.flatMap(({ kind, id }) => (kind === 'message' ? id : []))
  if (waiting.length === 0 || ids.length === 0) return candidates
  const read = await readHidden(tx, ownerId, waiting, ids)
  const changed = new Map(
    read.flatMap(({ said, left }) =>
      said.content === left.content ? [] : [[left.id, left.content] as const]
    )
  )
  return candidates.flatMap((candidate) => {
    const text = changed.get(candidate.id)
    if (text === undefined) return [candidate]
    const held = new Set(analyzeTerms(text.replaceAll(FORGOTTEN, ' ')))
    return terms.some((term) => held.has(term)) ? [{ ...candidate, text }] : []
  })
}
