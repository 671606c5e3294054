import { sql } from 'drizzle-orm'
import { allSettledOrThrow, type Tx } from '../../db/client.ts'
import { ask, fixed } from '../../db/statement.ts'
import type { TakenDown } from './forget.ts'
import { createForgottenWords, type ForgottenWords } from './forgotten-words.ts'
import type { WhatGoes } from './what-goes.ts'

/** What is there, or on its way: it is asked for together with what is to be hidden of it. */
export type Coming<T> = T | PromiseLike<T>

/** What was forgotten together and waits to be purged, as it was found then. */
export interface Hidden extends Pick<WhatGoes, 'ids' | 'words' | 'sources' | 'stays'> {
  hiddenAt: Date
  /** The messages that told it, and those that were found to say it again. */
  messageIds: string[]
}

interface WaitingRow extends Record<string, unknown> {
  memoryId: string
  text: string
  batchId: string
  hiddenAt: Date
  /** Of the memory that was asked for. */
  taken: TakenDown | null
  sources: WhatGoes['sources'] | null
}

/** Asked wherever something is shown, and answered from an index that holds only what waits. */
const waitingOf = fixed<{ ownerId: string }, WaitingRow>(
  ({ ownerId }) => sql`
    SELECT fact.id AS "memoryId", fact.text, entry.batch_id AS "batchId", entry.created_at AS "hiddenAt",
           entry.before -> 'taken' AS taken, told.sources
      FROM memories fact
      JOIN memory_history entry ON entry.owner_id = ${ownerId}::uuid AND entry.memory_id = fact.id
       AND entry.action = 'forgotten' AND entry.undone_at IS NULL
     CROSS JOIN LATERAL (
       SELECT json_agg(json_build_object('memoryId', source.memory_id, 'messageId', source.message_id,
                'quote', source.quote, 'quoteStart', source.quote_start)) AS sources
         FROM memory_sources source
        WHERE source.owner_id = ${ownerId}::uuid AND source.memory_id = fact.id) told
     WHERE fact.owner_id = ${ownerId}::uuid AND fact.purge_at IS NOT NULL`
)

export async function findWaiting(tx: Tx, ownerId: string): Promise<Hidden[]> {
  const rows = await ask(tx, waitingOf({ ownerId }))
  return [...Map.groupBy(rows, ({ batchId }) => batchId).values()].map(describe)
}

function describe(together: WaitingRow[]): Hidden {
  const ids = together.map(({ memoryId }) => memoryId)
  const taken = together.find((row) => row.taken)?.taken
  // Another version of PAI may have hidden it, and not have noted this.
  const { texts = together.map(({ text }) => text), family = ids, stays = [], messageIds = [] } = taken ?? {}
  const sources = together
    .filter(({ memoryId }) => family.includes(memoryId))
    .flatMap((row) => row.sources ?? [])
  const told = sources.flatMap(({ messageId }) => messageId ?? [])
  return {
    ids,
    words: wordsOf(together[0]?.batchId ?? '', texts),
    sources,
    stays,
    hiddenAt: new Date(together[0]?.hiddenAt ?? 0),
    messageIds: [...new Set([...told, ...messageIds])]
  }
}

/**
 * The words of what was forgotten together do not change, and putting them together takes longer than looking for them. Kept for
 * about as long as they wait, and no longer.
 */
const KEPT_MS = 600_000
const MOST_KEPT = 2_000
const kept = new Map<string, ForgottenWords>()

function wordsOf(batchId: string, texts: string[]): ForgottenWords {
  const known = kept.get(batchId)
  if (known) return known
  const words = createForgottenWords(texts)
  if (kept.size < MOST_KEPT) {
    kept.set(batchId, words)
    setTimeout(() => kept.delete(batchId), KEPT_MS).unref()
  }
  return words
}

/** What waits, asked for with something else and never before it: nearly always nothing does. */
export async function withWaiting<T>(tx: Tx, ownerId: string, coming: Coming<T>): Promise<[Hidden[], T]> {
  // First in the list: of two failures the one that was asked for is told, and not that the other could not be asked then.
  const both = [Promise.resolve(coming), findWaiting(tx, ownerId)] as const
  await allSettledOrThrow([...both])
  const [read, waiting] = await Promise.all(both)
  return [waiting, read]
}
