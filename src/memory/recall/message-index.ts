import type { Tx } from '../../db/client.ts'
import type { Queue } from '../../jobs/queue.ts'
import type { Embedder } from '../../llm/model.ts'
import type { CheckSize } from './build-index.ts'
import { type EmbeddedMessage, embedMessages, inContext, saveMessageVectors } from './embed-messages.ts'
import type { Embedders } from './embedders.ts'
import { indexMessages } from './index-messages.ts'

/** Messages of one embedding job. */
const EMBEDDED_AT_ONCE = 100

export interface MessageVectors {
  byModel: Map<string, { embedder: Embedder; embedded: EmbeddedMessage[] }>
  /** Whether a job is to make those that take a call. */
  more: boolean
}

/** What makes messages that come from elsewhere searchable. */
export interface MessageIndex {
  /**
   * The vectors of messages that follow each other, as far as they are made in this process: outside any transaction, since
   * it takes its time. A model elsewhere is not waited for, and cannot fail what is stored.
   */
  embed(
    ownerId: string,
    said: { id: string; content: string }[],
    signal: AbortSignal
  ): Promise<MessageVectors>
  /** Makes these findable by their words and these vectors, in the transaction that stores them. */
  add(tx: Tx, ownerId: string, messageIds: string[], vectors: MessageVectors): Promise<void>
}

export function createMessageIndex(
  embedders: Pick<Embedders, 'forWriting'>,
  queue: Queue,
  checkSize: CheckSize
): MessageIndex {
  return {
    async embed(ownerId, said, signal) {
      const all = await embedders.forWriting(ownerId)
      const byModel: MessageVectors['byModel'] = new Map()
      for (const embedder of all) {
        if (!embedder.local) continue
        const embedded = await embedMessages(embedder, inContext(said), signal)
        byModel.set(embedder.id, { embedder, embedded })
      }
      return { byModel, more: byModel.size < all.length }
    },
    async add(tx, ownerId, messageIds, { byModel, more }) {
      await indexMessages(tx, ownerId, messageIds)
      const wanted = new Set(messageIds)
      for (const [model, { embedder, embedded }] of byModel) {
        const some = embedded.filter(({ id }) => wanted.has(id))
        await saveMessageVectors(tx, ownerId, model, some)
        await checkSize(tx, ownerId, embedder)
      }
      for (let start = 0; more && start < messageIds.length; start += EMBEDDED_AT_ONCE) {
        const some = messageIds.slice(start, start + EMBEDDED_AT_ONCE)
        await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: [], messageIds: some, indexed: true })
      }
    }
  }
}
