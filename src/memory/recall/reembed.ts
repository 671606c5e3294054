import { and, eq, sql } from 'drizzle-orm'
import type { Database, Tx } from '../../db/client.ts'
import type { JobHandlers, Queue } from '../../jobs/queue.ts'
import type { Embedder } from '../../llm/model.ts'
import { embedMessages, findUnembeddedMessages, saveMessageVectors } from './embed-messages.ts'
import type { Embedders } from './embedders.ts'
import { saveVectors } from './memory-vectors.ts'
import { memoryVectors, messageVectors, vectorModels } from './tables.ts'
import { countVectors } from './vector-models.ts'
import { listMemoriesWithout, listMessagesWithout } from './without-vector.ts'

/** Rows embedded at once: a run that dies loses no more than this. */
const BATCH = 100
/** Searches under way, and other processes, may still look for the old vectors this long after the change. */
const KEPT_SECONDS = 600
const MAX_CHARACTERS = 8_000

/**
 * Builds the vectors of the configured model beside those in use, and when all are there lets searches change over. Safe
 * to repeat: it goes on with what has none yet.
 */
export function createReembed({
  database,
  queue,
  embedders
}: {
  database: Database
  queue: Pick<Queue, 'enqueue'>
  embedders: Pick<Embedders, 'current'>
}): JobHandlers['memory.reembed'] {
  return async function reembed({ ownerId, remove }, signal) {
    if (remove !== undefined) return database.inOwner(ownerId, (tx) => removeVectors(tx, ownerId, remove))
    const embedder = embedders.current
    for (;;) {
      signal.throwIfAborted()
      const next = await database.inOwner(ownerId, (tx) => nextBatch(tx, ownerId, embedder.id))
      if (next === null) return
      if (next.memories.length + next.messageIds.length === 0) {
        if (await database.inOwner(ownerId, (tx) => changeOver(tx, ownerId, embedder.id))) return
        continue
      }
      await embedBatch(ownerId, embedder, next, signal)
    }
  }

  async function embedBatch(
    ownerId: string,
    embedder: Embedder,
    { memories, messageIds }: Batch,
    signal: AbortSignal
  ): Promise<void> {
    const { id: model } = embedder
    const messages = await database.inOwner(ownerId, (tx) =>
      findUnembeddedMessages(tx, ownerId, model, messageIds)
    )
    const texts = memories.map(({ text }) => text.slice(0, MAX_CHARACTERS).toWellFormed())
    const vectors = texts.length > 0 ? await embedder.embed(texts, signal) : []
    const known = memories.map((memory, index) => ({ ...memory, embedding: vectors[index] ?? [] }))
    const said = await embedMessages(embedder, messages, signal)
    await database.inOwner(ownerId, async (tx) => {
      await saveVectors(tx, ownerId, model, known)
      await saveMessageVectors(tx, ownerId, model, said)
    })
  }

  /** False when something has come in meanwhile that has no new vector yet. */
  async function changeOver(tx: Tx, ownerId: string, model: string): Promise<boolean> {
    const [row] = await tx.select().from(vectorModels).where(eq(vectorModels.ownerId, ownerId)).for('update')
    if (row?.nextModel !== model) return true
    const left = await nextBatch(tx, ownerId, model)
    if (left && left.memories.length + left.messageIds.length > 0) return false
    await tx
      .update(vectorModels)
      .set({ model, nextModel: null, done: row.total, updatedAt: sql`now()` })
      .where(eq(vectorModels.ownerId, ownerId))
    await queue.enqueue(tx, 'memory.reembed', { ownerId, remove: row.model }, { afterSeconds: KEPT_SECONDS })
    return true
  }
}

interface Batch {
  memories: { id: string; text: string }[]
  messageIds: string[]
}

/** What has no vector of the next model yet, and how far it is; null where this model is not, or no longer, the next. */
async function nextBatch(tx: Tx, ownerId: string, model: string): Promise<Batch | null> {
  const counted = await countVectors(tx, ownerId, model)
  const [row] = await tx
    .update(vectorModels)
    .set({ ...counted, updatedAt: sql`now()` })
    .where(and(eq(vectorModels.ownerId, ownerId), eq(vectorModels.nextModel, model)))
    .returning({ model: vectorModels.model })
  if (!row) return null
  const memories = await listMemoriesWithout(tx, ownerId, model, BATCH)
  const messageIds = await listMessagesWithout(tx, ownerId, model, BATCH - memories.length)
  return { memories, messageIds }
}

async function removeVectors(tx: Tx, ownerId: string, model: string): Promise<void> {
  const [row] = await tx
    .select({ model: vectorModels.model, nextModel: vectorModels.nextModel })
    .from(vectorModels)
    .where(eq(vectorModels.ownerId, ownerId))
    .for('update')
  // Somebody has gone back to it since.
  if (!row || row.model === model || row.nextModel === model) return
  await tx
    .delete(memoryVectors)
    .where(and(eq(memoryVectors.ownerId, ownerId), eq(memoryVectors.model, model)))
  await tx
    .delete(messageVectors)
    .where(and(eq(messageVectors.ownerId, ownerId), eq(messageVectors.model, model)))
}
