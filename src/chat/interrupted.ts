import { sql } from 'drizzle-orm'
import type { Database, Tx } from '../db/client.ts'
import { findAbandonedTurns } from '../db/system.ts'
import { estimateUsage, textsTokens } from '../llm/estimate-usage.ts'
import { tokensOf } from '../search/pack.ts'
import type { Ledger } from '../usage/ledger.ts'
import { loadBranch, loadConversation } from './conversation-store.ts'
import { interruptedError } from './errors.ts'
import { type FinishTurnDeps, finishTurn } from './finish-turn.ts'
import { PROMPT_TOKENS } from './fit-prompt.ts'
import { HISTORY_MESSAGES } from './turn-context.ts'
import { readWords } from './turn-log-store.ts'
import { lockAbandoned } from './turn-store.ts'

const BATCH = 100

/**
 * Ends the turns whose runner died, with the words that were stored. `evenLeased` is for a start-up where no other
 * process can be running turns. Answers how many it ended.
 */
export function createInterruptAbandoned(
  deps: FinishTurnDeps & { database: Database; noteLost: Ledger['noteLost'] }
) {
  const { database } = deps

  return async function interruptAbandoned(evenLeased: boolean): Promise<number> {
    for (let total = 0; ; ) {
      const abandoned = await database.inSystem((tx) => findAbandonedTurns(tx, evenLeased, BATCH))
      const failures: unknown[] = []
      for (const { ownerId, id } of abandoned) {
        const ended = await interrupt(ownerId, id, evenLeased).catch((error) => failures.push(error))
        if (ended === true) total++
      }
      // One that cannot be ended holds up none of the others.
      if (failures.length > 0) throw failures[0]
      if (abandoned.length < BATCH) return total
    }
  }

  /** False when somebody else has ended it, or its runner has come back, since it was found. */
  async function interrupt(ownerId: string, id: string, evenLeased: boolean): Promise<boolean> {
    return database.inOwner(ownerId, async (tx) => {
      const turn = await lockAbandoned(tx, ownerId, id, evenLeased)
      if (!turn) return false
      const { temporary } = await loadConversation(tx, ownerId, turn.conversationId)
      const { text, citations, lastId } = await readWords(tx, ownerId, id)
      // What its runner knew of it died with it. Where no word had come, nobody knows that a model was asked.
      const written = text.slice(await lengthBegun(tx, ownerId, turn.userMessageId, text))
      const usage = estimateUsage(
        written === '' ? 0 : await readTokens(tx, ownerId, turn.userMessageId),
        tokensOf(written)
      )
      const outcome = {
        model: turn.model,
        status: 'interrupted' as const,
        error: interruptedError(),
        text,
        citations,
        memoriesUsed: [],
        usage,
        finishReason: null
      }
      const account = { ownerId, purpose: 'chat', conversationId: turn.conversationId, turnId: id }
      if (written !== '') await deps.noteLost(tx, account, { model: turn.model, usage })
      await finishTurn(tx, deps, { ...turn, temporary, runnerId: null }, outcome, lastId + 1, [])
      return true
    })
  }
}

/** How much of these words an earlier reply to the same message had, which this one went on from. */
async function lengthBegun(tx: Tx, ownerId: string, messageId: string, text: string): Promise<number> {
  const { rows } = await tx.execute<{ length: number }>(sql`
    SELECT coalesce(max(length(content)), 0)::int AS length FROM messages
     WHERE owner_id = ${ownerId} AND parent_id = ${messageId} AND role = 'assistant' AND starts_with(${text}, content)`)
  return rows[0]?.length ?? 0
}

/** About what a model had to read to answer a message. */
async function readTokens(tx: Tx, ownerId: string, messageId: string): Promise<number> {
  const branch = await loadBranch(tx, ownerId, messageId, HISTORY_MESSAGES)
  return Math.min(PROMPT_TOKENS, textsTokens(branch.map(({ content }) => content)))
}
