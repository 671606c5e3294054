import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { type Change, record } from './history.ts'
import { memories, memoryConflicts, memoryDependencies, memoryHistory } from './tables.ts'

type By = Change['by']

/** What the end of a memory means for others: what was derived from it is in doubt, what it contradicted no longer is. */
export async function afterClosing(tx: Tx, ownerId: string, id: string, by: By, now: Date): Promise<void> {
  await questionDependants(tx, ownerId, id, by)
  await releaseRivals(tx, ownerId, id, by, now)
}

/** What was derived from a memory that changed needs confirming. */
export async function questionDependants(tx: Tx, ownerId: string, id: string, by: By): Promise<void> {
  const derived = await tx
    .select({ id: memories.id, status: memories.status })
    .from(memories)
    .innerJoin(
      memoryDependencies,
      and(eq(memoryDependencies.ownerId, ownerId), eq(memoryDependencies.memoryId, memories.id))
    )
    .where(
      and(
        eq(memories.ownerId, ownerId),
        eq(memoryDependencies.dependsOn, id),
        inArray(memories.status, ['active', 'unconfirmed']),
        isNull(memories.forgottenAt)
      )
    )
    .orderBy(memories.id)
    .for('update', { of: memories })
  for (const { id: derivedId, status } of derived) {
    if (status === 'active') await setStatus(tx, ownerId, derivedId, 'unconfirmed')
    // Also where it was in doubt before: it has one reason more, and undoing another leaves this one.
    await record(tx, ownerId, derivedId, {
      action: 'questioned',
      by,
      reason: 'something it was derived from has changed',
      before: { status },
      after: { status: 'unconfirmed', questionedFor: id }
    })
  }
}

/** What was derived from a memory that is as it was before holds again, unless something else it rests on has changed. */
export async function reaffirmDependants(tx: Tx, ownerId: string, id: string, by: By): Promise<void> {
  const { rows } = await tx.execute<{ entryId: string; derivedId: string }>(sql`
    SELECT DISTINCT ON (entry.memory_id) entry.id AS "entryId", entry.memory_id AS "derivedId"
      FROM memory_dependencies derived
      JOIN memory_history entry ON entry.owner_id = ${ownerId} AND entry.memory_id = derived.memory_id
       AND entry.action = 'questioned' AND entry.undone_at IS NULL AND entry.after ->> 'questionedFor' = ${id}::text
     WHERE derived.owner_id = ${ownerId} AND derived.depends_on = ${id} ORDER BY entry.memory_id, entry.id DESC`)
  for (const { entryId, derivedId } of rows) {
    await tx
      .update(memoryHistory)
      .set({ undoneAt: sql`now()` })
      .where(and(eq(memoryHistory.ownerId, ownerId), eq(memoryHistory.id, entryId)))
    if (!(await heldBeforeDoubts(tx, ownerId, derivedId))) continue
    const held = await setStatus(tx, ownerId, derivedId, 'active', 'unconfirmed')
    if (!held) continue
    await record(tx, ownerId, derivedId, {
      action: 'restored',
      by,
      reason: 'what it was derived from is as it was before',
      before: { status: 'unconfirmed' },
      after: { status: 'active' }
    })
  }
}

/** Whether a memory held before all that put it in doubt, and none of that is left; what the owner has said settles the rest. */
async function heldBeforeDoubts(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const { rows } = await tx.execute<{ held: boolean | null; left: boolean | null }>(sql`
    SELECT bool_or(before ->> 'status' = 'active') AS held, bool_or(undone_at IS NULL) AS left
      FROM memory_history WHERE owner_id = ${ownerId} AND memory_id = ${id} AND action = 'questioned'
       AND NOT EXISTS (SELECT FROM memory_history said WHERE said.owner_id = ${ownerId} AND said.memory_id = ${id}
         AND said.action IN ('confirmed', 'edited') AND said.undone_at IS NULL AND said.id > memory_history.id)`)
  return rows[0]?.held === true && rows[0].left === false
}

/** False where it is not there, or not `from` what it is said to be. */
async function setStatus(
  tx: Tx,
  ownerId: string,
  id: string,
  status: 'active' | 'conflicting' | 'unconfirmed',
  from?: 'conflicting' | 'unconfirmed'
): Promise<boolean> {
  const changed = await tx
    .update(memories)
    .set({ status, updatedAt: sql`now()` })
    .where(and(isRemembered(ownerId, id), from && eq(memories.status, from)))
    .returning({ id: memories.id })
  return changed.length > 0
}

/** Settles the open conflicts of a memory that has ended; a rival that is left in none holds again. */
export async function releaseRivals(tx: Tx, ownerId: string, id: string, by: By, now: Date): Promise<void> {
  const settled = await tx
    .update(memoryConflicts)
    .set({ resolvedAt: now })
    .where(isOpenConflictOf(ownerId, id))
    .returning({ memoryId: memoryConflicts.memoryId, otherId: memoryConflicts.otherId })
  for (const { memoryId, otherId } of settled) {
    await releaseIfAlone(tx, ownerId, memoryId === id ? otherId : memoryId, by)
  }
}

/** A memory that contradicts nothing any more holds again. */
export async function releaseIfAlone(tx: Tx, ownerId: string, id: string, by: By): Promise<void> {
  if (await hasOpenConflict(tx, ownerId, id)) return
  if (!(await setStatus(tx, ownerId, id, 'active', 'conflicting'))) return
  await record(tx, ownerId, id, {
    action: 'resolved',
    by,
    reason: 'what it contradicted has ended',
    before: { status: 'conflicting' },
    after: { status: 'active' }
  })
}

/**
 * What it means for others that a memory which ended at `closedAt` holds again: what it contradicted then, and still stands,
 * is contradicted again.
 */
export async function afterReopening(
  tx: Tx,
  ownerId: string,
  id: string,
  closedAt: Date,
  by: By
): Promise<void> {
  const settled = await tx
    .select()
    .from(memoryConflicts)
    .where(and(isConflictOf(ownerId, id), eq(memoryConflicts.resolvedAt, closedAt)))
    .for('update')
  for (const { id: conflictId, memoryId, otherId } of settled) {
    const rival = memoryId === id ? otherId : memoryId
    const [before] = await tx
      .select({ status: memories.status })
      .from(memories)
      .where(
        and(isRemembered(ownerId, rival), inArray(memories.status, ['active', 'unconfirmed', 'conflicting']))
      )
      .for('update')
    if (!before) continue
    await tx
      .update(memoryConflicts)
      .set({ resolvedAt: null })
      .where(and(eq(memoryConflicts.ownerId, ownerId), eq(memoryConflicts.id, conflictId)))
    if (before.status === 'conflicting') continue
    const after = { status: 'conflicting' as const }
    await setStatus(tx, ownerId, rival, after.status)
    await record(tx, ownerId, rival, {
      action: 'conflicted',
      by,
      reason: 'what it contradicted holds again',
      before,
      after
    })
  }
  await releaseIfAlone(tx, ownerId, id, by)
}

export async function hasOpenConflict(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const rows = await tx
    .select({ id: memoryConflicts.id })
    .from(memoryConflicts)
    .where(isOpenConflictOf(ownerId, id))
    .limit(1)
  return rows.length > 0
}

function isRemembered(ownerId: string, id: string) {
  return and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt))
}

function isConflictOf(ownerId: string, id: string) {
  return and(
    eq(memoryConflicts.ownerId, ownerId),
    or(eq(memoryConflicts.memoryId, id), eq(memoryConflicts.otherId, id))
  )
}

function isOpenConflictOf(ownerId: string, id: string) {
  return and(isConflictOf(ownerId, id), isNull(memoryConflicts.resolvedAt))
}
