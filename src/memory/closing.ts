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
async function releaseRivals(tx: Tx, ownerId: string, id: string, by: By, now: Date): Promise<void> {
  const settled = await tx
    .update(memoryConflicts)
    .set({ resolvedAt: now })
    .where(isOpenConflictOf(ownerId, id))
    .returning({ memoryId: memoryConflicts.memoryId, otherId: memoryConflicts.otherId })
  for (const { memoryId, otherId } of settled) {
    const rival = memoryId === id ? otherId : memoryId
    if (await hasOpenConflict(tx, ownerId, rival)) continue
    const released = await tx
      .update(memories)
      .set({ status: 'active', updatedAt: sql`now()` })
      .where(
        and(
          eq(memories.ownerId, ownerId),
          eq(memories.id, rival),
          eq(memories.status, 'conflicting'),
          isNull(memories.forgottenAt)
        )
      )
      .returning({ id: memories.id })
    if (released.length === 0) continue
    await record(tx, ownerId, rival, {
      action: 'resolved',
      by,
      reason: 'what it contradicted has ended',
      before: { status: 'conflicting' },
      after: { status: 'active' }
    })
  }
}

export async function hasOpenConflict(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const rows = await tx
    .select({ id: memoryConflicts.id })
    .from(memoryConflicts)
    .where(isOpenConflictOf(ownerId, id))
    .limit(1)
  return rows.length > 0
}

function isOpenConflictOf(ownerId: string, id: string) {
  return and(
    eq(memoryConflicts.ownerId, ownerId),
    isNull(memoryConflicts.resolvedAt),
    or(eq(memoryConflicts.memoryId, id), eq(memoryConflicts.otherId, id))
  )
}
