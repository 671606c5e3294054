import { v7 as uuidv7 } from 'uuid'
import type { Database, Tx } from '../db/client.ts'
import { claim, type IdempotentCall } from '../db/idempotency.ts'
import { loadConversation, loadMessage } from './conversation-store.ts'
import { MessageNotFound } from './errors.ts'
import type { AcceptedTurn } from './run-turn.ts'
import type { Runner } from './runner.ts'
import type { ChatBody } from './schemas.ts'
import { toTitle } from './title.ts'
import { acceptAgain, acceptMessage, findOptions } from './turn-store.ts'

export interface StartedTurn {
  turnId: string
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
  /** Stores a turn once for its key. `store` answers what there is to run. */
  async function accept(
    call: IdempotentCall,
    turnId: string,
    store: (tx: Tx) => Promise<AcceptedTurn>
  ): Promise<StartedTurn> {
    let accepted: AcceptedTurn | undefined
    const known = await database.inOwner(call.ownerId, async (tx) => {
      accepted = undefined
      const earlier = await claim<StartedTurn>(tx, call, { turnId })
      if (!earlier) accepted = await store(tx)
      return earlier
    })
    if (accepted) runner.run(accepted)
    return known?.answer ?? { turnId }
  }

  return {
    /** Answers a new message. */
    chat(ownerId: string, body: ChatBody, key?: string): Promise<StartedTurn> {
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
      return accept({ ownerId, key, call: 'POST /v1/chat', body }, turn.id, async (tx) => {
        const stored = await acceptMessage(tx, ownerId, turn, { text, parentId, begins })
        return { ...turn, ...stored, ownerId, text }
      })
    },

    /** Answers an earlier message once more, as a new branch. `messageId` is that message, or a reply to it. */
    regenerate(ownerId: string, messageId: string, key?: string): Promise<StartedTurn> {
      const id = uuidv7()
      const call = { ownerId, key, call: `POST /v1/messages/${messageId}/regenerate`, body: {} }
      return accept(call, id, async (tx) => {
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
        return { ...turn, ownerId, text, temporary }
      })
    }
  }
}
