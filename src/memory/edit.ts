import { and, eq, isNull } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { MemoryNotFound } from './errors.ts'
import { record } from './history.ts'
import type { MemoryPatch } from './schemas.ts'
import { changeMemory, type MemoryRow } from './store.ts'
import { memories } from './tables.ts'

/** The owner's correction, with what it was. Answers whether the words are others now. */
export async function edit(tx: Tx, ownerId: string, id: string, patch: MemoryPatch): Promise<boolean> {
  const [row] = await tx
    .select()
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt)))
    .for('update')
  if (!row) throw new MemoryNotFound(id)
  const wanted: Partial<MemoryRow> = {
    ...patch,
    // What the owner sorted by hand stays so, and teaches the next extraction.
    ...(patch.category !== undefined || patch.tags !== undefined ? { sortedBy: 'owner' } : {}),
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
  return names.includes('text')
}
