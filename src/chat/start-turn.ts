import { v7 as uuidv7 } from 'uuid'
import type { Database, Tx } from '../db/client.ts'
import { once } from '../db/idempotency.ts'
import { addMessage, createConversation, loadConversation, loadMessage } from './conversation-store.ts'
import { MessageNotFound } from './errors.ts'
import type { Runner } from './runner.ts'
import type { ChatBody, TurnOptions } from './schemas.ts'
import { createTurn } from './turn-store.ts'

const TITLE_LENGTH = 60

export interface StartedTurn {
  turnId: string
}

export type StartTurn = ReturnType<typeof createStartTurn>

interface Stored {
  userMessageId: string
  conversationId: string
  text: string
  temporary: boolean
}

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
  async function accept(
    ownerId: string,
    key: string | undefined,
    call: string,
    body: unknown,
    options: TurnOptions,
    store: (tx: Tx) => Promise<Stored>
  ): Promise<StartedTurn> {
    let accepted: Stored | undefined
    const started = await database.inOwner(ownerId, (tx) => {
      accepted = undefined
      return once(tx, { ownerId, key, call, body }, async () => {
        const turnId = uuidv7()
        accepted = await store(tx)
        const { conversationId, userMessageId } = accepted
        const turn = {
          id: turnId,
          conversationId,
          userMessageId,
          model: modelId,
          options,
          runnerId: runner.id
        }
        await createTurn(tx, ownerId, turn)
        return { turnId }
      })
    })
    if (accepted) runner.run({ ...accepted, ownerId, id: started.turnId, options, runnerId: runner.id })
    return started
  }

  return {
    /** Answers a new message. */
    async chat(ownerId: string, body: ChatBody, key?: string): Promise<StartedTurn> {
      const options = { useMemory: body.useMemory ?? true }
      return accept(ownerId, key, 'POST /v1/chat', body, options, async (tx) => {
        const { message: text } = body
        const conversation = body.conversationId
          ? await loadConversation(tx, ownerId, body.conversationId)
          : await createConversation(tx, ownerId, {
              id: uuidv7(),
              title: toTitle(text),
              temporary: body.temporary ?? false
            })
        if (body.parentId) {
          const parent = await loadMessage(tx, ownerId, body.parentId)
          if (parent.conversationId !== conversation.id) throw new MessageNotFound(body.parentId)
        }
        const { id: userMessageId } = await addMessage(tx, ownerId, {
          id: uuidv7(),
          conversationId: conversation.id,
          role: 'user',
          content: text,
          parentId: body.parentId
        })
        return { userMessageId, conversationId: conversation.id, text, temporary: conversation.temporary }
      })
    },

    /** Answers an earlier message once more, as a new branch. `messageId` is that message, or a reply to it. */
    async regenerate(ownerId: string, messageId: string, key?: string): Promise<StartedTurn> {
      const call = `POST /v1/messages/${messageId}/regenerate`
      return accept(ownerId, key, call, {}, { useMemory: true }, async (tx) => {
        const message = await loadMessage(tx, ownerId, messageId)
        const asked =
          message.role === 'user' ? message : await loadMessage(tx, ownerId, message.parentId ?? messageId)
        if (asked.role !== 'user') throw new MessageNotFound(messageId)
        const { temporary } = await loadConversation(tx, ownerId, asked.conversationId)
        return {
          userMessageId: asked.id,
          conversationId: asked.conversationId,
          text: asked.content,
          temporary
        }
      })
    }
  }
}

/** The first words of the first message, until a better title is found. */
function toTitle(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  if (line.length <= TITLE_LENGTH) return line
  const cut = line.slice(0, TITLE_LENGTH)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), TITLE_LENGTH / 2)).toWellFormed()}…`
}
