import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { users } from '../auth/tables.ts'
import type { Tx } from '../db/client.ts'
import type { ExtractionInput, ExtractionSource } from '../memory/extraction/extract.ts'
import { loadMessage } from './conversation-store.ts'
import { conversations, messages } from './tables.ts'

/** Whether a message is still to be learnt from. Throws where there is none of this id. */
export async function isUnread(tx: Tx, ownerId: string, messageId: string): Promise<boolean> {
  await loadMessage(tx, ownerId, messageId)
  return (await readUnread(tx, ownerId, [messageId])).length > 0
}

/** What was said while remembering is paused is never learnt, also not when it goes on: it counts as read. */
export async function passOverPaused(tx: Tx, ownerId: string, messageIds: string[]): Promise<void> {
  await tx.execute(sql`
    UPDATE messages said SET extracted_at = now() FROM conversations, users
     WHERE said.owner_id = ${ownerId} AND said.id = ANY (${sql.param(messageIds)}::uuid[]) AND said.extracted_at IS NULL
       AND conversations.owner_id = ${ownerId} AND conversations.id = said.conversation_id
       AND users.id = ${ownerId} AND (conversations.memory_paused OR users.memory_paused)`)
}

/** What memory may read of conversations: the owner's own words, unless they are not to be remembered. */
export const extractionSource: ExtractionSource = {
  async read(tx, ownerId, messageIds) {
    await passOverPaused(tx, ownerId, messageIds)
    return readUnread(tx, ownerId, messageIds)
  },
  async mark(tx, ownerId, messageId) {
    const marked = await tx
      .update(messages)
      .set({ extractedAt: sql`now()` })
      .where(and(eq(messages.ownerId, ownerId), eq(messages.id, messageId), isNull(messages.extractedAt)))
      .returning({ id: messages.id })
    return marked.length > 0
  }
}

function readUnread(tx: Tx, ownerId: string, messageIds: string[]): Promise<ExtractionInput[]> {
  return tx
    .select({
      messageId: messages.id,
      text: messages.content,
      saidAt: messages.createdAt,
      timeZone: users.timezone
    })
    .from(messages)
    .innerJoin(
      conversations,
      and(eq(conversations.ownerId, ownerId), eq(conversations.id, messages.conversationId))
    )
    .innerJoin(users, eq(users.id, ownerId))
    .where(
      and(
        eq(messages.ownerId, ownerId),
        inArray(messages.id, messageIds),
        eq(messages.role, 'user'),
        isNull(messages.extractedAt),
        eq(conversations.temporary, false),
        eq(conversations.memoryPaused, false),
        eq(users.memoryPaused, false)
      )
    )
    .orderBy(messages.conversationId, messages.sequence)
}
