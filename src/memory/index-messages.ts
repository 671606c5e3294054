import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import { messages } from '../chat/tables.ts'
import type { Tx } from '../db/client.ts'
import { type WeightedTerm, weighTerms } from '../search/bm25.ts'
import { messageTerms, messageVectors } from './tables.ts'

/** About how many terms a message has, with its share of its neighbours'. */
const PIVOT_LENGTH = 40
/** How much the words around a message count as its own, by distance. "In Oslo" says little without what was asked. */
const BEFORE = [0.3, 0.25]
const AFTER = [0.2, 0.15]
/** An answer is found by its question, so the words of a question just before it count more … */
const ANSWERED = 0.7
/** … and the question itself, which holds the words but not the answer, counts less. */
const ASKING = 0.75
const QUESTION = /[?？؟]\s*$/
/** PostgreSQL takes 65,535 parameters in a statement, and each row has four. */
const ROWS_AT_ONCE = 10_000

export type IndexMessages = (tx: Tx, ownerId: string, messageIds: string[]) => Promise<void>

interface MessageInContext extends Record<string, unknown> {
  id: string
  name: string | null
  content: string
  /** The contents of the two before it, nearest first, and of the two after it. */
  before: (string | null)[]
  after: (string | null)[]
}

/** Makes messages findable by their words and a little of their neighbours', in the transaction that stores them. */
export const indexMessages: IndexMessages = async (tx, ownerId, messageIds) => {
  if (messageIds.length === 0) return
  const { rows } = await tx.execute<MessageInContext>(sql`
    SELECT said.id, said.name, said.content, array[before1.content, before2.content] AS before,
           array[after1.content, after2.content] AS after
      FROM messages said
      ${neighbour(ownerId, 'before1', -1)} ${neighbour(ownerId, 'before2', -2)}
      ${neighbour(ownerId, 'after1', 1)} ${neighbour(ownerId, 'after2', 2)}
     WHERE said.owner_id = ${ownerId} AND said.id = ANY(${sql.param(messageIds)}::uuid[])`)
  const ids = rows.map(({ id }) => id)
  await tx.delete(messageTerms).where(and(eq(messageTerms.ownerId, ownerId), inArray(messageTerms.id, ids)))
  const terms = rows.flatMap((row) =>
    weighMessage(row).map((weighed) => ({ ...weighed, ownerId, id: row.id }))
  )
  for (let start = 0; start < terms.length; start += ROWS_AT_ONCE) {
    await tx.insert(messageTerms).values(terms.slice(start, start + ROWS_AT_ONCE))
  }
}

/** Indexes the messages just before these once more, now that what follows them is known. */
export async function indexMessagesBefore(tx: Tx, ownerId: string, messageIds: string[]): Promise<void> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    SELECT DISTINCT earlier.id FROM messages said
      JOIN conversations ON conversations.owner_id = ${ownerId} AND conversations.id = said.conversation_id
       AND NOT conversations.temporary
      JOIN messages earlier ON earlier.owner_id = ${ownerId} AND earlier.conversation_id = said.conversation_id
       AND earlier.sequence BETWEEN said.sequence - ${AFTER.length}::int AND said.sequence - 1
     WHERE said.owner_id = ${ownerId} AND said.id = ANY(${sql.param(messageIds)}::uuid[])`)
  const ids = rows.map(({ id }) => id)
  await indexMessages(tx, ownerId, ids)
}

function neighbour(ownerId: string, alias: string, distance: number): SQL {
  const name = sql.identifier(alias)
  return sql`LEFT JOIN messages ${name} ON ${name}.owner_id = ${ownerId}
    AND ${name}.conversation_id = said.conversation_id AND ${name}.sequence = said.sequence + ${distance}::int`
}

function weighMessage({ name, content, before, after }: MessageInContext): WeightedTerm[] {
  const [nearest = 0, ...further] = BEFORE
  const shares = [QUESTION.test(before[0] ?? '') ? ANSWERED : nearest, ...further]
  const parts = [
    { text: name ?? '', share: 1 },
    { text: content, share: 1 },
    ...before.map((text, index) => ({ text: text ?? '', share: shares[index] ?? 0 })),
    ...after.map((text, index) => ({ text: text ?? '', share: AFTER[index] ?? 0 }))
  ]
  const weighed = weighTerms(parts, PIVOT_LENGTH)
  if (!QUESTION.test(content)) return weighed
  return weighed.map(({ term, weight }) => ({ term, weight: weight * ASKING }))
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

export type SaveMessageVectors = (
  tx: Tx,
  ownerId: string,
  model: string,
  vectors: { id: string; embedding: number[] }[]
) => Promise<void>

export const saveMessageVectors: SaveMessageVectors = async (tx, ownerId, model, vectors) => {
  if (vectors.length === 0) return
  await tx
    .insert(messageVectors)
    .values(vectors.map(({ id, embedding }) => ({ ownerId, id, model, embedding })))
    .onConflictDoNothing()
}
