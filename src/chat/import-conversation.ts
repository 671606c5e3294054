import { v7 as uuidv7 } from 'uuid'
import type { Database, Tx } from '../db/client.ts'
import { findEarlierAnswer, once } from '../db/idempotency.ts'
import type { JobHandlers } from '../jobs/jobs.ts'
import type { Queue } from '../jobs/queue.ts'
import type { MessageIndex } from '../memory/recall/message-index.ts'
import type { ImportBody, Imported, ImportStarted } from './import-schemas.ts'
import {
  countPart,
  createImport,
  findImport,
  listImported,
  readName,
  saveProgress,
  storeConversation
} from './import-store.ts'
import { isOwnersOf } from './own-words.ts'
import { toTitle } from './title.ts'

/** A conversation of this many messages is searchable when the call answers; a longer one is worked on afterwards. */
const AT_ONCE = 500
/** What is made searchable at once of a longer one. */
const PART = { messages: 500, characters: 2_000_000 }
/** Messages of one extraction job: as many as one call to a model reads. */
const EXTRACTED_AT_ONCE = 20

export interface ImportDeps {
  database: Database
  queue: Queue
  messageIndex: MessageIndex
}

export type ImportConversation = ReturnType<typeof createImportConversation>

/** Brings a conversation in from elsewhere, whole or not at all. No model is called unless extraction is asked for. */
export function createImportConversation(deps: ImportDeps) {
  const { database, queue, messageIndex } = deps

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
    const call = { ownerId, key, call: 'POST /v1/conversations/import', body }
    const earlier =
      key &&
      (await database.readInOwner(ownerId, (tx) => findEarlierAnswer<Imported | ImportStarted>(tx, call)))
    if (earlier) return earlier
    // Before the transaction, which would be held open for as long.
    const said = messages.map(({ content }, index) => ({ id: messageIds[index] as string, content }))
    const vectors = isShort ? await messageIndex.embed(ownerId, said, signal) : null
    return database.inOwner(ownerId, (tx) =>
      once<Imported | ImportStarted>(tx, call, async () => {
        const title = body.title ?? toTitle(messages[0]?.content ?? '')
        const titledBy = body.title ? 'owner' : 'words'
        await storeConversation(tx, ownerId, { id: conversationId, title, titledBy }, messages, messageIds)
        const learnt = body.extract
          ? await extractLater(tx, ownerId, conversationId, messages, messageIds)
          : null
        // Else somebody would wait for memories that never come.
        const unheard = learnt === 0 && messages.some(({ role }) => role === 'user')
        const note = unheard ? { nothingToLearn: 'no-speaker-is-owner' as const } : {}
        if (!vectors) {
          const importId = uuidv7()
          await createImport(tx, ownerId, { id: importId, conversationId, total: messages.length })
          await queue.enqueue(tx, 'conversations.import', { ownerId, importId })
          return { importId, ...note }
        }
        await messageIndex.add(tx, ownerId, messageIds, vectors)
        return { conversationId, messageIds, ...note }
      })
    )
  }

  /** Answers how many messages are the owner's own. */
  async function extractLater(
    tx: Tx,
    ownerId: string,
    conversationId: string,
    messages: ImportBody['messages'],
    messageIds: string[]
  ): Promise<number> {
    const isOwn = isOwnersOf(messages, await readName(tx, ownerId))
    const own = messageIds.filter((_id, index) => isOwn(messages[index] as ImportBody['messages'][number]))
    for (let start = 0; start < own.length; start += EXTRACTED_AT_ONCE) {
      const some = own.slice(start, start + EXTRACTED_AT_ONCE)
      await queue.enqueue(tx, 'memory.extract', { ownerId, conversationId, messageIds: some })
    }
    return own.length
  }
}

/** Makes a long import searchable, a part at a time: a run that dies is followed by one that goes on where it stopped. */
export function createIndexImport(deps: ImportDeps): JobHandlers['conversations.import'] {
  const { database, messageIndex } = deps

  return async function indexImport({ ownerId, importId }, signal) {
    for (;;) {
      const part = await database.inOwner(ownerId, async (tx) => {
        const found = await findImport(tx, ownerId, importId)
        if (!found || found.done >= found.total) return null
        const count = await countPart(tx, ownerId, found.conversationId, found.done, PART)
        const until = Math.min(found.done + count, found.total)
        // With the one on either side: a message is indexed with a little of its neighbours.
        const from = Math.max(found.done - 1, 0)
        const messages = await listImported(tx, ownerId, found.conversationId, from, until + 1)
        const ids = messages.slice(found.done - from, until - from).map(({ id }) => id)
        return { until, messages, ids }
      })
      // Done, or its conversation has been deleted meanwhile.
      if (!part) return
      signal.throwIfAborted()
      const vectors = await messageIndex.embed(ownerId, part.messages, signal)
      await database.inOwner(ownerId, async (tx) => {
        await messageIndex.add(tx, ownerId, part.ids, vectors)
        await saveProgress(tx, ownerId, importId, part.until)
      })
    }
  }
}
