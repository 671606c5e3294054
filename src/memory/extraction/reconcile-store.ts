import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { SEARCHING, type Tx } from '../../db/client.ts'
import { afterClosing } from '../closing.ts'
import { type Change, record } from '../history.ts'
import { memories, memoryConflicts } from '../tables.ts'
import type { Known, Remembered } from './facts.ts'
import type { Standing } from './verdict.ts'

/** How many memories a fact is compared with. */
const COMPARED = 10
/** Terms looked up, rarest first; what very many memories hold tells nothing apart and costs much. */
const MAX_TERMS = 12
const COMMON = 500
/** How many memories a message is held against, by its words, and as many of the latest. */
const MENTIONED = 20
/** So many terms of a message are looked up: as many as ten thousand characters hold. */
const MOST_ASKED = 1_000
/** Vectors less alike than this are about something else. */
const ALIKE = 0.6
const CURRENT = sql`forgotten_at IS NULL AND closed_at IS NULL AND status IN ('active', 'conflicting', 'unconfirmed')`

/** One reconciling at a time for each owner: two that did not see each other's facts would keep both. */
export async function lockMemories(tx: Tx, ownerId: string): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`memories ${ownerId}`}, 0))`)
}

export interface Near {
  subject: string | null
  slots: string[]
  terms: string[]
  /** What is compared in any case. */
  ids: string[]
  /** null: the vectors know no meaning. */
  vector: { model: string; dimensions: number; values: number[] } | null
}

/** Names that a message may speak of without saying who they are. */
const MAX_KNOWN = 300

/** Whom and what the owner's current memories are about, and which attributes of them are known, the latest first. */
export async function listKnown(tx: Tx, ownerId: string): Promise<Known[]> {
  const { rows } = await tx.execute<Known & Record<string, unknown>>(sql`
    SELECT subject, slot, max(tags[1]) FILTER (WHERE category = 'relationship') AS relation
      FROM memories WHERE owner_id = ${ownerId} AND subject IS NOT NULL AND ${CURRENT}
     GROUP BY subject, slot ORDER BY max(created_at) DESC, subject, slot LIMIT ${MAX_KNOWN}`)
  return rows
}

interface StandingRow extends Record<string, unknown> {
  id: string
  text: string
  subject: string | null
  slot: string | null
  status: Standing['status']
  pinned: boolean
  since: Date
}

/**
 * The current memories that a fact may have to do with: those named in any case, then those of its attribute and the nearest in
 * words or meaning.
 */
export async function findStanding(tx: Tx, ownerId: string, near: Near): Promise<Standing[]> {
  const { subject, slots, terms, vector } = near
  // A message ends none but those that it was held against.
  const ids = near.ids.slice(0, 2 * MENTIONED)
  if (vector) await tx.execute(sql.raw(SEARCHING))
  const { rows } = await tx.execute<StandingRow>(sql`
    WITH useful AS MATERIALIZED (${rarestOf(ownerId, terms)}), near AS MATERIALIZED (
      (SELECT id, 0 AS way, 0::float8 AS score FROM memories
        WHERE owner_id = ${ownerId} AND subject = ${subject} AND slot = ANY(${sql.param(slots)}::text[]) AND ${CURRENT}
        ORDER BY created_at DESC LIMIT ${COMPARED})
      UNION ALL
      (SELECT id, -1, 0 FROM memories
        WHERE owner_id = ${ownerId} AND id = ANY(${sql.param(ids)}::uuid[]) AND ${CURRENT})
      UNION ALL
      (SELECT words.id, 1, -sum(words.weight / ln(useful.count + 2)) AS score
         FROM ${currentWith(ownerId)}
        GROUP BY words.id ORDER BY score, words.id LIMIT ${COMPARED})
      ${vector ? likeVector(ownerId, vector) : sql``}
    )
    SELECT fact.id, fact.text, fact.subject, fact.slot, fact.status, fact.pinned,
           coalesce(fact.valid_from, fact.created_at) AS since
      FROM (SELECT id, min(way) AS way, min(score) AS score FROM near GROUP BY id) AS found
      JOIN memories fact ON fact.owner_id = ${ownerId} AND fact.id = found.id
     ORDER BY found.way, found.score, fact.id LIMIT ${ids.length + 2 * COMPARED}`)
  return rows.map((row) => ({ ...row, since: new Date(row.since) }))
}

/** The current memories that a message may say something new of: those that share its rarest words, and the latest. */
export async function findMentioned(tx: Tx, ownerId: string, terms: string[]): Promise<Remembered[]> {
  const asked = terms.slice(0, MOST_ASKED)
  const { rows } = await tx.execute<StandingRow>(sql`
    WITH useful AS MATERIALIZED (${rarestOf(ownerId, asked)}), mentioned AS MATERIALIZED (
      (SELECT words.id FROM ${currentWith(ownerId)}
        GROUP BY words.id ORDER BY -sum(words.weight / ln(useful.count + 2)), words.id LIMIT ${MENTIONED})
      UNION
      (SELECT id FROM memories WHERE owner_id = ${ownerId} AND ${CURRENT}
        ORDER BY created_at DESC, id DESC LIMIT ${MENTIONED})
    )
    SELECT fact.id, fact.text, fact.subject, fact.slot, coalesce(fact.valid_from, fact.created_at) AS since
      FROM mentioned JOIN memories fact ON fact.owner_id = ${ownerId} AND fact.id = mentioned.id
     ORDER BY fact.created_at DESC, fact.id DESC`)
  return rows.map((row) => ({ ...row, since: new Date(row.since) }))
}

export async function findCurrent(tx: Tx, ownerId: string, id: string): Promise<Standing | undefined> {
  const { rows } = await tx.execute<StandingRow>(sql`
    SELECT id, text, subject, slot, status, pinned, coalesce(valid_from, created_at) AS since
      FROM memories WHERE owner_id = ${ownerId} AND id = ${id} AND ${CURRENT}`)
  const [row] = rows
  return row && { ...row, since: new Date(row.since) }
}

/** The terms that tell most apart, of those that some memory holds. */
function rarestOf(ownerId: string, terms: string[]) {
  return sql`SELECT term, count FROM term_counts
       WHERE owner_id = ${ownerId} AND kind = 'memory' AND term = ANY(${sql.param(terms)}::text[])
         AND term <> '' AND count < ${COMMON}::int
       ORDER BY count, term LIMIT ${MAX_TERMS}`
}

/** The current memories that hold one of the useful terms. */
function currentWith(ownerId: string) {
  return sql`useful
         JOIN memory_terms words ON words.owner_id = ${ownerId} AND words.term = useful.term
         JOIN memories current ON current.owner_id = ${ownerId} AND current.id = words.id AND ${currentOf('current')}`
}

/** Cast to its dimension, as the index of a model has it, so that a large owner's vectors are not read one by one. */
function likeVector(ownerId: string, { model, dimensions, values }: NonNullable<Near['vector']>) {
  const type = sql.raw(`halfvec(${Math.trunc(dimensions)})`)
  const distance = sql`vectors.embedding::${type} <=> ${JSON.stringify(values)}::${type}`
  return sql`UNION ALL
    (SELECT alike.id, 2, alike.distance FROM (
       SELECT vectors.id, ${distance} AS distance FROM memory_vectors vectors
        WHERE vectors.owner_id = ${ownerId} AND vectors.model = ${model}
        ORDER BY ${distance} LIMIT ${COMPARED}) AS alike
       JOIN memories current ON current.owner_id = ${ownerId} AND current.id = alike.id AND ${currentOf('current')}
      WHERE alike.distance < ${1 - ALIKE}::float8)`
}

function currentOf(alias: string) {
  const row = sql.identifier(alias)
  return sql`${row}.forgotten_at IS NULL AND ${row}.closed_at IS NULL
    AND ${row}.status IN ('active', 'conflicting', 'unconfirmed')`
}

export interface Closing {
  status: 'superseded' | 'expired'
  supersededBy: string | null
  /** Since when it no longer holds. */
  validTo: Date
  /** When PAI learned so. */
  closedAt: Date
}

/** Ends a current memory without touching what it says, and marks what was derived from it. False: it had ended before. */
export async function closeMemory(
  tx: Tx,
  ownerId: string,
  id: string,
  closing: Closing,
  change: Pick<Change, 'action' | 'by' | 'reason' | 'batchId'>
): Promise<boolean> {
  const [before] = await tx
    .select({
      status: memories.status,
      validFrom: memories.validFrom,
      validTo: memories.validTo,
      supersededBy: memories.supersededBy,
      closedAt: memories.closedAt
    })
    .from(memories)
    .where(isCurrent(ownerId, id))
    .for('update')
  if (!before) return false
  const { validFrom, ...was } = before
  // A thing does not end before it began.
  const validTo = validFrom && validFrom > closing.validTo ? validFrom : closing.validTo
  const after = { ...closing, validTo }
  await tx
    .update(memories)
    .set({ ...after, updatedAt: sql`now()` })
    .where(isCurrent(ownerId, id))
  await record(tx, ownerId, id, { ...change, before: was, after })
  await afterClosing(tx, ownerId, id, change.by, closing.closedAt)
  return true
}

/** Keeps two memories that cannot both be true, until the owner says which is. */
export async function addConflict(
  tx: Tx,
  ownerId: string,
  conflict: { id: string; memoryId: string; otherId: string; reason: string },
  by: Change['by']
): Promise<void> {
  await tx
    .insert(memoryConflicts)
    .values({ ...conflict, ownerId })
    .onConflictDoNothing()
  for (const id of [conflict.memoryId, conflict.otherId]) {
    const isOne = and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt))
    const [before] = await tx.select({ status: memories.status }).from(memories).where(isOne).for('update')
    if (before?.status !== 'active' && before?.status !== 'unconfirmed') continue
    await tx.update(memories).set({ status: 'conflicting', updatedAt: sql`now()` }).where(isOne)
    await record(tx, ownerId, id, {
      action: 'conflicted',
      by,
      reason: conflict.reason,
      before,
      after: { status: 'conflicting' }
    })
  }
}

/**
 * Gives the successor its predecessor's sources and proofs: what was said before still speaks for it. What it gained is
 * written down, so that an undo can take it back.
 */
export async function inheritSources(
  tx: Tx,
  ownerId: string,
  from: string,
  to: string,
  change: Pick<Change, 'by' | 'reason' | 'batchId'>
): Promise<void> {
  const { proofCount, strength, pinned, validFrom, importance } = memories
  const rows = await tx
    .select({ id: memories.id, proofCount, strength, pinned, validFrom, importance })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), inArray(memories.id, [from, to])))
    .orderBy(memories.id)
    .for('update')
  const known = rows.find(({ id }) => id === from)
  const fact = rows.find(({ id }) => id === to)
  if (!known || !fact) return
  const { rows: added } = await tx.execute<{ id: string }>(sql`
    INSERT INTO memory_sources (owner_id, id, memory_id, kind, message_id, reference, quote, quote_start, said_by, said_at)
    SELECT owner_id, gen_random_uuid(), ${to}::uuid, kind, message_id, reference, quote, quote_start, said_by, said_at
      FROM memory_sources WHERE owner_id = ${ownerId} AND memory_id = ${from}::uuid
    ON CONFLICT DO NOTHING RETURNING id`)
  const starts = [fact.validFrom, known.validFrom].filter((start) => start !== null)
  const joined = {
    proofCount: fact.proofCount + known.proofCount,
    strength: Math.max(fact.strength, known.strength),
    pinned: fact.pinned || known.pinned,
    validFrom: starts.toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null,
    importance: Math.max(fact.importance, known.importance)
  }
  await tx
    .update(memories)
    .set({ ...joined, updatedAt: sql`now()` })
    .where(and(eq(memories.ownerId, ownerId), eq(memories.id, to)))
  const { id: _, ...before } = fact
  const after = { ...joined, addedSources: added.map(({ id }) => id) }
  await record(tx, ownerId, to, { ...change, action: 'refined', before, after })
}

function isCurrent(ownerId: string, id: string) {
  return and(eq(memories.ownerId, ownerId), eq(memories.id, id), CURRENT)
}
