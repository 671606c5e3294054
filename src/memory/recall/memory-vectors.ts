import { and, eq, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import { memories } from '../tables.ts'
import { memoryVectors } from './tables.ts'

/** How much a memory's strength rises each time a reply quotes it, and how far. */
const USE_STRENGTH = 0.1
const MAX_STRENGTH = 3

/** The texts of these memories that have no vector of this model yet. */
export function findUnembedded(
  tx: Tx,
  ownerId: string,
  model: string,
  ids: string[]
): Promise<{ id: string; text: string }[]> {
  return tx
    .select({ id: memories.id, text: memories.text })
    .from(memories)
    .where(
      and(
        eq(memories.ownerId, ownerId),
        inArray(memories.id, ids),
        isNull(memories.forgottenAt),
        sql`NOT EXISTS (SELECT FROM memory_vectors v
          WHERE v.owner_id = ${ownerId} AND v.id = ${memories.id} AND v.model = ${model})`
      )
    )
}

export async function saveVectors(
  tx: Tx,
  ownerId: string,
  model: string,
  vectors: { id: string; text: string; embedding: number[] }[]
): Promise<void> {
  const ids = vectors.map(({ id }) => id)
  if (ids.length === 0) return
  // Corrected or forgotten while its vector was made, a memory must not be found by it. The lock keeps it from being
  // changed between this look and the commit.
  const rows = await tx
    .select({ id: memories.id, text: memories.text })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), inArray(memories.id, ids), isNull(memories.forgottenAt)))
    .for('share')
  const texts = new Map(rows.map(({ id, text }) => [id, text]))
  const current = vectors.filter(({ id, text }) => texts.get(id) === text)
  if (current.length === 0) return
  await tx
    .insert(memoryVectors)
    .values(current.map(({ id, embedding }) => ({ ownerId, id, model, embedding })))
    .onConflictDoUpdate({
      target: [memoryVectors.ownerId, memoryVectors.id, memoryVectors.model],
      set: { embedding: sql`excluded.embedding` }
    })
}

/** Notes that a reply has quoted these memories: once for each moment, however often it is told. */
export async function noteUse(tx: Tx, ownerId: string, ids: string[], at: Date): Promise<void> {
  if (ids.length === 0) return
  await tx
    .update(memories)
    .set({
      strength: sql`greatest(${memories.strength}, least(${memories.strength} + ${USE_STRENGTH}::real, ${MAX_STRENGTH}::real))`,
      lastUsedAt: at
    })
    .where(
      and(
        eq(memories.ownerId, ownerId),
        inArray(memories.id, ids),
        or(isNull(memories.lastUsedAt), lt(memories.lastUsedAt, at))
      )
    )
}
