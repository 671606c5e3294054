import { and, eq, isNull, ne, or, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import type { Queue } from '../jobs/queue.ts'
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
  // Back to the model that is still in use, there is nothing to build.
  const next = model === nextModel ? null : nextModel
  const begun = await tx
    .update(vectorModels)
    .set({ nextModel: next, done: 0, total: 0, updatedAt: sql`now()` })
    .where(
      and(
        eq(vectorModels.ownerId, ownerId),
        next === null ? undefined : or(isNull(vectorModels.nextModel), ne(vectorModels.nextModel, next))
      )
    )
    .returning({ ownerId: vectorModels.ownerId })
  if (begun.length > 0) await queue.enqueue(tx, 'memory.reembed', { ownerId })
}
