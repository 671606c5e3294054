import { and, asc, eq, gt, lte, sql } from 'drizzle-orm'
import { users } from '../auth/tables.ts'
import type { Tx } from '../db/client.ts'
import { ImportNotFound } from './errors.ts'
import type { ImportBody } from './import-schemas.ts'
import { conversations, imports, messages } from './tables.ts'

/** Rows of nine parameters each; PostgreSQL takes 65,535 in a statement. */
const ROWS_AT_ONCE = 5_000

export type ImportRow = typeof imports.$inferSelect

/** Stores a conversation with its messages, each answering the one before it. */
export async function storeConversation(
  tx: Tx,
  ownerId: string,
  conversation: { id: string; title: string; titledBy: 'words' | 'owner'; temporary?: boolean },
  said: ImportBody['messages'],
  messageIds: string[]
): Promise<void> {
  const moments = said.map(({ createdAt }) => new Date(createdAt))
  await tx.insert(conversations).values({
    ...conversation,
    ownerId,
    nextSequence: said.length + 1,
    createdAt: moments[0],
    updatedAt: moments.at(-1)
  })
  for (let start = 0; start < said.length; start += ROWS_AT_ONCE) {
    await tx.insert(messages).values(
      said.slice(start, start + ROWS_AT_ONCE).map(({ role, name, content }, offset) => {
        const index = start + offset
        return {
          ownerId,
          id: messageIds[index] as string,
          conversationId: conversation.id,
          parentId: messageIds[index - 1] ?? null,
          sequence: index + 1,
          role,
          name: name ?? null,
          content,
          createdAt: moments[index]
        }
      })
    )
  }
}

/** What the owner is called. */
export async function readName(tx: Tx, ownerId: string): Promise<string> {
  const [row] = await tx.select({ name: users.name }).from(users).where(eq(users.id, ownerId))
  return row?.name ?? ''
}

export async function createImport(
  tx: Tx,
  ownerId: string,
  values: { id: string; conversationId: string; total: number }
): Promise<void> {
  await tx.insert(imports).values({ ...values, ownerId })
}

export async function findImport(tx: Tx, ownerId: string, id: string): Promise<ImportRow | undefined> {
  const [row] = await tx.select().from(imports).where(isImport(ownerId, id))
  return row
}

export async function loadImport(tx: Tx, ownerId: string, id: string): Promise<ImportRow> {
  const row = await findImport(tx, ownerId, id)
  if (!row) throw new ImportNotFound(id)
  return row
}

/** Notes that the messages up to number `done` can be found. It never goes back, whichever of two runs comes last. */
export async function saveProgress(tx: Tx, ownerId: string, id: string, done: number): Promise<void> {
  await tx
    .update(imports)
    .set({ done: sql`greatest(${imports.done}, ${done})` })
    .where(isImport(ownerId, id))
}

/** How many of the messages after number `done` make a part: so many, or fewer where they are long, but one at least. */
export async function countPart(
  tx: Tx,
  ownerId: string,
  conversationId: string,
  done: number,
  most: { messages: number; characters: number }
): Promise<number> {
  const { rows } = await tx.execute<{ count: number }>(sql`
    SELECT greatest(count(*), 1)::int AS count FROM (
      SELECT sum(length(content)) OVER (ORDER BY sequence) AS characters FROM messages
       WHERE owner_id = ${ownerId} AND conversation_id = ${conversationId}
         AND sequence > ${done} AND sequence <= ${done + most.messages}
    ) part WHERE characters <= ${most.characters}`)
  return rows[0]?.count ?? 1
}

/** The messages numbered after `done` and up to `until`. */
export function listImported(
  tx: Tx,
  ownerId: string,
  conversationId: string,
  done: number,
  until: number
): Promise<{ id: string; content: string }[]> {
  return tx
    .select({ id: messages.id, content: messages.content })
    .from(messages)
    .where(
      and(
        eq(messages.ownerId, ownerId),
        eq(messages.conversationId, conversationId),
        gt(messages.sequence, done),
        lte(messages.sequence, until)
      )
    )
    .orderBy(asc(messages.sequence))
}

function isImport(ownerId: string, id: string) {
  return and(eq(imports.ownerId, ownerId), eq(imports.id, id))
}
