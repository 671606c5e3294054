import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Tx } from '../db/client.ts'
import { releaseRivals } from './closing.ts'
import { MemoryNotFound, MergeInvalid } from './errors.ts'
import { addConflict } from './extraction/reconcile-store.ts'
import { type Change, record } from './history.ts'
import type { MemoryRow } from './store.ts'
import { memories, memoryConflicts, memorySources } from './tables.ts'

/** Memories that cannot be joined as they are: what has ended is history, and what was proposed is not the owner's yet. */
const MERGEABLE: MemoryRow['status'][] = ['active', 'unconfirmed', 'conflicting']

/** Who merges, why, and as a part of what. */
export type MergedBy = Pick<Change, 'by' | 'reason'> & { batchId: string }

/** Makes one of memories that say the same: the first is kept and gains what the others have; they are superseded by it. */
export async function merge(
  tx: Tx,
  ownerId: string,
  keptId: string,
  otherIds: string[],
  now: Date,
  { by, batchId, reason }: MergedBy = { by: 'owner', batchId: uuidv7() }
): Promise<void> {
  const ids = [...new Set(otherIds)]
  const rows = await tx
    .select()
    .from(memories)
    .where(
      and(eq(memories.ownerId, ownerId), inArray(memories.id, [keptId, ...ids]), isNull(memories.forgottenAt))
    )
    .orderBy(memories.id)
    .for('update')
  const found = (id: string): MemoryRow => {
    const row = rows.find((memory) => memory.id === id)
    if (!row) throw new MemoryNotFound(id)
    return row
  }
  const kept = found(keptId)
  if (ids.includes(keptId)) throw new MergeInvalid()
  const others = ids.map(found)
  // Sent again after it was done, it changes nothing.
  const left = others.filter(({ supersededBy, status }) => status !== 'superseded' || supersededBy !== keptId)
  if (left.length === 0) return
  if ([kept, ...left].some(({ status }) => !MERGEABLE.includes(status))) throw new MergeInvalid()
  const entry = { action: 'merged' as const, by, batchId, ...(reason && { reason }) }
  for (const { id, status, supersededBy, validFrom, validTo, closedAt, createdAt } of left) {
    const after = {
      status: 'superseded' as const,
      supersededBy: keptId,
      // The one that is kept stands for it at every time: it held for none by itself.
      validTo: validFrom ?? createdAt,
      closedAt: now
    }
    await change(tx, ownerId, id, after)
    await record(tx, ownerId, id, { ...entry, before: { status, supersededBy, validTo, closedAt }, after })
  }
  const leftIds = left.map(({ id }) => id)
  const addedConflicts = await moveConflicts(tx, ownerId, keptId, leftIds, by)
  // What was derived from them is derived from the one that is kept: it is not in doubt.
  for (const id of leftIds) await releaseRivals(tx, ownerId, id, by, now)
  const { proofCount, importance, strength, tags, pinned, validFrom } = kept
  const all = [kept, ...left]
  const joined = {
    proofCount: all.reduce((sum, row) => sum + row.proofCount, 0),
    importance: Math.max(...all.map((row) => row.importance)),
    strength: Math.max(...all.map((row) => row.strength)),
    tags: [...new Set(all.flatMap((row) => row.tags))],
    pinned: all.some((row) => row.pinned),
    validFrom: earliest(all)
  }
  await change(tx, ownerId, keptId, joined)
  await record(tx, ownerId, keptId, {
    ...entry,
    before: { proofCount, importance, strength, tags, pinned, validFrom },
    after: {
      ...joined,
      addedSources: await copySources(tx, ownerId, keptId, leftIds),
      addedDependants: await copyDependants(tx, ownerId, keptId, leftIds),
      addedConflicts
    }
  })
}

async function change(tx: Tx, ownerId: string, id: string, columns: Partial<MemoryRow>): Promise<void> {
  await tx
    .update(memories)
    .set({ ...columns, updatedAt: sql`now()` })
    .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id)))
}

/** null is no known bound: of "always" and "since March" the first holds. */
function earliest(rows: MemoryRow[]): Date | null {
  const starts = rows.map(({ validFrom }) => validFrom)
  if (starts.includes(null)) return null
  return new Date(Math.min(...starts.map((start) => start?.getTime() ?? 0)))
}

async function copySources(tx: Tx, ownerId: string, toId: string, fromIds: string[]): Promise<string[]> {
  const rows = await tx
    .select()
    .from(memorySources)
    .where(and(eq(memorySources.ownerId, ownerId), inArray(memorySources.memoryId, fromIds)))
    .orderBy(memorySources.saidAt, memorySources.id)
  if (rows.length === 0) return []
  const added = await tx
    .insert(memorySources)
    .values(rows.map((row) => ({ ...row, id: uuidv7(), memoryId: toId })))
    .onConflictDoNothing()
    .returning({ id: memorySources.id })
  return added.map(({ id }) => id)
}

/** What one of them contradicts, the one that is kept contradicts as well. Answers the conflicts that are new. */
async function moveConflicts(
  tx: Tx,
  ownerId: string,
  toId: string,
  fromIds: string[],
  by: Change['by']
): Promise<string[]> {
  const { memoryId, otherId, resolvedAt } = memoryConflicts
  const ofOwner = eq(memoryConflicts.ownerId, ownerId)
  const ofThem = or(inArray(memoryId, fromIds), inArray(otherId, fromIds))
  const open = await tx
    .select()
    .from(memoryConflicts)
    .where(and(ofOwner, isNull(resolvedAt), ofThem))
  const added: string[] = []
  for (const { reason, ...pair } of open) {
    const rival = fromIds.includes(pair.memoryId) ? pair.otherId : pair.memoryId
    if (rival === toId || fromIds.includes(rival)) continue
    const both = [toId, rival]
    const isBoth = and(inArray(memoryId, both), inArray(otherId, both))
    // One that the owner has settled stays so.
    if ((await tx.select({ memoryId }).from(memoryConflicts).where(and(ofOwner, isBoth))).length > 0) continue
    const id = uuidv7()
    await addConflict(tx, ownerId, { id, memoryId: toId, otherId: rival, reason }, by)
    added.push(id)
  }
  return added
}

/** What was derived from one of them is derived from the one that is kept. */
async function copyDependants(tx: Tx, ownerId: string, toId: string, fromIds: string[]): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    INSERT INTO memory_dependencies (owner_id, memory_id, depends_on)
    SELECT DISTINCT owner_id, memory_id, ${toId}::uuid FROM memory_dependencies
     WHERE owner_id = ${ownerId} AND depends_on = ANY (${sql.param(fromIds)}::uuid[]) AND memory_id <> ${toId}
    ON CONFLICT DO NOTHING RETURNING memory_id AS id`)
  return rows.map(({ id }) => id)
}
