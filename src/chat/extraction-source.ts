import { and, eq, isNull } from 'drizzle-orm'
import { users } from '../auth/tables.ts'
import type { ExtractionSource } from '../memory/extract.ts'
import { conversations, messages, turns } from './tables.ts'
import { markExtracted } from './turn-store.ts'

/** A turn as memory reads it: the owner's message, unless it is not to be remembered. */
export const extractionSource: ExtractionSource = {
  async read(tx, ownerId, turnId) {
    const [found] = await tx
      .select({ messageId: messages.id, text: messages.content, saidAt: messages.createdAt })
      .from(turns)
      .innerJoin(messages, and(eq(messages.ownerId, ownerId), eq(messages.id, turns.userMessageId)))
      .innerJoin(
        conversations,
        and(eq(conversations.ownerId, ownerId), eq(conversations.id, turns.conversationId))
      )
      .innerJoin(users, eq(users.id, ownerId))
      .where(
        and(
          eq(turns.ownerId, ownerId),
          eq(turns.id, turnId),
          isNull(turns.extractedAt),
          eq(conversations.temporary, false),
          eq(users.memoryPaused, false)
        )
      )
    return found ?? null
  },
  mark: markExtracted
}
