import type { Database } from '../../db/client.ts'
import type { Embedder } from '../../llm/model.ts'
import { analyzeTerms } from '../../search/analyze.ts'
import { takeWithin, tokensOf } from '../../search/pack.ts'
import { hideInCandidates } from '../forgetting/hide-in-candidates.ts'
import type { RecallBody, RecallItem } from '../schemas.ts'
import { type CandidateQuery, findCandidates, type IndexedKind } from './candidates.ts'
import type { Embedders } from './embedders.ts'
import { askedNames, withoutNames } from './entities.ts'
import { rankCandidates } from './rank.ts'
import type { SearchSettings } from './search-settings.ts'
import { findTimes, namesTime } from './times.ts'

export type { RecallItem } from '../schemas.ts'

/** A query is looked up by its first words: past that it is a text, not a question. */
const MAX_QUERY_TERMS = 200
/** Names and times are looked for in this much of it. */
const MAX_QUERY_LENGTH = 1_000
/** Recall must not hold up a reply: without the query's vector in this time, the lexical way serves alone. */
const EMBED_TIMEOUT_MS = 2_000
/** Of each way the fusion gets some times as many as are asked for: more only takes longer. */
const OFFERED_PER_ITEM = 5
const LEAST_OFFERED = 40
const MOST_OFFERED = 100
const EVERY_WAY = ['vector', 'lexical', 'entity', 'time'] as const

/** How many of each way a search for this many is offered. */
export function offeredFor(limit: number): number {
  return Math.min(MOST_OFFERED, Math.max(LEAST_OFFERED, OFFERED_PER_ITEM * limit))
}

export interface RecallQuery extends RecallBody {
  category?: string
  /** Of messages, only what the owner said. */
  ownWordsOnly?: boolean
}

export type Recall = (ownerId: string, query: RecallQuery, signal: AbortSignal) => Promise<RecallItem[]>

const NO_SETTINGS: SearchSettings = {
  model: null,
  nextModel: null,
  large: [],
  timeZone: 'UTC',
  commonNames: []
}

/** What PAI knows that bears on a query: best first, and nothing where nothing does. */
export function createRecall({
  database,
  embedders,
  now = () => new Date()
}: {
  database: Database
  embedders: Embedders
  now?: () => Date
}): Recall {
  return async function recall(ownerId, query, signal) {
    const { limit = 10, kinds = ['memory', 'message'], ways = EVERY_WAY } = query
    const indexed = kinds.filter((kind): kind is IndexedKind => kind !== 'passage')
    if (indexed.length === 0) return []
    const uses = (way: (typeof EVERY_WAY)[number]) => ways.some((used) => used === way)
    const text = query.query.slice(0, MAX_QUERY_LENGTH)
    const names = uses('entity') ? askedNames(text) : []
    const asksTime = uses('time') && namesTime(text)
    const settings = await settingsFor(ownerId, names, uses('vector'), asksTime)
    const embedder = embedders.forSearch(settings)
    const asOf = toDate(query.asOf)
    const at = now()
    const times = asksTime ? findTimes(text, asOf ?? at, settings.timeZone) : { ranges: [], alone: false }
    const toEmbed = embedder.semantic ? withoutNames(query.query, settings.commonNames) : query.query
    const asked: CandidateQuery = {
      kinds: indexed,
      offered: offeredFor(limit),
      terms: uses('lexical') ? [...new Set(analyzeTerms(query.query))].slice(0, MAX_QUERY_TERMS) : [],
      names,
      vector: uses('vector') ? await embedQuery(embedder, toEmbed, signal) : null,
      large: settings.large,
      times: times.alone ? times.ranges : undefined,
      asOf,
      now: at,
      knownAt: toDate(query.knownAt),
      from: toDate(query.from),
      to: toDate(query.to),
      category: query.category,
      ownWordsOnly: query.ownWordsOnly
    }
    const candidates = await database.searchInOwner(ownerId, (tx) => {
      const found = findCandidates(tx, ownerId, asked)
      return indexed.includes('message') ? hideInCandidates(tx, ownerId, asked.terms, found) : found
    })
    const items = rankCandidates(
      candidates,
      {
        query: text,
        lexical: asked.terms.length > 0,
        vector: asked.vector !== null,
        semantic: embedder.semantic,
        entity: uses('entity'),
        times,
        now: at,
        minMatch: query.minMatch
      },
      limit
    )
    const { budgetTokens } = query
    return budgetTokens === undefined ? items : takeWithin(items, budgetTokens, (item) => tokensOf(item.text))
  }

  /** Only where they matter: mostly the search itself is the one question put to the database. */
  async function settingsFor(
    ownerId: string,
    names: string[],
    usesVector: boolean,
    asksTime: boolean
  ): Promise<SearchSettings> {
    const cleans = embedders.current.semantic && names.length > 0
    const known = usesVector ? embedders.known(ownerId) : NO_SETTINGS
    if (known && !(usesVector && cleans) && !asksTime) return { ...NO_SETTINGS, large: known.large }
    return database.inOwner(ownerId, (tx) => embedders.readSettings(tx, ownerId, names))
  }
}

async function embedQuery(
  embedder: Embedder,
  text: string,
  signal: AbortSignal
): Promise<CandidateQuery['vector']> {
  signal.throwIfAborted()
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(EMBED_TIMEOUT_MS)])
  try {
    // Raced as well: an embedder that does not heed its signal would hold up every reply.
    const [values] = await Promise.race([embedder.embed([text], inTime), rejectedBy(inTime)])
    return values ? { model: embedder.id, dimensions: embedder.dimensions, values } : null
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
