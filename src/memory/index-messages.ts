import { and, eq, inArray, sql } from 'drizzle-orm'
import { messages } from '../chat/tables.ts'
import type { Tx } from '../db/client.ts'
import { weighTerms } from '../search/bm25.ts'
import { messageTerms, messageVectors } from './tables.ts'

/** About how many terms a message has. */
const PIVOT_LENGTH = 20

export type IndexMessages = (tx: Tx, ownerId: string, messageIds: string[]) => Promise<void>

/** Makes messages findable by their words, in the transaction that stores them. */
export const indexMessages: IndexMessages = async (tx, ownerId, messageIds) => {
  const rows = await tx
    .select({ id: messages.id, content: messages.content })
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, messageIds)))
  const terms = rows.flatMap(({ id, content }) =>
    weighTerms(content, PIVOT_LENGTH).map((weighed) => ({ ...weighed, ownerId, id }))
  )
  // Indexed again after a regenerate, a message keeps what it has.
  if (terms.length > 0) await tx.insert(messageTerms).values(terms).onConflictDoNothing()
}

/** The texts of these messages that have no vector of this model yet. */
export function findUnembeddedMessages(
  tx: Tx,
  ownerId: string,
  model: string,
  ids: string[]
): Promise<{ id: string; text: string }[]> {
  return tx
    .select({ id: messages.id, text: messages.content })
    .from(messages)
    .where(
      and(
        eq(messages.ownerId, ownerId),
        inArray(messages.id, ids),
        sql`NOT EXISTS (SELECT FROM message_vectors v
          WHERE v.owner_id = ${ownerId} AND v.id = ${messages.id} AND v.model = ${model})`
      )
    )
}

export async function saveMessageVectors(
  tx: Tx,
  ownerId: string,
  model: string,
  vectors: { id: string; embedding: number[] }[]
): Promise<void> {
  if (vectors.length === 0) return
  await tx
    .insert(messageVectors)
    .values(vectors.map((vector) => ({ ...vector, ownerId, model })))
    .onConflictDoNothing()
}
