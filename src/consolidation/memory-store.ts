import { and, asc, desc, eq, gt, inArray, isNull, lte, ne, or, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { memoryVectors, vectorModels } from '../memory/recall/tables.ts'
import { memories, memoryDependencies, memoryHistory, memorySources } from '../memory/tables.ts'

export type MemoryRow = typeof memories.$inferSelect
export type HistoryRow = typeof memoryHistory.$inferSelect
export type MemoryColumns = Partial<typeof memories.$inferInsert>

const isOwned = (ownerId: string) => and(eq(memories.ownerId, ownerId), isNull(memories.forgottenAt))
const isMemory = (ownerId: string, id: string) => and(isOwned(ownerId), eq(memories.id, id))
const holdsAt = (now: Date) => or(isNull(memories.validTo), gt(memories.validTo, now))

/** What holds now and needs no confirming: the latest changed, if there are very many; in the order they came. */
export async function listCurrent(tx: Tx, ownerId: string, now: Date, limit: number): Promise<MemoryRow[]> {
  const rows = await tx
    .select()
    .from(memories)
    .where(and(isOwned(ownerId), eq(memories.status, 'active'), holdsAt(now)))
    .orderBy(desc(memories.updatedAt), desc(memories.id))
    .limit(limit)
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** These memories, kept from changing until the transaction ends; in the order of their ids, so that two wait for each other. */
export function lockMemories(tx: Tx, ownerId: string, ids: string[]): Promise<MemoryRow[]> {
  return tx
    .select()
    .from(memories)
    .where(and(isOwned(ownerId), inArray(memories.id, ids)))
    .orderBy(asc(memories.id))
    .for('update')
}

/** Memories whose time has passed and that do not say so yet. */
export function lockPassed(tx: Tx, ownerId: string, now: Date, limit: number): Promise<MemoryRow[]> {
  return tx
    .select()
    .from(memories)
    .where(
      and(
        isOwned(ownerId),
        inArray(memories.status, ['active', 'unconfirmed']),
        lte(memories.validTo, now),
        sql`NOT ${wasUndone(ownerId, 'expired')}`
      )
    )
    .orderBy(asc(memories.id))
    .limit(limit)
    .for('update')
}

/** Plans without a known end, after one of them. */
export function listOpenPlans(
  tx: Tx,
  ownerId: string,
  after: string | null,
  limit: number
): Promise<MemoryRow[]> {
  return tx
    .select()
    .from(memories)
    .where(
      and(
        isOwned(ownerId),
        eq(memories.category, 'plan'),
        eq(memories.status, 'active'),
        eq(memories.pinned, false),
        isNull(memories.validTo),
        after === null ? undefined : gt(memories.id, after),
        sql`NOT ${wasUndone(ownerId, 'expired')}`
      )
    )
    .orderBy(asc(memories.id))
    .limit(limit)
}

/** Memories the owner has taken out of a merge: what was undone is not done again. */
export async function findUnmerged(tx: Tx, ownerId: string): Promise<Set<string>> {
  const rows = await tx
    .selectDistinct({ id: memoryHistory.memoryId })
    .from(memoryHistory)
    .where(
      and(
        eq(memoryHistory.ownerId, ownerId),
        eq(memoryHistory.action, 'merged'),
        sql`${memoryHistory.undoneAt} IS NOT NULL`
      )
    )
  return new Set(rows.map(({ id }) => id))
}

function wasUndone(ownerId: string, action: HistoryRow['action']) {
  return sql`EXISTS (SELECT FROM memory_history h WHERE h.owner_id = ${ownerId} AND h.memory_id = ${memories.id}
    AND h.action = ${action} AND h.undone_at IS NOT NULL)`
}

export async function changeColumns(
  tx: Tx,
  ownerId: string,
  id: string,
  columns: MemoryColumns
): Promise<void> {
  await tx
    .update(memories)
    .set({ ...columns, updatedAt: sql`now()` })
    .where(isMemory(ownerId, id))
}

/** Takes back the sources that a merge gave to the one that was kept. */
export async function removeSources(tx: Tx, ownerId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx
    .delete(memorySources)
    .where(and(eq(memorySources.ownerId, ownerId), inArray(memorySources.id, ids)))
}

export async function removeDependants(
  tx: Tx,
  ownerId: string,
  dependsOn: string,
  memoryIds: string[]
): Promise<void> {
  if (memoryIds.length === 0) return
  await tx
    .delete(memoryDependencies)
    .where(
      and(
        eq(memoryDependencies.ownerId, ownerId),
        eq(memoryDependencies.dependsOn, dependsOn),
        inArray(memoryDependencies.memoryId, memoryIds)
      )
    )
}

/** How many inferences wait for the owner's word. */
export async function countInferred(tx: Tx, ownerId: string): Promise<number> {
  return tx.$count(
    memories,
    and(isOwned(ownerId), eq(memories.origin, 'inferred'), eq(memories.status, 'unconfirmed'))
  )
}

/** False where a memory says it already, in whatever state: what was inferred and done away with does not come back. */
export async function addInferred(
  tx: Tx,
  ownerId: string,
  memory: Omit<typeof memories.$inferInsert, 'ownerId' | 'status' | 'origin'>,
  dependsOn: string[]
): Promise<boolean> {
  const known = await tx
    .select({ id: memories.id })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.textHash, memory.textHash)))
    .limit(1)
  if (known.length > 0) return false
  const added = await tx
    .insert(memories)
    .values({ ...memory, ownerId, status: 'unconfirmed', origin: 'inferred' })
    .onConflictDoNothing()
    .returning({ id: memories.id })
  if (added.length === 0) return false
  await tx
    .insert(memoryDependencies)
    .values(dependsOn.map((id) => ({ ownerId, memoryId: memory.id, dependsOn: id })))
  return true
}

export async function removeMemory(tx: Tx, ownerId: string, id: string): Promise<void> {
  await tx.delete(memories).where(and(eq(memories.ownerId, ownerId), eq(memories.id, id)))
}

/** What a batch of work did, latest first, without what was undone. */
export function listBatch(tx: Tx, ownerId: string, batchId: string): Promise<HistoryRow[]> {
  return tx
    .select()
    .from(memoryHistory)
    .where(
      and(
        eq(memoryHistory.ownerId, ownerId),
        eq(memoryHistory.batchId, batchId),
        isNull(memoryHistory.undoneAt)
      )
    )
    .orderBy(desc(memoryHistory.id))
}

export async function markHistoryUndone(tx: Tx, ownerId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return
  await tx
    .update(memoryHistory)
    .set({ undoneAt: sql`now()` })
    .where(and(eq(memoryHistory.ownerId, ownerId), inArray(memoryHistory.id, ids)))
}

/** Whether another memory in use says the same: then this one cannot come back beside it. */
export async function isSaidElsewhere(
  tx: Tx,
  ownerId: string,
  { id, textHash }: MemoryRow
): Promise<boolean> {
  const rows = await tx
    .select({ id: memories.id })
    .from(memories)
    .where(
      and(
        isOwned(ownerId),
        eq(memories.textHash, textHash),
        ne(memories.id, id),
        inArray(memories.status, ['active', 'conflicting', 'proposed', 'unconfirmed'])
      )
    )
    .limit(1)
  return rows.length > 0
}

export async function listVectors(
  tx: Tx,
  ownerId: string,
  model: string,
  ids: string[]
): Promise<Map<string, number[]>> {
  const rows = await tx
    .select({ id: memoryVectors.id, embedding: memoryVectors.embedding })
    .from(memoryVectors)
    .where(
      and(eq(memoryVectors.ownerId, ownerId), eq(memoryVectors.model, model), inArray(memoryVectors.id, ids))
    )
  return new Map(rows.map(({ id, embedding }) => [id, embedding]))
}

/** Whether the vectors in use are another model's, so that of this one there are only some. */
export async function isOtherModel(tx: Tx, ownerId: string, model: string): Promise<boolean> {
  const { model: inUse } = vectorModels
  const rows = await tx
    .select({ inUse })
    .from(vectorModels)
    .where(and(eq(vectorModels.ownerId, ownerId), ne(inUse, model)))
  return rows.length > 0
}
