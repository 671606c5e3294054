import type { Tx } from '../db/client.ts'
import type { Queue } from '../jobs/queue.ts'
import { joinMemories, type MemoryWords, storeConversation, storeMemories } from './import-store.ts'
import type { ArchivedConversation, ArchivedMessage, ImportReport } from './schemas.ts'
import type { Part } from './split.ts'

/** Messages of one extraction job. */
const EXTRACTED_AT_ONCE = 50
const MAX_IMPORT_IDS = 200

/** What of a file was new so far. */
export type BroughtIn = Omit<ImportReport, 'source'> & {
  /** Memories that are still to be joined to each other. */
  kept: string[]
}

export const nothingYet = (): BroughtIn => ({
  conversations: 0,
  messages: 0,
  memories: 0,
  importIds: [],
  kept: []
})

/** Brings one part of a file in and adds to the count. Ids come from the file, so what is there already stays as it is. */
export async function bringIn(
  tx: Tx,
  { queue, memory }: { queue: Queue; memory: MemoryWords },
  { ownerId, source, extract }: { ownerId: string; source: ImportReport['source']; extract: boolean },
  part: Part,
  count: BroughtIn
): Promise<void> {
  if ('conversations' in part) {
    for (const conversation of part.conversations) await bringConversation(conversation)
  } else if ('memories' in part) {
    const stored = await storeMemories(tx, ownerId, part.memories, memory)
    count.memories += stored.length
    count.kept.push(...stored)
    if (stored.length > 0) {
      await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: stored, messageIds: [] })
    }
  } else {
    await joinMemories(tx, ownerId, part.joins, new Set(count.kept))
    count.kept = []
  }

  async function bringConversation(conversation: ArchivedConversation): Promise<void> {
    // Memories of PAI's own come with it, and are not to be found again.
    const stored = await storeConversation(tx, ownerId, conversation, source === 'pai')
    if (stored.isNew) count.conversations++
    count.messages += stored.messages.length
    if (!stored.importId) return
    if (count.importIds.length < MAX_IMPORT_IDS) count.importIds.push(stored.importId)
    await queue.enqueue(tx, 'conversations.import', { ownerId, importId: stored.importId })
    if (extract && source !== 'pai') await extractLater(stored.messages)
  }

  async function extractLater(messages: ArchivedMessage[]): Promise<void> {
    const own = messages.filter(({ role }) => role === 'user').map(({ id }) => id)
    for (let start = 0; start < own.length; start += EXTRACTED_AT_ONCE) {
      const messageIds = own.slice(start, start + EXTRACTED_AT_ONCE)
      await queue.enqueue(tx, 'memory.extract', { ownerId, messageIds })
    }
  }
}
