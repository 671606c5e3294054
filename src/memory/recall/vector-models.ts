import { eq, sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import type { Queue } from '../../jobs/queue.ts'
import { vectorModels } from './tables.ts'

/** Notes which model an owner's first vectors are of. */
export async function noteModel(tx: Tx, ownerId: string, model: string): Promise<void> {
  await tx.insert(vectorModels).values({ ownerId, model }).onConflictDoNothing()
}

/** Has the vectors of another model built beside those in use, once, whoever notices first. */
export async function beginSwitch(
  tx: Tx,
  queue: Pick<Queue, 'enqueue'>,
  ownerId: string,
  model: string,
  nextModel: string
): Promise<void> {
  await noteModel(tx, ownerId, model)
  const [row] = await tx.select().from(vectorModels).where(eq(vectorModels.ownerId, ownerId)).for('update')
  // Back to the model that is still in use, there is nothing to build.
  const next = row?.model === nextModel ? null : nextModel
  if (!row || row.nextModel === next) return
  await tx
    .update(vectorModels)
    .set({ nextModel: next, done: 0, total: 0, updatedAt: sql`now()` })
    .where(eq(vectorModels.ownerId, ownerId))
  if (row.nextModel) await queue.enqueue(tx, 'memory.reembed', { ownerId, remove: row.nextModel })
  if (next) await queue.enqueue(tx, 'memory.reembed', { ownerId })
}

/** How many of an owner's memories and findable messages have a vector of the model that is built, or of the one in use. */
export async function readProgress(
  tx: Tx,
  ownerId: string,
  model: string
): Promise<{ model: string; nextModel: string | null; done: number; total: number }> {
  const [row] = await tx
    .select({ nextModel: vectorModels.nextModel })
    .from(vectorModels)
    .where(eq(vectorModels.ownerId, ownerId))
  const nextModel = row?.nextModel ?? null
  return { model, nextModel, ...(await countVectors(tx, ownerId, nextModel ?? model)) }
}

export async function countVectors(
  tx: Tx,
  ownerId: string,
  model: string
): Promise<{ done: number; total: number }> {
  const { rows } = await tx.execute<{ done: number; total: number }>(sql`
    SELECT ((SELECT count(*) FROM memories WHERE owner_id = ${ownerId} AND forgotten_at IS NULL)
          + (SELECT count(*) FROM message_terms WHERE owner_id = ${ownerId} AND term = ''))::int AS total,
           ((SELECT count(*) FROM memory_vectors made JOIN memories ON memories.owner_id = ${ownerId}
                AND memories.id = made.id AND memories.forgotten_at IS NULL
              WHERE made.owner_id = ${ownerId} AND made.model = ${model})
          + (SELECT count(*) FROM message_vectors made JOIN message_terms said ON said.owner_id = ${ownerId}
                AND said.term = '' AND said.id = made.id
              WHERE made.owner_id = ${ownerId} AND made.model = ${model}))::int AS done`)
  return rows[0] ?? { done: 0, total: 0 }
}
