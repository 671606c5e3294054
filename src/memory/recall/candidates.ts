import { type Name, type SQL, sql } from 'drizzle-orm'
import pg from 'pg'
import type { Tx } from '../../db/client.ts'
import { executeKept } from '../../db/kept-plans.ts'
import type { TimeRange } from './times.ts'

/** Query terms looked up, rarest first; terms in more than this share of a large collection tell nothing apart. */
const MAX_TERMS = 32
const COMMON_SHARE = 0.2
const LARGE = 5_000
/** Vectors that are looked at first, for each that is offered. */
const SPARE = 2
/** Names are terms that begin like this. */
const IS_NAME = '@%'

export type IndexedKind = 'memory' | 'message'

export interface CandidateQuery {
  kinds: IndexedKind[]
  /** How many each way offers to the fusion. */
  offered: number
  terms: string[]
  /** Names the query may hold, as terms of their own. */
  names: string[]
  /** null when the query could not be embedded: the lexical way serves alone. */
  vector: { model: string; dimensions: number; values: number[] } | null
  /** Of which kinds the owner has so many that an index of vectors is quicker than reading each. */
  large?: IndexedKind[] | undefined
  /** Times the query asks about and nothing else: what lies in them is offered whatever its words. */
  times?: TimeRange[] | undefined
  /** undefined: what holds now and what is still to come. */
  asOf?: Date | undefined
  now: Date
  knownAt?: Date | undefined
  from?: Date | undefined
  to?: Date | undefined
  category?: string | undefined
  /** Only what the owner said, not what was answered. */
  ownWordsOnly?: boolean | undefined
}

export interface Candidate extends Record<string, unknown> {
  kind: IndexedKind
  id: string
  text: string
  /** When it was last said, or else recorded. */
  at: Date
  conversationId: string | null
  /** Who said it, where a conversation names its speakers; of a memory, whom it is about. */
  about: string | null
  /** What follows is null of a message, but for its status. */
  importance: number | null
  pinned: boolean | null
  category: string | null
  /** Of a message: 'superseded' where something has taken the place of all that was learnt from it. */
  status: 'active' | 'superseded' | 'expired' | 'conflicting' | 'unconfirmed' | null
  supersededBy: string | null
  strength: number | null
  /** When it was last told, used or proven. */
  usedAt: Date | null
  validFrom: Date | null
  validTo: Date | null
  /** Share of the query's term weight this text holds, about 0 to 1; null when this way did not offer it. */
  lexical: number | null
  /** How much it names what the query names, 0 to 1. */
  named: number | null
  /** Cosine similarity to the query; null when this way did not offer it. */
  similarity: number | null
  /** The messages a memory was taken from. */
  sourceIds: string[] | null
}

/**
 * What each way offers, in one round trip. Every part names the owner itself: under row-level security alone the planner
 * would not know whose rows these are. Planning it takes longer than running it, so its plan is kept, and serves owners of
 * any size: there is one way to read each part of it, and the one choice that depends on the size is the caller's.
 */
export async function findCandidates(tx: Tx, ownerId: string, query: CandidateQuery): Promise<Candidate[]> {
  const parts = query.kinds.map((kind) => candidatesOf(kind, ownerId, query))
  const rows = await executeKept<Candidate>(tx, sql.join(parts, sql` UNION ALL `))
  const toDate = (moment: Date | null) => (moment === null ? null : new Date(moment))
  return rows.map((row) => ({
    ...row,
    at: new Date(row.at),
    usedAt: toDate(row.usedAt),
    validFrom: toDate(row.validFrom),
    validTo: toDate(row.validTo)
  }))
}

function candidatesOf(kind: IndexedKind, ownerId: string, query: CandidateQuery): SQL {
  const terms = sql.identifier(`${kind}_terms`)
  const vectors = sql.identifier(`${kind}_vectors`)
  /**
   * Left out inside each way: what may not be found must not take the places of what may. One look-up each, from the best
   * down, until there are enough.
   */
  const findable = (alias: string) =>
    kind === 'memory' || isNarrow(query)
      ? sql`CROSS JOIN LATERAL (SELECT FROM ${sql.identifier(kind === 'memory' ? 'memories' : 'messages')} row
         WHERE row.owner_id = ${ownerId} AND row.id = ${sql.identifier(alias)}.id ${mayBeFound('row', kind, query)} LIMIT 1) row`
      : sql``
  const counted = (term: SQL) => sql`coalesce((SELECT counts.count FROM term_counts counts
    WHERE counts.owner_id = ${ownerId} AND counts.kind = ${kind} AND counts.term = ${term}), 0)`
  // The ceiling is what a text with every term of the query once would reach: it makes scores of different queries alike.
  const lexical = sql`
    WITH size AS MATERIALIZED (
      SELECT ${counted(sql`''`)} AS size
    ), asked AS MATERIALIZED (
      SELECT term, count, size, ln(1 + (size - count + 0.5) / (count + 0.5)) AS idf FROM (
        SELECT query.term, ${counted(sql`query.term`)} AS count, size
          FROM unnest(${sql.param([...query.terms, ...query.names])}::text[]) AS query (term) CROSS JOIN size OFFSET 0) counted
    ), useful AS MATERIALIZED (
      SELECT term, idf FROM asked
       WHERE count > 0 AND (size < ${LARGE} OR count < ${COMMON_SHARE}::float8 * size) ORDER BY count LIMIT ${MAX_TERMS}
    )
    SELECT best.id, best.named, best.score FROM (
      SELECT held.id, max(held.weight) FILTER (WHERE useful.term LIKE ${IS_NAME}) AS named,
             sum(held.weight * useful.idf) FILTER (WHERE useful.term NOT LIKE ${IS_NAME})
               / (SELECT sum(idf) FROM asked WHERE term NOT LIKE ${IS_NAME}) AS score
        FROM useful CROSS JOIN LATERAL (SELECT terms.id, terms.weight FROM ${terms} terms
          WHERE terms.owner_id = ${ownerId} AND terms.term = useful.term OFFSET 0) held
       GROUP BY held.id ORDER BY score DESC NULLS LAST, named DESC
    ) best ${findable('best')} ORDER BY best.score DESC NULLS LAST, best.named DESC LIMIT ${query.offered}`
  const vector = query.vector
    ? nearest(
        vectors,
        ownerId,
        query.vector,
        query.large?.includes(kind) ?? false,
        findable('near'),
        query.offered
      )
    : sql`SELECT NULL::uuid AS id, NULL::float8 AS score WHERE false`
  const offered = sql`(${lexical}) lexical FULL JOIN (${vector}) vector ON vector.id = lexical.id
    ${query.times ? sql`FULL JOIN (${timed(kind, ownerId, query)}) timed ON timed.id = coalesce(lexical.id, vector.id)` : sql``}`
  return kind === 'memory' ? memories(ownerId, query, offered) : messages(ownerId, query, offered)
}

/** Whether a query asks for a part of the messages only. */
function isNarrow({ knownAt, from, to, ownWordsOnly = false }: CandidateQuery): boolean {
  return ownWordsOnly || [knownAt, from, to].some((bound) => bound !== undefined)
}

function mayBeFound(alias: string, kind: IndexedKind, query: CandidateQuery): SQL {
  const row = sql.identifier(alias)
  return kind === 'memory'
    ? sql`AND ${row}.forgotten_at IS NULL AND ${row}.status <> 'proposed' ${heldAt(alias, query)} ${within(alias, kind, query)}`
    : sql`${query.ownWordsOnly ? sql`AND ${row}.role = 'user'` : sql``} ${within(alias, kind, query)}`
}

function within(alias: string, kind: IndexedKind, { knownAt, from, to, category }: CandidateQuery): SQL {
  const row = sql.identifier(alias)
  return sql`${knownAt ? sql`AND ${row}.created_at <= ${knownAt}` : sql``}
    ${from ? sql`AND ${row}.created_at >= ${from}` : sql``} ${to ? sql`AND ${row}.created_at < ${to}` : sql``}
    ${category && kind === 'memory' ? sql`AND ${row}.category = ${category}` : sql``}`
}

/**
 * The nearest from the first on, until enough of them may be found. An index has a model's vectors cast to their dimension:
 * cast so, they are found through it; as they are, they are read one by one. What an index is of, a model and perhaps an owner,
 * stands in the text itself: a kept plan uses it only where the text says that it asks for no other.
 */
function nearest(
  vectors: Name,
  ownerId: string,
  { model, dimensions, values }: NonNullable<CandidateQuery['vector']>,
  large: boolean,
  findable: SQL,
  offered: number
): SQL {
  const cast = large ? sql.raw(`::halfvec(${Math.trunc(dimensions)})`) : sql``
  const literal = (value: string) => sql.raw(pg.escapeLiteral(value))
  // Half precision keeps three digits and a half: more would only be longer to read.
  const asked = `[${values.map((value) => value.toPrecision(5)).join()}]`
  const sorted = (wanted: SQL, limit = sql``) => sql`
    SELECT near.id, near.distance FROM (
      SELECT made.id, made.embedding${cast} <=> ${wanted} AS distance FROM ${vectors} made
       WHERE made.owner_id = ${large ? literal(ownerId) : ownerId} AND made.model = ${literal(model)}
       ORDER BY distance ${limit}) near ${findable}
     ORDER BY near.distance LIMIT ${offered}`
  if (large)
    return sql`SELECT id, 1 - distance AS score FROM (${sorted(sql`${asked}::halfvec${cast}`)}) AS nearest`
  // Sorting all takes longer than finding the first few, which are mostly enough; where too few of them may be found, all are.
  const wanted = sql`(SELECT vector FROM wanted)`
  return sql`
    WITH wanted AS MATERIALIZED (SELECT ${asked}::halfvec AS vector),
         first AS MATERIALIZED (${sorted(wanted, sql`LIMIT ${SPARE * offered}`)}),
         enough AS MATERIALIZED (SELECT count(*) = ${offered} AS are FROM first)
    SELECT id, 1 - distance AS score FROM first WHERE (SELECT are FROM enough)
     UNION ALL
    SELECT id, 1 - distance AS score FROM (${sorted(wanted)}) AS nearest WHERE NOT (SELECT are FROM enough)`
}

/** The latest of what lies in the times that are asked about, and may be found at all. */
function timed(kind: IndexedKind, ownerId: string, query: CandidateQuery): SQL {
  const { times = [], offered } = query
  const parts = times.map(({ from, to }) =>
    kind === 'memory'
      ? sql`(SELECT id, created_at FROM memories WHERE owner_id = ${ownerId}
               AND coalesce(valid_from, created_at) < ${to} AND coalesce(valid_to, valid_from, created_at) >= ${from}
               ${mayBeFound('memories', kind, query)}
             ORDER BY created_at DESC LIMIT ${offered})`
      : sql`(SELECT id, created_at FROM messages WHERE owner_id = ${ownerId}
               AND created_at >= ${from} AND created_at < ${to} ${mayBeFound('messages', kind, query)}
               AND EXISTS (SELECT FROM message_terms indexed
                 WHERE indexed.owner_id = ${ownerId} AND indexed.term = '' AND indexed.id = messages.id)
             ORDER BY created_at DESC LIMIT ${offered})`
  )
  return sql`SELECT DISTINCT id FROM (${sql.join(parts, sql` UNION ALL `)}) AS in_times`
}

/**
 * The row of each that was offered, one look-up each: left to itself the planner reads all of a large owner's rows. CASE,
 * because under row-level security it takes COALESCE for leaky and would not look it up by its key.
 */
function lookedUp(table: 'memories' | 'messages', ownerId: string, { times }: CandidateQuery): SQL {
  const offered = sql`CASE WHEN lexical.id IS NULL THEN vector.id ELSE lexical.id END`
  const id = times ? sql`CASE WHEN timed.id IS NULL THEN ${offered} ELSE timed.id END` : offered
  return sql`LATERAL (SELECT * FROM ${sql.identifier(table)} found
    WHERE found.owner_id = ${ownerId} AND found.id = ${id} LIMIT 1)`
}

function memories(ownerId: string, query: CandidateQuery, offered: SQL): SQL {
  return sql`
    SELECT 'memory' AS kind, fact.id, fact.text, coalesce(told.at, fact.created_at) AS at, NULL::uuid AS "conversationId",
           fact.subject AS about, fact.importance, fact.pinned, fact.category, fact.status,
           fact.superseded_by AS "supersededBy", fact.strength,
           greatest(fact.created_at, fact.last_used_at) AS "usedAt", fact.valid_from AS "validFrom",
           fact.valid_to AS "validTo", lexical.score::float8 AS lexical, lexical.named::float8 AS named,
           vector.score AS similarity, told."sourceIds"
      FROM ${offered}
     CROSS JOIN ${lookedUp('memories', ownerId, query)} fact
     CROSS JOIN LATERAL (
       SELECT array_agg(message_id) AS "sourceIds", max(said_at) AS at FROM memory_sources
        WHERE memory_sources.owner_id = ${ownerId} AND memory_id = fact.id) told
     WHERE true ${mayBeFound('fact', 'memory', query)}`
}

/**
 * What was true at a time in the world, as far as it had been recorded by another: an end that was not yet known then
 * does not count. Where no time is asked for, what is still to come is told as well: it is known now.
 */
function heldAt(alias: string, { asOf, now, knownAt }: CandidateQuery): SQL {
  const row = sql.identifier(alias)
  const closing = sql`CASE WHEN ${row}.status IN ('superseded', 'expired')
    THEN coalesce(${row}.valid_to, ${row}.closed_at, ${row}.updated_at) ELSE ${row}.valid_to END`
  const end = knownAt ? sql`CASE WHEN ${row}.closed_at > ${knownAt} THEN NULL ELSE ${closing} END` : closing
  return sql`AND coalesce(${end} > ${asOf ?? now}, true)
    ${asOf ? sql`AND coalesce(${row}.valid_from <= ${asOf}, true)` : sql``}`
}

/** What a message told may hold no more: it is found all the same, since it was said. */
function isReplaced(ownerId: string): SQL {
  return sql`(SELECT CASE WHEN bool_and(learnt.status = 'superseded') THEN 'superseded' END
    FROM memory_sources told JOIN memories learnt
      ON learnt.owner_id = ${ownerId} AND learnt.id = told.memory_id AND learnt.forgotten_at IS NULL
   WHERE told.owner_id = ${ownerId} AND told.message_id = said.id)`
}

function messages(ownerId: string, query: CandidateQuery, offered: SQL): SQL {
  return sql`
    SELECT 'message' AS kind, said.id, said.content AS text, said.created_at AS at,
           said.conversation_id AS "conversationId", said.name AS about, NULL::real AS importance,
           NULL::boolean AS pinned, NULL AS category, ${isReplaced(ownerId)} AS status, NULL::uuid AS "supersededBy",
           NULL::real AS strength, NULL::timestamptz AS "usedAt", NULL::timestamptz AS "validFrom",
           NULL::timestamptz AS "validTo", lexical.score::float8 AS lexical, lexical.named::float8 AS named,
           vector.score AS similarity, NULL::uuid[] AS "sourceIds"
      FROM ${offered}
     CROSS JOIN ${lookedUp('messages', ownerId, query)} said
     WHERE true ${mayBeFound('said', 'message', query)}`
}
