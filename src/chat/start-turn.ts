import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../db/client.ts'
import { claim, claiming, findAnswer, type IdempotentCall } from '../db/idempotency.ts'
import { loadConversation, loadMessage } from './conversation-store.ts'
import { ConversationNotTemporary, MessageNotFound } from './errors.ts'
import { firstEvent, type LoggedEvent, toLogged } from './events.ts'
import type { AcceptedTurn } from './run-turn.ts'
import type { Runner } from './runner.ts'
import type { ChatBody } from './schemas.ts'
import { toTitle } from './title.ts'
import { acceptAgain, acceptMessage, findOptions } from './turn-store.ts'

export interface StartedTurn {
  turnId: string
  /** The log so far, where this call made the turn: who watches it need not read it back. */
  events: LoggedEvent[]
}

export type StartTurn = ReturnType<typeof createStartTurn>

/**
 * Stores the owner's message and the turn, then runs it. When this returns, the message is in the database; everything
 * that can be refused has been refused. The same key makes one turn, and only the call that made it runs it.
 */
export function createStartTurn({
  database,
  runner,
  modelId
}: {
  database: Database
  runner: Runner
  modelId: string
}) {
  function begin(turn: AcceptedTurn): StartedTurn {
    runner.run(turn)
    return { turnId: turn.id, events: [toLogged(firstEvent(turn), 1)] }
  }

  return {
    /** Answers a new message. */
    async chat(ownerId: string, body: ChatBody, key?: string): Promise<StartedTurn> {
      const { message: text, parentId, useMemory = true, temporary = false } = body
      const turn = {
        id: uuidv7(),
        conversationId: body.conversationId ?? uuidv7(),
        userMessageId: uuidv7(),
        model: modelId,
        options: { useMemory },
        runnerId: runner.id
      }
      const begins = body.conversationId ? null : { title: toTitle(text), temporary }
      if (parentId && begins) throw new MessageNotFound(parentId)
      const call: IdempotentCall = { ownerId, key, call: 'POST /v1/chat', body }
      const accepted = await database.inOwner(ownerId, async (tx) => {
        const claimed = claiming(call, { turnId: turn.id })
        const stored = await acceptMessage(tx, ownerId, turn, { text, parentId, begins }, claimed)
        if (temporary && stored && !stored.temporary) throw new ConversationNotTemporary(turn.conversationId)
        return stored ?? findAnswer<{ turnId: string }>(tx, call)
      })
      if ('turnId' in accepted) return { turnId: accepted.turnId, events: [] }
      return begin({ ...turn, ...accepted, ownerId, text, begins: begins !== null })
    },

    /** Answers an earlier message once more, as a new branch. `messageId` is that message, or a reply to it. */
    async regenerate(ownerId: string, messageId: string, key?: string): Promise<StartedTurn> {
      const id = uuidv7()
      const call = { ownerId, key, call: `POST /v1/messages/${messageId}/regenerate`, body: {} }
      const accepted = await database.inOwner(ownerId, async (tx) => {
        const earlier = await claim<{ turnId: string }>(tx, call, { turnId: id })
        if (earlier) return earlier.answer
        const message = await loadMessage(tx, ownerId, messageId)
        const asked =
          message.role === 'user' ? message : await loadMessage(tx, ownerId, message.parentId ?? messageId)
        if (asked.role !== 'user') throw new MessageNotFound(messageId)
        const { conversationId, content: text } = asked
        const { temporary } = await loadConversation(tx, ownerId, conversationId)
        const options = (await findOptions(tx, ownerId, asked.id)) ?? { useMemory: true }
        const turn = {
          id,
          conversationId,
          userMessageId: asked.id,
          model: modelId,
          options,
          runnerId: runner.id
        }
        await acceptAgain(tx, ownerId, turn)
        return { ...turn, ownerId, text, temporary, begins: false }
      })
      return 'turnId' in accepted ? { turnId: accepted.turnId, events: [] } : begin(accepted)
    }
  }
}
