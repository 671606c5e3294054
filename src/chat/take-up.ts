import type { Database, Tx } from '../db/client.ts'
import { loadConversation, loadMessage } from './conversation-store.ts'
import type { AcceptedTurn } from './run-turn.ts'
import type { Runner } from './runner.ts'
import { renewUnbegun, type TurnRow } from './turn-store.ts'

export type ToBegin = Omit<AcceptedTurn, 'onFirstWord'> & Partial<Pick<AcceptedTurn, 'onFirstWord'>>

/** What a retry knows of a turn that is not stored with it. */
export type KnownAgain = Partial<Pick<ToBegin, 'wishes' | 'hasImages' | 'begins' | 'begun'>>

/**
 * Has a retry run the turn that an earlier request stored, where nobody does: the message was stored, and the connection to
 * the database broke before that was heard of.
 */
export function createTakeUp({
  database,
  runner
}: {
  database: Pick<Database, 'inOwner'>
  runner: Pick<Runner, 'id' | 'claim'>
}) {
  /** Answers what `begin` does, or null where the turn runs, is another runner's, or has ended. */
  return async function takeUp<T>(
    ownerId: string,
    turnId: string,
    know: (tx: Tx, turn: TurnRow) => Promise<KnownAgain>,
    begin: (turn: ToBegin) => T
  ): Promise<T | null> {
    const release = runner.claim(turnId)
    if (!release) return null
    try {
      const turn = await database.inOwner(ownerId, async (tx) => {
        const row = await renewUnbegun(tx, ownerId, turnId, runner.id)
        if (!row) return null
        const { id, conversationId, userMessageId, model, options } = row
        const { temporary } = await loadConversation(tx, ownerId, conversationId)
        const { content: text } = await loadMessage(tx, ownerId, userMessageId)
        const asked = { ownerId, id, conversationId, userMessageId, model, options, text, temporary }
        const runnerId = runner.id
        return { ...asked, runnerId, hasImages: false, begins: false, ...(await know(tx, row)) }
      })
      return turn && begin(turn)
    } finally {
      release()
    }
  }
}
