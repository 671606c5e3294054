import type { Database } from '../db/client.ts'
import { findAbandonedTurns } from '../db/system.ts'
import { loadConversation } from './conversation-store.ts'
import { TurnInterrupted } from './errors.ts'
import { type FinishTurnDeps, finishTurn } from './finish-turn.ts'
import { loadTurn, readWords } from './turn-store.ts'

const BATCH = 100

/**
 * Ends the turns whose runner died, with the words that were stored. `evenLeased` is for a start-up where no other
 * process can be running turns. Answers how many there were.
 */
export function createInterruptAbandoned(deps: FinishTurnDeps & { database: Database }) {
  const { database } = deps

  return async function interruptAbandoned(evenLeased: boolean): Promise<number> {
    for (let total = 0; ; ) {
      const abandoned = await database.inSystem((tx) => findAbandonedTurns(tx, evenLeased, BATCH))
      for (const { ownerId, id } of abandoned) await interrupt(ownerId, id)
      total += abandoned.length
      if (abandoned.length < BATCH) return total
    }
  }

  async function interrupt(ownerId: string, id: string): Promise<void> {
    const { code, message } = new TurnInterrupted()
    await database.inOwner(ownerId, async (tx) => {
      const turn = await loadTurn(tx, ownerId, id)
      const { temporary } = await loadConversation(tx, ownerId, turn.conversationId)
      const { text, citations, lastId } = await readWords(tx, ownerId, id)
      const outcome = {
        status: 'interrupted' as const,
        error: { code, message, retryable: true },
        text,
        citations,
        memoriesUsed: [],
        usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
      }
      // Another process may have found the same turn: then this writes nothing.
      await finishTurn(tx, deps, { ...turn, temporary, runnerId: null }, outcome, lastId + 1, [])
    })
  }
}
