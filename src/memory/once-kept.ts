import type { Tx } from '../db/client.ts'
import { type IdempotentCall, once } from '../db/idempotency.ts'
import type { Memory } from './schemas.ts'
import { loadMemory } from './store.ts'

/** Makes a memory once for its key. One that was forgotten since is neither told to a retry nor brought back by it. */
export async function onceKept(tx: Tx, call: IdempotentCall, work: () => Promise<Memory>): Promise<Memory> {
  let isRetry = true
  const memory = await once(tx, call, () => {
    isRetry = false
    return work()
  })
  if (isRetry) await loadMemory(tx, call.ownerId, memory.id)
  return memory
}
