import { sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import type { Queue } from '../../jobs/queue.ts'
import { forget } from './forget.ts'

/** Forgets what was told in one conversation and nowhere else; what was also told elsewhere is still known from there. */
export function createForgetTold(queue: Queue, now: () => Date) {
  return async function forgetTold(tx: Tx, ownerId: string, conversationId: string): Promise<void> {
    const { rows } = await tx.execute<{ id: string }>(sql`
      SELECT fact.id FROM memories fact
        JOIN memory_sources source ON source.owner_id = ${ownerId} AND source.memory_id = fact.id
        LEFT JOIN messages said ON said.owner_id = ${ownerId} AND said.id = source.message_id
       WHERE fact.owner_id = ${ownerId} AND fact.forgotten_at IS NULL
       GROUP BY fact.id HAVING bool_and(coalesce(said.conversation_id = ${conversationId}, false)) ORDER BY fact.id`)
    for (const { id } of rows) {
      // Forgetting one may have taken another along.
      const { rows: left } = await tx.execute(
        sql`SELECT FROM memories WHERE owner_id = ${ownerId} AND id = ${id} AND forgotten_at IS NULL`
      )
      if (left.length > 0) await forget(tx, queue, ownerId, id, { now: now(), atOnce: false })
    }
  }
}
