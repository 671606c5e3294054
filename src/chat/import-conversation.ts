import { v7 as uuidv7 } from 'uuid'
import type { Database, Tx } from '../db/client.ts'
import { once } from '../db/idempotency.ts'
import type { JobHandlers, Queue } from '../jobs/queue.ts'
import type { Embedder } from '../llm/model.ts'
import type { IndexMessages, SaveMessageVectors } from '../memory/index-messages.ts'
import { createImport, findImport, listImported, saveProgress, storeConversation } from './import-store.ts'
import type { ImportBody, Imported, ImportStarted } from './schemas.ts'
import { toTitle } from './title.ts'

/** A conversation of this many messages is searchable when the call answers; a longer one is worked on afterwards. */
const AT_ONCE = 500
/** Messages of one extraction job. */
const EXTRACTED_AT_ONCE = 50
/** Embedding models read a few thousand tokens; what matters about a longer text stands early. */
const MAX_CHARACTERS = 8_000

export interface ImportDeps {
  database: Database
  queue: Queue
  embedder: Embedder
  indexMessages: IndexMessages
  saveMessageVectors: SaveMessageVectors
}

export type ImportConversation = ReturnType<typeof createImportConversation>

/** Brings a conversation in from elsewhere, whole or not at all. No model is called unless extraction is asked for. */
export function createImportConversation(deps: ImportDeps) {
  const { database, queue } = deps

  return async function importConversation(
    ownerId: string,
    body: ImportBody,
    key: string | undefined,
    signal: AbortSignal
  ): Promise<Imported | ImportStarted> {
    const { messages } = body
    const conversationId = uuidv7()
    const messageIds = messages.map(() => uuidv7())
    const isShort = messages.length <= AT_ONCE
    // Before the transaction: a network call inside one would hold it open.
    const vectors = isShort ? await embed(deps, messageIds, contentsOf(messages), signal) : null
    const call = { ownerId, key, call: 'POST /v1/conversations/import', body }
    return database.inOwner(ownerId, (tx) =>
      once<Imported | ImportStarted>(tx, call, async () => {
        const title = body.title ?? toTitle(messages[0]?.content ?? '')
        await storeConversation(tx, ownerId, { id: conversationId, title }, messages, messageIds)
        if (body.extract) await extractLater(tx, ownerId, messages, messageIds)
        if (!vectors) {
          const importId = uuidv7()
          await createImport(tx, ownerId, { id: importId, conversationId, total: messages.length })
          await queue.enqueue(tx, 'conversations.import', { ownerId, importId })
          return { importId }
        }
        await makeSearchable(tx, deps, ownerId, messageIds, vectors)
        return { conversationId, messageIds }
      })
    )
  }

  async function extractLater(
    tx: Tx,
    ownerId: string,
    messages: ImportBody['messages'],
    messageIds: string[]
  ): Promise<void> {
    const own = messageIds.filter((_id, index) => messages[index]?.role === 'user')
    for (let start = 0; start < own.length; start += EXTRACTED_AT_ONCE) {
      const some = own.slice(start, start + EXTRACTED_AT_ONCE)
      await queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: some })
    }
  }
}

/** Makes a long import searchable, a part at a time: a run that dies is followed by one that goes on where it stopped. */
export function createIndexImport(deps: ImportDeps): JobHandlers['conversations.import'] {
  const { database } = deps

  return async function indexImport({ ownerId, importId }, signal) {
    for (;;) {
      const part = await database.inOwner(ownerId, async (tx) => {
        const found = await findImport(tx, ownerId, importId)
        if (!found || found.done >= found.total) return null
        const until = Math.min(found.done + AT_ONCE, found.total)
        return { until, messages: await listImported(tx, ownerId, found.conversationId, found.done, until) }
      })
      // Done, or its conversation has been deleted meanwhile.
      if (!part) return
      signal.throwIfAborted()
      const ids = part.messages.map(({ id }) => id)
      const vectors = await embed(deps, ids, contentsOf(part.messages), signal)
      await database.inOwner(ownerId, async (tx) => {
        await makeSearchable(tx, deps, ownerId, ids, vectors)
        await saveProgress(tx, ownerId, importId, part.until)
      })
    }
  }
}

interface Embedded {
  id: string
  embedding: number[]
}

async function embed(
  { embedder }: ImportDeps,
  ids: string[],
  texts: string[],
  signal: AbortSignal
): Promise<Embedded[]> {
  const vectors = await embedder.embed(texts, signal)
  return ids.map((id, index) => ({ id, embedding: vectors[index] ?? [] }))
}

async function makeSearchable(
  tx: Tx,
  { embedder, indexMessages, saveMessageVectors }: ImportDeps,
  ownerId: string,
  messageIds: string[],
  vectors: Embedded[]
): Promise<void> {
  await indexMessages(tx, ownerId, messageIds)
  await saveMessageVectors(tx, ownerId, embedder.id, vectors)
}

function contentsOf(messages: { content: string }[]): string[] {
  return messages.map(({ content }) => content.slice(0, MAX_CHARACTERS).toWellFormed())
}
