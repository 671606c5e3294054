import { and, eq, isNull } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { questionDependants } from './closing.ts'
import { MemoryNotFound } from './errors.ts'
import { reconcileKept } from './extraction/reconcile.ts'
import { lockMemories } from './extraction/reconcile-store.ts'
import { record } from './history.ts'
import type { MemoryPatch } from './schemas.ts'
import { changeMemory, type MemoryRow } from './store.ts'
import { memories } from './tables.ts'
import { describe } from './write.ts'

/** The owner's correction, with what it was. Answers whether the words are others now. */
export async function edit(
  tx: Tx,
  ownerId: string,
  id: string,
  patch: MemoryPatch,
  now: Date
): Promise<boolean> {
  // Before the row's own lock, as extraction takes them.
  await lockMemories(tx, ownerId)
  const [row] = await tx
    .select()
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt)))
    .for('update')
  if (!row) throw new MemoryNotFound(id)
  const wanted: Partial<MemoryRow> = {
    ...patch,
    // Other words may be about something else.
    ...(patch.text !== undefined && patch.text !== row.text ? describe(patch.text, now) : {}),
    // What the owner sorted by hand stays so, and teaches the next extraction. Tags of theirs do not make the category so.
    ...(patch.category !== undefined ? { sortedBy: 'owner' } : {}),
    // Whoever corrects an inference has looked at it, and it is theirs now.
    ...(row.status === 'unconfirmed' ? { status: 'active' } : {})
  }
  const names = (Object.keys(wanted) as (keyof MemoryRow)[]).filter(
    (name) => JSON.stringify(wanted[name]) !== JSON.stringify(row[name])
  )
  if (names.length === 0) return false
  const columns = (from: Partial<MemoryRow>) => Object.fromEntries(names.map((name) => [name, from[name]]))
  await changeMemory(tx, ownerId, id, columns(wanted))
  await record(tx, ownerId, id, {
    action: 'edited',
    by: 'owner',
    before: columns(row),
    after: columns(wanted)
  })
  if (!names.includes('text')) return false
  await questionDependants(tx, ownerId, id, 'owner')
  await reconcileKept(tx, ownerId, id, now, 'owner', now)
  return true
}
