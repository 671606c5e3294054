import { createHash } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import type { Database, Tx } from '../db/client.ts'
import { claim } from '../db/idempotency.ts'
import { idempotencyKeys } from '../db/idempotency-table.ts'
import type { Queue } from '../jobs/queue.ts'
import { joinMemories, type MemoryWords, storeConversation, storeMemories } from './import-store.ts'
import { readFile } from './read-file.ts'
import type { Archive, ArchivedMessage, ImportReport } from './schemas.ts'

/** Messages of one extraction job, and memories of one transaction. */
const EXTRACTED_AT_ONCE = 50
const MEMORIES_AT_ONCE = 100
const MAX_IMPORT_IDS = 200

export interface Importing {
  database: Database
  queue: Queue
  memory: MemoryWords
}

export type ImportFrom = ReturnType<typeof createImportFrom>

/**
 * Brings in an export of PAI, ChatGPT or Claude. Each conversation is a transaction of its own, and ids come from the file:
 * an import that was cut off is finished by sending it again, and one that was not changes nothing.
 */
export function createImportFrom({ database, queue, memory }: Importing) {
  return async function importFrom(
    ownerId: string,
    file: unknown,
    extract: boolean,
    key: string | undefined
  ): Promise<ImportReport> {
    const { source, conversations, archive } = readFile(file)
    const known = key === undefined ? null : await claimKey(ownerId, key, file, extract)
    // Without an answer the first call was cut off, or is still at it: what it has done is not done again.
    if (known?.answer) return known.answer
    const report: ImportReport = { source, conversations: 0, messages: 0, memories: 0, importIds: [] }
    for (const conversation of conversations) {
      await database.inOwner(ownerId, async (tx) => {
        // Memories of PAI's own come with it, and are not to be found again.
        const stored = await storeConversation(tx, ownerId, conversation, archive !== null)
        if (stored.isNew) report.conversations++
        report.messages += stored.messages.length
        if (!stored.importId) return
        if (report.importIds.length < MAX_IMPORT_IDS) report.importIds.push(stored.importId)
        await queue.enqueue(tx, 'conversations.import', { ownerId, importId: stored.importId })
        if (extract && !archive) await extractLater(tx, ownerId, stored.messages)
      })
    }
    if (archive) report.memories = await bringMemories(ownerId, archive)
    if (key !== undefined) await keepAnswer(ownerId, key, report)
    return report
  }

  function claimKey(ownerId: string, key: string, file: unknown, extract: boolean) {
    const body = { extract, file: createHash('sha256').update(JSON.stringify(file)).digest('hex') }
    const call = { ownerId, key, call: 'POST /v1/import', body }
    return database.inOwner(ownerId, (tx) => claim<ImportReport>(tx, call, null))
  }

  async function keepAnswer(ownerId: string, key: string, response: ImportReport): Promise<void> {
    await database.inOwner(ownerId, (tx) =>
      tx
        .update(idempotencyKeys)
        .set({ response })
        .where(and(eq(idempotencyKeys.ownerId, ownerId), eq(idempotencyKeys.key, key)))
    )
  }

  async function bringMemories(ownerId: string, archive: Archive): Promise<number> {
    const kept = new Set<string>()
    for (let start = 0; start < archive.memories.length; start += MEMORIES_AT_ONCE) {
      const some = archive.memories.slice(start, start + MEMORIES_AT_ONCE)
      const ids = await database.inOwner(ownerId, async (tx) => {
        const stored = await storeMemories(tx, ownerId, some, memory)
        if (stored.length > 0) {
          await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: stored, messageIds: [] })
        }
        return stored
      })
      for (const id of ids) kept.add(id)
    }
    await database.inOwner(ownerId, (tx) => joinMemories(tx, ownerId, archive, kept))
    return kept.size
  }

  async function extractLater(tx: Tx, ownerId: string, messages: ArchivedMessage[]): Promise<void> {
    const own = messages.filter(({ role }) => role === 'user').map(({ id }) => id)
    for (let start = 0; start < own.length; start += EXTRACTED_AT_ONCE) {
      const messageIds = own.slice(start, start + EXTRACTED_AT_ONCE)
      await queue.enqueue(tx, 'memory.extract', { ownerId, messageIds })
    }
  }
}
