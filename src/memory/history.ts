import { v7 as uuidv7 } from 'uuid'
import type { Tx } from '../db/client.ts'
import { type MemoryAction, type MemoryState, memoryHistory } from './tables.ts'

export interface Change {
  action: MemoryAction
  by: 'owner' | 'extraction' | 'consolidation'
  /** Why, in words the owner can read. */
  reason?: string | null
  /** The columns that changed, as they were and as they became; null where the memory was not there. */
  before: MemoryState | null
  after: MemoryState | null
  /** The work it is a part of, undone together. */
  batchId?: string | null
}

/** Writes down what happened to a memory, in the transaction in which it happens. Answers the entry's id. */
export async function record(tx: Tx, ownerId: string, memoryId: string, change: Change): Promise<string> {
  const id = uuidv7()
  await tx.insert(memoryHistory).values({ ...change, ownerId, id, memoryId })
  return id
}
