import { allSettledOrThrow, type Database } from '../db/client.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import { loadMessage, toMessage } from './conversation-store.ts'
import type { Turn } from './schemas.ts'
import { loadTurn, type TurnRow } from './turn-store.ts'

const NO_USAGE: NonNullable<TurnRow['usage']> = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }

export type ReadTurn = ReturnType<typeof createReadTurn>

/** A turn as the API shows it, with its reply once there is one. */
export function createReadTurn({ database, hiding }: { database: Database; hiding: Hiding }) {
  return function readTurn(ownerId: string, turnId: string): Promise<Turn> {
    return database.readInOwner(ownerId, async (tx) => {
      const turn = await loadTurn(tx, ownerId, turnId)
      const { finishReason = null, ...usage } = turn.usage ?? NO_USAGE
      const both = [
        turn.replyMessageId &&
          hiding.messages(
            tx,
            ownerId,
            loadMessage(tx, ownerId, turn.replyMessageId).then((message) => [message])
          ),
        hiding.used(tx, ownerId, turn.memoriesUsed)
      ] as const
      // Sent together.
      await allSettledOrThrow(both.map(async (asked) => asked))
      const [replies, memoriesUsed] = await Promise.all(both)
      const [reply] = replies || []
      return {
        conversationId: turn.conversationId,
        turnId: turn.id,
        status: turn.status,
        model: turn.model,
        message:
          (reply &&
            toMessage({
              ...reply,
              turnId,
              finishReason,
              turnStatus: turn.status,
              turnError: turn.error,
              attachments: []
            })) ??
          null,
        memoriesUsed,
        usage,
        finishReason,
        error: turn.error
      }
    })
  }
}
