import { and, desc, eq, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Tx } from '../../db/client.ts'
import type { Cursor } from '../../http/cursor.ts'
import { afterClosing, hasOpenConflict } from '../closing.ts'
import { ConflictNotFound, MemoryNotFound, NotProposed } from '../errors.ts'
import { type Change, record } from '../history.ts'
import type { Memory } from '../schemas.ts'
import { hashText, loadMemories, type MemoryRow } from '../store.ts'
import { memories, memoryConflicts } from '../tables.ts'
import type { ConflictResolution, MemoryConflict } from './review-schemas.ts'

type Status = MemoryRow['status']

/** The current memory that says exactly this, proposed ones included. */
export async function findByText(
  tx: Tx,
  ownerId: string,
  text: string
): Promise<{ id: string; status: Status } | undefined> {
  const [row] = await tx
    .select({ id: memories.id, status: memories.status })
    .from(memories)
    .where(
      and(
        eq(memories.ownerId, ownerId),
        eq(memories.textHash, hashText(text)),
        isNull(memories.forgottenAt),
        inArray(memories.status, ['active', 'conflicting', 'proposed', 'unconfirmed'])
      )
    )
  return row
}

/** The current memory into which one that said exactly this was merged. */
export async function findMerged(
  tx: Tx,
  ownerId: string,
  text: string
): Promise<{ id: string; status: Status } | undefined> {
  const { rows } = await tx.execute<{ id: string; status: Status }>(sql`
    WITH RECURSIVE chain AS (
      SELECT id, status, superseded_by FROM memories
       WHERE owner_id = ${ownerId} AND text_hash = ${hashText(text)} AND forgotten_at IS NULL AND status = 'superseded'
      UNION
      SELECT next.id, next.status, next.superseded_by FROM chain
        JOIN memories next ON next.owner_id = ${ownerId} AND next.id = chain.superseded_by AND next.forgotten_at IS NULL
       WHERE EXISTS (SELECT FROM memory_history entry
         WHERE entry.owner_id = ${ownerId} AND entry.memory_id = chain.id AND entry.action = 'merged'
           AND entry.undone_at IS NULL AND entry.after ->> 'supersededBy' = chain.superseded_by::text)
    ) SELECT id, status FROM chain WHERE status IN ('active', 'conflicting', 'unconfirmed') LIMIT 1`)
  return rows[0]
}

/** Whether the owner has turned down a proposal that said exactly this. */
export async function isRejected(tx: Tx, ownerId: string, text: string): Promise<boolean> {
  const { rows } = await tx.execute(sql`
    SELECT FROM memories JOIN memory_history entry
        ON entry.owner_id = ${ownerId} AND entry.memory_id = memories.id AND entry.action = 'rejected'
       AND entry.undone_at IS NULL
     WHERE memories.owner_id = ${ownerId} AND memories.text_hash = ${hashText(text)} AND memories.status = 'expired' LIMIT 1`)
  return rows.length > 0
}

/** Newest first, one more than `limit`. */
export function listProposals(tx: Tx, ownerId: string, limit: number, after?: Cursor): Promise<Memory[]> {
  const { createdAt, id } = memories
  return tx
    .select({ id })
    .from(memories)
    .where(
      and(
        eq(memories.ownerId, ownerId),
        eq(memories.status, 'proposed'),
        isNull(memories.forgottenAt),
        after && or(lt(createdAt, after.at), and(eq(createdAt, after.at), lt(id, after.id)))
      )
    )
    .orderBy(desc(createdAt), desc(id))
    .limit(limit + 1)
    .then((rows) =>
      loadMemories(
        tx,
        ownerId,
        rows.map((row) => row.id)
      )
    )
}

/** Makes a proposed memory one like any other. Said again, it changes nothing. */
export async function approveProposal(tx: Tx, ownerId: string, id: string, by: Change['by']): Promise<void> {
  await decide(tx, ownerId, id, { by, action: 'approved' }, { status: 'active' })
}

/** What PAI inferred and the owner says is a memory like any other. */
export async function confirmInference(tx: Tx, ownerId: string, id: string, by: Change['by']): Promise<void> {
  const isOne = and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt))
  const [confirmed] = await tx
    .update(memories)
    .set({ status: 'active', updatedAt: sql`now()` })
    .where(and(isOne, eq(memories.status, 'unconfirmed')))
    .returning({ id: memories.id })
  if (!confirmed) return
  const [before, after] = [{ status: 'unconfirmed' }, { status: 'active' }]
  await record(tx, ownerId, id, { action: 'confirmed', by, before, after })
}

/** Turns a proposed memory down: it stays in the history and never held. */
export async function rejectProposal(tx: Tx, ownerId: string, id: string, now: Date): Promise<void> {
  const [row] = await tx
    .select({ validFrom: memories.validFrom })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id)))
  const validTo = row?.validFrom ?? now
  const after = { status: 'expired' as const, validTo, closedAt: now }
  const isDecided = await decide(tx, ownerId, id, { by: 'owner', action: 'rejected' }, after)
  if (isDecided) await afterClosing(tx, ownerId, id, 'owner', now)
}

/** False: it was decided so before. */
async function decide(
  tx: Tx,
  ownerId: string,
  id: string,
  change: Pick<Change, 'by' | 'action'>,
  after: Partial<Pick<MemoryRow, 'status' | 'validTo' | 'closedAt'>>
): Promise<boolean> {
  const isOne = and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt))
  const { status, validTo, closedAt } = memories
  const [row] = await tx.select({ status, validTo, closedAt }).from(memories).where(isOne).for('update')
  if (!row) throw new MemoryNotFound(id)
  // Decided before, the same way.
  if (row.status === after.status) return false
  if (row.status !== 'proposed') throw new NotProposed(id)
  await tx
    .update(memories)
    .set({ ...after, updatedAt: sql`now()` })
    .where(isOne)
  const before = Object.fromEntries(Object.keys(after).map((name) => [name, row[name as keyof typeof row]]))
  await record(tx, ownerId, id, { ...change, before, after })
  return true
}

/** Conflicts that wait for the owner, newest first, one more than `limit`. */
export async function listConflicts(
  tx: Tx,
  ownerId: string,
  limit: number,
  after?: Cursor
): Promise<MemoryConflict[]> {
  const { createdAt, id } = memoryConflicts
  const remembered = (column: AnyPgColumn) => sql`EXISTS (SELECT FROM memories
    WHERE memories.owner_id = ${ownerId} AND memories.id = ${column} AND memories.forgotten_at IS NULL)`
  const rows = await tx
    .select()
    .from(memoryConflicts)
    .where(
      and(
        eq(memoryConflicts.ownerId, ownerId),
        isNull(memoryConflicts.resolvedAt),
        // One of a pair that is forgotten leaves nothing to decide.
        remembered(memoryConflicts.memoryId),
        remembered(memoryConflicts.otherId),
        after && or(lt(createdAt, after.at), and(eq(createdAt, after.at), lt(id, after.id)))
      )
    )
    .orderBy(desc(createdAt), desc(id))
    .limit(limit + 1)
  return withMemories(tx, ownerId, rows)
}

type ConflictRow = typeof memoryConflicts.$inferSelect

async function withMemories(tx: Tx, ownerId: string, rows: ConflictRow[]): Promise<MemoryConflict[]> {
  const ids = [...new Set(rows.flatMap(({ memoryId, otherId }) => [memoryId, otherId]))]
  const byId = new Map((await loadMemories(tx, ownerId, ids)).map((memory) => [memory.id, memory]))
  return rows.flatMap(({ id, reason, memoryId, otherId, createdAt, resolvedAt }) => {
    // The one that was there before comes first.
    const [first, second] = [byId.get(otherId), byId.get(memoryId)]
    if (!first || !second) return []
    return [
      {
        id,
        reason,
        first,
        second,
        createdAt: createdAt.toISOString(),
        resolvedAt: resolvedAt?.toISOString() ?? null
      }
    ]
  })
}

/** Settles a conflict as the owner says. Said again, it changes nothing. */
export async function resolveConflict(
  tx: Tx,
  ownerId: string,
  id: string,
  keep: ConflictResolution['keep'],
  now: Date
): Promise<MemoryConflict> {
  const isOne = and(eq(memoryConflicts.ownerId, ownerId), eq(memoryConflicts.id, id))
  const [row] = await tx.select().from(memoryConflicts).where(isOne).for('update')
  if (!row) throw new ConflictNotFound(id)
  if (row.resolvedAt === null) {
    await tx.update(memoryConflicts).set({ resolvedAt: now }).where(isOne)
    const [first, second] = [row.otherId, row.memoryId]
    await settle(tx, ownerId, first, keep === 'first' || keep === 'both', second, keep, now)
    await settle(tx, ownerId, second, keep === 'second' || keep === 'both', first, keep, now)
  }
  const [settled] = await withMemories(tx, ownerId, [{ ...row, resolvedAt: row.resolvedAt ?? now }])
  if (!settled) throw new ConflictNotFound(id)
  return settled
}

async function settle(
  tx: Tx,
  ownerId: string,
  id: string,
  kept: boolean,
  other: string,
  keep: ConflictResolution['keep'],
  now: Date
): Promise<void> {
  const isOne = and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt))
  const [before] = await tx
    .select({
      status: memories.status,
      validTo: memories.validTo,
      supersededBy: memories.supersededBy,
      closedAt: memories.closedAt
    })
    .from(memories)
    .where(isOne)
    .for('update')
  if (before?.status !== 'conflicting') return
  if (kept && (await hasOpenConflict(tx, ownerId, id))) return
  const closed = { validTo: now, closedAt: now, supersededBy: keep === 'neither' ? null : other }
  const after = kept
    ? { ...before, status: 'active' as const }
    : { ...closed, status: keep === 'neither' ? ('expired' as const) : ('superseded' as const) }
  await tx
    .update(memories)
    .set({ ...after, updatedAt: sql`now()` })
    .where(isOne)
  const reason = `the owner kept ${keep}`
  await record(tx, ownerId, id, { action: 'resolved', by: 'owner', reason, before, after })
  if (!kept) await afterClosing(tx, ownerId, id, 'owner', now)
}
