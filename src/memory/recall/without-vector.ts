import { type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'

/** Memories, forgotten ones aside, that have no vector of this model; with `before`, those left alone since then. */
export async function listMemoriesWithout(
  tx: Tx,
  ownerId: string,
  model: string,
  limit: number,
  before?: Date
): Promise<{ id: string; text: string }[]> {
  const { rows } = await tx.execute<{ id: string; text: string }>(sql`
    SELECT id, text FROM memories WHERE owner_id = ${ownerId} AND forgotten_at IS NULL
       ${before ? sql`AND updated_at < ${before}` : sql``} AND ${without('memory_vectors', 'memories', ownerId, model)}
     ORDER BY id LIMIT ${limit}`)
  return rows
}

/** Messages that have no vector of this model. Those that may be found at all are those with terms. */
export async function listMessagesWithout(
  tx: Tx,
  ownerId: string,
  model: string,
  limit: number,
  before?: Date
): Promise<string[]> {
  const old = sql`AND EXISTS (SELECT FROM messages
    WHERE messages.owner_id = ${ownerId} AND messages.id = said.id AND messages.created_at < ${before})`
  const { rows } = await tx.execute<{ id: string }>(sql`
    SELECT said.id FROM message_terms said
     WHERE said.owner_id = ${ownerId} AND said.term = '' AND ${without('message_vectors', 'said', ownerId, model)}
       ${before ? old : sql``}
     ORDER BY said.id LIMIT ${limit}`)
  return rows.map(({ id }) => id)
}

function without(vectors: string, row: string, ownerId: string, model: string): SQL {
  return sql`NOT EXISTS (SELECT FROM ${sql.identifier(vectors)} made
    WHERE made.owner_id = ${ownerId} AND made.id = ${sql.identifier(row)}.id AND made.model = ${model})`
}
