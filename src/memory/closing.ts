import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { type Change, record } from './history.ts'
import { memories, memoryConflicts, memoryDependencies } from './tables.ts'

type By = Change['by']

/** What the end of a memory means for others: what was derived from it is in doubt, what it contradicted no longer is. */
export async function afterClosing(tx: Tx, ownerId: string, id: string, by: By, now: Date): Promise<void> {
  await questionDependants(tx, ownerId, id, by)
  await releaseRivals(tx, ownerId, id, by, now)
}

/** What was derived from a memory that changed needs confirming. */
export async function questionDependants(tx: Tx, ownerId: string, id: string, by: By): Promise<void> {
  const derived = await tx
    .select({ id: memoryDependencies.memoryId })
    .from(memoryDependencies)
    .where(and(eq(memoryDependencies.ownerId, ownerId), eq(memoryDependencies.dependsOn, id)))
    .orderBy(memoryDependencies.memoryId)
  const ids = derived.map((row) => row.id)
  if (ids.length === 0) return
  const questioned = await tx
    .update(memories)
    .set({ status: 'unconfirmed', updatedAt: sql`now()` })
    .where(
      and(
        eq(memories.ownerId, ownerId),
        inArray(memories.id, ids),
        eq(memories.status, 'active'),
        isNull(memories.forgottenAt)
      )
    )
    .returning({ id: memories.id })
  for (const row of questioned) {
    await record(tx, ownerId, row.id, {
      action: 'questioned',
      by,
      reason: 'something it was derived from has changed',
      before: { status: 'active' },
      after: { status: 'unconfirmed' }
    })
  }
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
  const released = await tx
    .update(memories)
    .set({ status: 'active', updatedAt: sql`now()` })
    .where(and(isRemembered(ownerId, id), eq(memories.status, 'conflicting')))
    .returning({ id: memories.id })
  if (released.length === 0) return
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
    await tx
      .update(memories)
      .set({ ...after, updatedAt: sql`now()` })
      .where(isRemembered(ownerId, rival))
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
