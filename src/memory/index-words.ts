import type { Database } from '../db/client.ts'
import type { JobHandlers } from '../jobs/queue.ts'
import type { Embedder } from '../llm/model.ts'
import { findUnembeddedMessages, indexMessagesBefore, saveMessageVectors } from './index-messages.ts'
import { findUnembedded, saveVectors } from './store.ts'

/** Embedding models read a few thousand tokens; what matters about a longer text stands early. */
const MAX_CHARACTERS = 8_000

/**
 * Gives memories and messages the vectors they lack, and the messages before them the words that followed. Safe to repeat:
 * what has a vector is left alone, and words are replaced.
 */
export function createIndexWords({
  database,
  embedder
}: {
  database: Database
  embedder: Embedder
}): JobHandlers['memory.index'] {
  return async function indexWords({ ownerId, memoryIds, messageIds }, signal) {
    const { id: model } = embedder
    const [memories, messages] = await database.inOwner(ownerId, async (tx) => {
      if (messageIds.length > 0) await indexMessagesBefore(tx, ownerId, messageIds)
      return [
        memoryIds.length > 0 ? await findUnembedded(tx, ownerId, model, memoryIds) : [],
        messageIds.length > 0 ? await findUnembeddedMessages(tx, ownerId, model, messageIds) : []
      ]
    })
    const texts = [...memories, ...messages].map(({ text }) => text.slice(0, MAX_CHARACTERS).toWellFormed())
    if (texts.length === 0) return
    const vectors = await embedder.embed(texts, signal)
    const withVectors = <Row>(rows: Row[], from: number) =>
      rows.map((row, index) => ({ ...row, embedding: vectors[from + index] ?? [] }))
    await database.inOwner(ownerId, async (tx) => {
      await saveVectors(tx, ownerId, model, withVectors(memories, 0))
      await saveMessageVectors(tx, ownerId, model, withVectors(messages, memories.length))
    })
  }
}
