import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { users } from '../auth/tables.ts'
import type { Tx } from '../db/client.ts'
import type { ExtractionSource } from '../memory/extraction/extract.ts'
import { loadMessage } from './conversation-store.ts'
import { conversations, messages } from './tables.ts'

/** Whether a message is still to be learnt from. Throws where there is none of this id. */
export async function isUnread(tx: Tx, ownerId: string, messageId: string): Promise<boolean> {
  await loadMessage(tx, ownerId, messageId)
  return (await extractionSource.read(tx, ownerId, [messageId])).length > 0
}

/** What memory may read of conversations: the owner's own words, unless they are not to be remembered. */
export const extractionSource: ExtractionSource = {
  async read(tx, ownerId, messageIds) {
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
