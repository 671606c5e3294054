import { and, eq, sql } from 'drizzle-orm'
import type { Database, Tx } from '../../db/client.ts'
import { listVectorModels } from '../../db/system.ts'
import type { JobHandlers } from '../../jobs/jobs.ts'
import type { Queue } from '../../jobs/queue.ts'
import type { Embedder } from '../../llm/model.ts'
import type { CheckSize } from './build-index.ts'
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
  embedders,
  checkSize,
  dropIndexes
}: {
  database: Database
  queue: Pick<Queue, 'enqueue'>
  embedders: Pick<Embedders, 'current'>
  checkSize: CheckSize
  /** Takes the indexes of a model away that nobody's vectors are of any more. */
  dropIndexes: (model: string) => Promise<void>
}): JobHandlers['memory.reembed'] {
  return async function reembed({ ownerId, remove }, signal) {
    if (remove !== undefined) {
      await database.inOwner(ownerId, (tx) => removeVectors(tx, ownerId, remove))
      return dropIfUnused(remove)
    }
    const embedder = embedders.current
    await database.inOwner(ownerId, (tx) => countAnew(tx, ownerId, embedder.id))
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

  async function dropIfUnused(model: string): Promise<void> {
    const used = await database.inSystem(listVectorModels)
    if (model !== embedders.current.id && !used.includes(model)) await dropIndexes(model)
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
      await noteProgress(tx, ownerId, model, known.length + said.length)
      await checkSize(tx, ownerId, embedder)
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

/** How much there is and how far it is: counted when a run begins, which may be after another that died. */
async function countAnew(tx: Tx, ownerId: string, model: string): Promise<void> {
  const counted = await countVectors(tx, ownerId, model)
  await tx
    .update(vectorModels)
    .set({ ...counted, updatedAt: sql`now()` })
    .where(isNext(ownerId, model))
}

async function noteProgress(tx: Tx, ownerId: string, model: string, made: number): Promise<void> {
  await tx
    .update(vectorModels)
    .set({ done: sql`least(${vectorModels.done} + ${made}, ${vectorModels.total})`, updatedAt: sql`now()` })
    .where(isNext(ownerId, model))
}

function isNext(ownerId: string, model: string) {
  return and(eq(vectorModels.ownerId, ownerId), eq(vectorModels.nextModel, model))
}

/** What has no vector of the next model yet; null where this model is not, or no longer, the next. */
async function nextBatch(tx: Tx, ownerId: string, model: string): Promise<Batch | null> {
  const [row] = await tx
    .select({ model: vectorModels.model })
    .from(vectorModels)
    .where(isNext(ownerId, model))
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
