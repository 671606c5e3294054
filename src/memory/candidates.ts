import { type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'

/** How many each way offers to the fusion. */
const OFFERED = 100
/** Query terms looked up, rarest first; terms in more than this share of a large collection tell nothing apart. */
const MAX_TERMS = 32
const COMMON_SHARE = 0.2
const LARGE = 5_000

export type IndexedKind = 'memory' | 'message'

export interface CandidateQuery {
  kinds: IndexedKind[]
  terms: string[]
  /** null when the query could not be embedded: the lexical way serves alone. */
  vector: { model: string; values: number[] } | null
  asOf: Date
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
  at: Date
  conversationId: string | null
  /** Who said it, where a conversation names its speakers. */
  speaker: string | null
  importance: number | null
  pinned: boolean | null
  /** Share of the query's term weight this text holds, about 0 to 1; null when this way did not offer it. */
  lexical: number | null
  /** Cosine similarity to the query; null when this way did not offer it. */
  similarity: number | null
  /** The messages a memory was taken from. */
  sourceIds: string[] | null
}

/**
 * What each way offers, in one round trip. Every part names the owner itself: under row-level security alone the planner
 * would not know whose rows these are. The statement has no name, so each owner gets a plan of their own.
 */
export async function findCandidates(tx: Tx, ownerId: string, query: CandidateQuery): Promise<Candidate[]> {
  const parts = query.kinds.map((kind) => candidatesOf(kind, ownerId, query))
  const { rows } = await tx.execute<Candidate>(sql.join(parts, sql` UNION ALL `))
  return rows.map((row) => ({ ...row, at: new Date(row.at) }))
}

function candidatesOf(kind: IndexedKind, ownerId: string, query: CandidateQuery): SQL {
  const terms = sql.identifier(`${kind}_terms`)
  const vectors = sql.identifier(`${kind}_vectors`)
  /** Only where the query is narrow: joined always, it would slow every search of a large owner. */
  const narrowTo = (alias: string) =>
    isNarrow(query)
      ? sql`JOIN ${sql.identifier(kind === 'memory' ? 'memories' : 'messages')} narrow ON narrow.owner_id = ${ownerId}
         AND narrow.id = ${sql.identifier(alias)}.id ${within('narrow', kind, query)}`
      : sql``
  const total = sql`(SELECT count FROM term_counts WHERE owner_id = ${ownerId} AND kind = ${kind} AND term = '')`
  // The ceiling is what a text with every term of the query once would reach: it makes scores of different queries alike.
  const lexical = sql`
    WITH asked AS MATERIALIZED (
      SELECT asked.term, coalesce(counts.count, 0) AS count, size.count AS size,
             ln(1 + (size.count - coalesce(counts.count, 0) + 0.5) / (coalesce(counts.count, 0) + 0.5)) AS idf
        FROM unnest(${sql.param(query.terms)}::text[]) AS asked (term)
        CROSS JOIN (SELECT coalesce(${total}, 0) AS count) AS size
        LEFT JOIN term_counts counts
          ON counts.owner_id = ${ownerId} AND counts.kind = ${kind} AND counts.term = asked.term
    ), useful AS MATERIALIZED (
      SELECT term, idf FROM asked
       WHERE count > 0 AND (size < ${LARGE} OR count < ${COMMON_SHARE}::float8 * size) ORDER BY count LIMIT ${MAX_TERMS}
    )
    SELECT terms.id, sum(terms.weight * useful.idf) / (SELECT sum(idf) FROM asked) AS score
      FROM useful JOIN ${terms} terms ON terms.owner_id = ${ownerId} AND terms.term = useful.term ${narrowTo('terms')}
     GROUP BY terms.id ORDER BY score DESC LIMIT ${OFFERED}`
  const vector = query.vector
    ? sql`SELECT near.id, 1 - (near.embedding <=> ${JSON.stringify(query.vector.values)}::halfvec) AS score
            FROM ${vectors} near ${narrowTo('near')}
           WHERE near.owner_id = ${ownerId} AND near.model = ${query.vector.model}
           ORDER BY near.embedding <=> ${JSON.stringify(query.vector.values)}::halfvec LIMIT ${OFFERED}`
    : sql`SELECT NULL::uuid AS id, NULL::float8 AS score WHERE false`
  const offered = sql`(${lexical}) lexical FULL JOIN (${vector}) vector ON vector.id = lexical.id`
  return kind === 'memory' ? memories(ownerId, query, offered) : messages(ownerId, query, offered)
}

/** Whether a query asks for a part only: what lies outside must not take the places of what it asks for. */
function isNarrow({ knownAt, from, to, category }: CandidateQuery): boolean {
  return [knownAt, from, to, category].some((bound) => bound !== undefined)
}

function within(alias: string, kind: IndexedKind, { knownAt, from, to, category }: CandidateQuery): SQL {
  const row = sql.identifier(alias)
  return sql`${knownAt ? sql`AND ${row}.created_at <= ${knownAt}` : sql``}
    ${from ? sql`AND ${row}.created_at >= ${from}` : sql``} ${to ? sql`AND ${row}.created_at < ${to}` : sql``}
    ${category && kind === 'memory' ? sql`AND ${row}.category = ${category}` : sql``}`
}

function memories(ownerId: string, query: CandidateQuery, offered: SQL): SQL {
  const { asOf } = query
  return sql`
    SELECT 'memory' AS kind, fact.id, fact.text, fact.created_at AS at, NULL::uuid AS "conversationId", NULL AS speaker,
           fact.importance, fact.pinned, lexical.score::float8 AS lexical, vector.score AS similarity,
           (SELECT array_agg(message_id) FROM memory_sources
             WHERE memory_sources.owner_id = ${ownerId} AND memory_id = fact.id) AS "sourceIds"
      FROM ${offered}
      JOIN memories fact ON fact.owner_id = ${ownerId} AND fact.id = coalesce(lexical.id, vector.id)
     WHERE fact.forgotten_at IS NULL AND fact.status <> 'proposed'
       AND coalesce(fact.valid_from <= ${asOf}, true) AND coalesce(fact.valid_to > ${asOf}, true)
       ${within('fact', 'memory', query)}`
}

function messages(ownerId: string, query: CandidateQuery, offered: SQL): SQL {
  return sql`
    SELECT 'message' AS kind, said.id, said.content AS text, said.created_at AS at,
           said.conversation_id AS "conversationId", said.name AS speaker, NULL::real AS importance, NULL::boolean AS pinned,
           lexical.score::float8 AS lexical, vector.score AS similarity, NULL::uuid[] AS "sourceIds"
      FROM ${offered}
      JOIN messages said ON said.owner_id = ${ownerId} AND said.id = coalesce(lexical.id, vector.id)
     WHERE true ${query.ownWordsOnly ? sql`AND said.role = 'user'` : sql``} ${within('said', 'message', query)}`
}
