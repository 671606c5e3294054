import { and, eq, isNotNull, lt } from 'drizzle-orm'
import type { Database, Tx } from '../db/client.ts'
import { listOwners } from '../db/system.ts'
import type { JobHandlers } from '../jobs/jobs.ts'
import type { Queue } from '../jobs/queue.ts'
import type { Embedders } from './recall/embedders.ts'
import { readSearchSettings } from './recall/search-settings.ts'
import { vectorModels } from './recall/tables.ts'
import { listMemoriesWithout, listMessagesWithout } from './recall/without-vector.ts'
import { askAgain } from './review/extraction-failures.ts'

/** Owners of one run; the next run begins after them. */
const OWNERS_AT_ONCE = 200
/** Of one owner's, in one hour. */
const MESSAGES_ASKED = 100
const ROWS_INDEXED = 500
/** Of one job. */
const EXTRACTED_AT_ONCE = 10
const INDEXED_AT_ONCE = 100
/** A job's last try comes within half an hour of its first: what is older nobody is at any more. */
const LEFT_MS = 60 * 60_000

export interface SweepDeps {
  database: Database
  queue: Queue
  embedders: Pick<Embedders, 'forSearch'>
  /** Whether models may be called for an owner: what was put off for want of budget is not lost, and waits in the queue. */
  hasBudget: (ownerId: string) => Promise<boolean>
  now: () => Date
}

/**
 * Takes up again what the queue gave up, as after a long outage of a model: messages that were never learnt from, memories
 * and messages without a vector, and a change of the embedding model that stands still. A run looks at some owners and
 * hands the rest to another.
 */
export function createSweep({
  database,
  queue,
  embedders,
  hasBudget,
  now
}: SweepDeps): JobHandlers['memory.sweep-unfinished'] {
  return async function sweep({ after = null }, signal) {
    const owners = await database.inSystem((tx) => listOwners(tx, after, OWNERS_AT_ONCE))
    for (const { id } of owners) {
      signal.throwIfAborted()
      if (await hasBudget(id)) await database.inOwner(id, (tx) => sweepOwner(tx, id, now()))
    }
    const last = owners.at(-1)?.id
    if (last === undefined || owners.length < OWNERS_AT_ONCE) return
    await database.inSystem((tx) => queue.enqueue(tx, 'memory.sweep-unfinished', { after: last }))
  }

  async function sweepOwner(tx: Tx, ownerId: string, at: Date): Promise<void> {
    const left = new Date(at.getTime() - LEFT_MS)
    for (const messageIds of inParts(await askAgain(tx, ownerId, at, MESSAGES_ASKED), EXTRACTED_AT_ONCE)) {
      await queue.enqueue(tx, 'memory.extract', { ownerId, messageIds })
    }
    const settings = await readSearchSettings(tx, ownerId, [])
    if (settings.nextModel !== null) await resumeChange(tx, ownerId, at, left)
    const { id: model } = embedders.forSearch(settings)
    // Of the model that is being built nearly everything has none, and what builds it knows.
    if (model === settings.nextModel) return
    const memories = await listMemoriesWithout(tx, ownerId, model, ROWS_INDEXED, left)
    for (const some of inParts(memories, INDEXED_AT_ONCE)) {
      const memoryIds = some.map(({ id }) => id)
      await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds, messageIds: [] })
    }
    const messages = await listMessagesWithout(tx, ownerId, model, ROWS_INDEXED, left)
    for (const messageIds of inParts(messages, INDEXED_AT_ONCE)) {
      await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: [], messageIds, indexed: true })
    }
  }

  /** A change that goes on notes each of its batches. */
  async function resumeChange(tx: Tx, ownerId: string, at: Date, left: Date): Promise<void> {
    const standing = await tx
      .update(vectorModels)
      .set({ updatedAt: at })
      .where(
        and(
          eq(vectorModels.ownerId, ownerId),
          isNotNull(vectorModels.nextModel),
          lt(vectorModels.updatedAt, left)
        )
      )
      .returning({ ownerId: vectorModels.ownerId })
    if (standing.length > 0) await queue.enqueue(tx, 'memory.reembed', { ownerId })
  }
}

function inParts<Item>(items: Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size)
  )
}
