import { sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import type { Learnt } from './rights-schemas.ts'
import { loadMemories } from './store.ts'

/**
 * What PAI remembers of a message, and what that took the place of: not of what another message had replaced before it,
 * nor of what is only more exact now.
 */
export async function findLearnt(tx: Tx, ownerId: string, messageId: string): Promise<Learnt['items']> {
  const { rows } = await tx.execute<{ id: string; replaced: string[] | null }>(sql`
    SELECT told.memory_id AS id,
           (SELECT array_agg(old.id ORDER BY old.id) FROM memories old
             WHERE old.owner_id = ${ownerId} AND old.superseded_by = told.memory_id AND old.forgotten_at IS NULL
               AND EXISTS (SELECT FROM memory_history entry WHERE entry.owner_id = ${ownerId}
                 AND entry.memory_id = old.id AND entry.action = 'superseded' AND entry.undone_at IS NULL)
               AND NOT EXISTS (SELECT FROM memory_sources earlier WHERE earlier.owner_id = ${ownerId}
                 AND earlier.memory_id = told.memory_id AND earlier.said_at < told.said_at)) AS replaced
      FROM memory_sources told WHERE told.owner_id = ${ownerId} AND told.message_id = ${messageId} ORDER BY told.id`)
  const known = await loadMemories(
    tx,
    ownerId,
    rows.flatMap(({ id, replaced }) => [id, ...(replaced ?? [])])
  )
  const byId = new Map(known.map((memory) => [memory.id, memory]))
  return rows.flatMap(({ id, replaced }) => {
    const memory = byId.get(id)
    return memory ? [{ memory, replaced: (replaced ?? []).flatMap((old) => byId.get(old) ?? []) }] : []
  })
}
