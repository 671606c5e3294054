import type { Database } from '../db/client.ts'
import type { Embedder } from '../llm/model.ts'
import { analyzeTerms } from '../search/analyze.ts'
import { type CandidateQuery, findCandidates, type IndexedKind } from './candidates.ts'
import { rankCandidates } from './rank.ts'
import type { RecallBody, RecallItem } from './schemas.ts'

export type { RecallItem } from './schemas.ts'

/** A query is looked up by its first words: past that it is a text, not a question. */
const MAX_QUERY_TERMS = 200
/** Recall must not hold up a reply: without the query's vector in this time, the lexical way serves alone. */
const EMBED_TIMEOUT_MS = 2_000

export interface RecallQuery extends RecallBody {
  category?: string
  /** Of messages, only what the owner said. */
  ownWordsOnly?: boolean
}

export type Recall = (ownerId: string, query: RecallQuery, signal: AbortSignal) => Promise<RecallItem[]>

/** What PAI knows that bears on a query: best first, and nothing where nothing does. */
export function createRecall({
  database,
  embedder,
  now = () => new Date()
}: {
  database: Database
  embedder: Embedder
  now?: () => Date
}): Recall {
  return async function recall(ownerId, query, signal) {
    const { limit = 10, kinds = ['memory', 'message'], ways = ['vector', 'lexical'] } = query
    const indexed = kinds.filter((kind): kind is IndexedKind => kind !== 'passage')
    if (indexed.length === 0) return []
    const asked: CandidateQuery = {
      kinds: indexed,
      terms: ways.includes('lexical')
        ? [...new Set(analyzeTerms(query.query))].slice(0, MAX_QUERY_TERMS)
        : [],
      vector: ways.includes('vector') ? await embedQuery(embedder, query.query, signal) : null,
      asOf: query.asOf ? new Date(query.asOf) : now(),
      knownAt: toDate(query.knownAt),
      from: toDate(query.from),
      to: toDate(query.to),
      category: query.category,
      ownWordsOnly: query.ownWordsOnly
    }
    const candidates = await database.readInOwner(ownerId, (tx) => findCandidates(tx, ownerId, asked))
    const used = {
      lexical: asked.terms.length > 0,
      vector: asked.vector !== null,
      semantic: embedder.semantic
    }
    return rankCandidates(query.query, candidates, used, limit)
  }
}

async function embedQuery(
  embedder: Embedder,
  text: string,
  signal: AbortSignal
): Promise<CandidateQuery['vector']> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(EMBED_TIMEOUT_MS)])
  try {
    // Raced as well: an embedder that does not heed its signal would hold up every reply.
    const [values] = await Promise.race([embedder.embed([text], inTime), rejectedBy(inTime)])
    return values ? { model: embedder.id, values } : null
  } catch {
    signal.throwIfAborted()
    return null
  }
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function toDate(instant: string | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant)
}
