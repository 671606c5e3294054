import type { Database } from '../../db/client.ts'
import type { JobHandlers } from '../../jobs/jobs.ts'
import type { Embedder } from '../../llm/model.ts'
import type { CheckSize } from './build-index.ts'
import {
  embedMessages,
  findEmbeddedBefore,
  findUnembeddedMessages,
  saveMessageVectors
} from './embed-messages.ts'
import type { Embedders } from './embedders.ts'
import { indexMessagesBefore } from './index-messages.ts'
import { findUnembedded, noteUse, saveVectors } from './memory-vectors.ts'

/** Embedding models read a few thousand tokens; what matters about a longer text stands early. */
const MAX_CHARACTERS = 8_000

/**
 * Gives memories and messages the vectors they lack, and the messages before them the words that followed. Safe to repeat:
 * what has a vector is left alone, and words are replaced.
 */
export function createIndexWords({
  database,
  embedders,
  checkSize
}: {
  database: Database
  embedders: Pick<Embedders, 'forWriting'>
  checkSize: CheckSize
}): JobHandlers['memory.index'] {
  return async function indexWords({ ownerId, memoryIds, messageIds, indexed = false, used }, signal) {
    const hasBefore = messageIds.length > 0 && !indexed
    if (used || hasBefore) {
      await database.inOwner(ownerId, async (tx) => {
        if (hasBefore) await indexMessagesBefore(tx, ownerId, messageIds)
        if (used) await noteUse(tx, ownerId, used.memoryIds, new Date(used.at))
      })
    }
    for (const embedder of await embedders.forWriting(ownerId)) {
      await embedMissing(embedder, ownerId, memoryIds, messageIds, signal)
    }
  }

  async function embedMissing(
    embedder: Embedder,
    ownerId: string,
    memoryIds: string[],
    messageIds: string[],
    signal: AbortSignal
  ): Promise<void> {
    const { id: model } = embedder
    const { memories, messages } = await database.inOwner(ownerId, async (tx) => {
      const unembedded =
        messageIds.length > 0 ? await findUnembeddedMessages(tx, ownerId, model, messageIds) : []
      // What they follow means more now that they are there; words alone tell nothing of what is around them.
      const before =
        embedder.semantic && unembedded.length > 0
          ? await findEmbeddedBefore(tx, ownerId, model, messageIds)
          : []
      return {
        memories: memoryIds.length > 0 ? await findUnembedded(tx, ownerId, model, memoryIds) : [],
        messages: [...unembedded, ...before]
      }
    })
    if (memories.length === 0 && messages.length === 0) return
    const texts = memories.map(({ text }) => text.slice(0, MAX_CHARACTERS).toWellFormed())
    const vectors = texts.length > 0 ? await embedder.embed(texts, signal) : []
    const said = await embedMessages(embedder, messages, signal)
    const known = memories.map((memory, index) => ({ ...memory, embedding: vectors[index] ?? [] }))
    await database.inOwner(ownerId, async (tx) => {
      await saveVectors(tx, ownerId, model, known)
      await saveMessageVectors(tx, ownerId, model, said)
      await checkSize(tx, ownerId, embedder)
    })
  }
}
