import { and, desc, eq, getTableColumns, lt, or, sql } from 'drizzle-orm'
import { users } from '../auth/tables.ts'
import type { Tx } from '../db/client.ts'
import type { Cursor } from '../http/cursor.ts'
import { ConsolidationNotFound } from './errors.ts'
import type { ConsolidationStep } from './schemas.ts'
import { consolidations, type StoredReport } from './tables.ts'

export type ConsolidationRow = typeof consolidations.$inferSelect

/** A run that has not ended by now never will: its job was given up. */
const GIVEN_UP = sql`interval '6 hours'`

/** One owner's runs begin one after the other, so that a night has one. */
export async function lockOwner(tx: Tx, ownerId: string): Promise<void> {
  await tx.execute(sql`SELECT FROM users WHERE id = ${ownerId} FOR NO KEY UPDATE`)
}

export async function create(
  tx: Tx,
  ownerId: string,
  id: string,
  startedAt: Date
): Promise<ConsolidationRow> {
  const report: StoredReport = { steps: [], finished: [] }
  const [row] = await tx
    .insert(consolidations)
    .values({ ownerId, id, status: 'running', report, startedAt })
    .returning()
  return row as ConsolidationRow
}

/** The run that goes on, after ending those that never will. */
export async function findRunning(tx: Tx, ownerId: string): Promise<ConsolidationRow | undefined> {
  const isRunning = and(eq(consolidations.ownerId, ownerId), eq(consolidations.status, 'running'))
  await tx
    .update(consolidations)
    .set({ status: 'failed', finishedAt: sql`now()` })
    .where(and(isRunning, sql`${consolidations.startedAt} < now() - ${GIVEN_UP}`))
  const [row] = await tx.select().from(consolidations).where(isRunning).limit(1)
  return row
}

/**
 * Whether an owner's memory should be looked through: there is something new since the last time, or a week has gone by in
 * which plans may have passed; and the last time, or the account's beginning where there was none, is long enough ago.
 */
export async function isDue(tx: Tx, ownerId: string, now: Date, leastHours: number): Promise<boolean> {
  const { rows } = await tx.execute<{ due: boolean }>(sql`
    WITH last AS (
      SELECT started_at, coalesce(finished_at, started_at) AS ended_at FROM consolidations
       WHERE owner_id = ${ownerId} ORDER BY started_at DESC, id DESC LIMIT 1
    )
    SELECT NOT users.memory_paused
       AND coalesce(last.started_at, users.created_at - make_interval(hours => ${FIRST_NIGHT_HOURS}))
             < ${now}::timestamptz - make_interval(hours => ${leastHours})
       AND (EXISTS (SELECT FROM memories WHERE owner_id = ${ownerId} AND forgotten_at IS NULL
                     AND (last.started_at IS NULL OR updated_at > last.ended_at
                          OR last.started_at < ${now}::timestamptz - interval '7 days'))
            OR EXISTS (SELECT FROM conversations WHERE owner_id = ${ownerId} AND NOT temporary
                        AND (last.started_at IS NULL OR updated_at > last.ended_at))) AS due
      FROM users LEFT JOIN last ON true WHERE users.id = ${ownerId}`)
  return rows[0]?.due ?? false
}
/** A new account's first night is its first: it need not have been there the night before. */
const FIRST_NIGHT_HOURS = 20

/** While remembering is paused nothing new is concluded. */
export async function isPaused(tx: Tx, ownerId: string): Promise<boolean> {
  const [owner] = await tx.select({ paused: users.memoryPaused }).from(users).where(eq(users.id, ownerId))
  return owner?.paused ?? true
}

export async function find(tx: Tx, ownerId: string, id: string): Promise<ConsolidationRow | undefined> {
  const [row] = await tx.select().from(consolidations).where(isConsolidation(ownerId, id))
  return row
}

/** The same, kept from changing until the transaction ends. */
export async function lock(tx: Tx, ownerId: string, id: string): Promise<ConsolidationRow> {
  const [row] = await tx.select().from(consolidations).where(isConsolidation(ownerId, id)).for('update')
  if (!row) throw new ConsolidationNotFound(id)
  return row
}

export async function load(tx: Tx, ownerId: string, id: string): Promise<ConsolidationRow> {
  const row = await find(tx, ownerId, id)
  if (!row) throw new ConsolidationNotFound(id)
  return row
}

/** Newest first, one row more than `limit`. */
export function list(tx: Tx, ownerId: string, limit: number, after?: Cursor): Promise<ConsolidationRow[]> {
  const { startedAt, id } = consolidations
  const isAfter = after && or(lt(startedAt, after.at), and(eq(startedAt, after.at), lt(id, after.id)))
  return tx
    .select({
      ...getTableColumns(consolidations),
      report: sql<StoredReport>`${consolidations.report} - 'before'`
    })
    .from(consolidations)
    .where(and(eq(consolidations.ownerId, ownerId), isAfter))
    .orderBy(desc(startedAt), desc(id))
    .limit(limit + 1)
}

/** The topics that an earlier run found are not what undoing it would bring back any more. */
export async function forgetTopicsBefore(tx: Tx, ownerId: string): Promise<void> {
  await tx
    .update(consolidations)
    .set({ report: sql`${consolidations.report} #- '{before,topics}'` })
    .where(
      and(eq(consolidations.ownerId, ownerId), sql`${consolidations.report} #> '{before,topics}' IS NOT NULL`)
    )
}

/** The caller holds the row's lock. */
export async function saveReport(tx: Tx, ownerId: string, id: string, report: StoredReport): Promise<void> {
  await tx.update(consolidations).set({ report }).where(isConsolidation(ownerId, id))
}

export async function complete(tx: Tx, ownerId: string, id: string): Promise<void> {
  await tx
    .update(consolidations)
    .set({ status: 'completed', finishedAt: sql`now()` })
    .where(and(isConsolidation(ownerId, id), eq(consolidations.status, 'running')))
}

export async function markUndone(
  tx: Tx,
  ownerId: string,
  id: string,
  report: StoredReport
): Promise<ConsolidationRow> {
  const [row] = await tx
    .update(consolidations)
    .set({ status: 'undone', undoneAt: sql`now()`, report })
    .where(isConsolidation(ownerId, id))
    .returning()
  return row as ConsolidationRow
}

/** What was inferred before, kept or not: the inferred memory's id, then those it came from. */
export async function listInferred(tx: Tx, ownerId: string, limit: number): Promise<ConsolidationStep[]> {
  const { rows } = await tx.execute<{ step: ConsolidationStep }>(sql`
    SELECT step FROM (SELECT * FROM consolidations WHERE owner_id = ${ownerId}
                       ORDER BY started_at DESC, id DESC LIMIT ${limit}) AS run,
           jsonb_array_elements(run.report -> 'steps') AS step
     WHERE step ->> 'action' = 'inferred' ORDER BY run.started_at, run.id`)
  return rows.map(({ step }) => step)
}

function isConsolidation(ownerId: string, id: string) {
  return and(eq(consolidations.ownerId, ownerId), eq(consolidations.id, id))
}
