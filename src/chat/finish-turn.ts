import { v7 as uuidv7 } from 'uuid'
import type { Bus } from '../db/bus.ts'
import { allSettledOrThrow, type Tx } from '../db/client.ts'
import type { Queue } from '../jobs/queue.ts'
import type { IndexMessages } from '../memory/recall/index-messages.ts'
import type { TurnEvent } from './events.ts'
import { passOverPaused } from './extraction-source.ts'
import { toGrownLogs } from './log-writer.ts'
import type { Citation, FinishReason, MemoryUsed, TurnError, TurnUsage } from './schemas.ts'
import { appendEvents } from './turn-log-store.ts'
import { endTurn, type TurnEnd } from './turn-store.ts'

/** The turn to finish. */
export interface UnfinishedTurn {
  ownerId: string
  id: string
  conversationId: string
  userMessageId: string
  temporary: boolean
  /** Who must still own it; null: nobody in particular. */
  runnerId: string | null
}

/** What it came to. */
export interface Outcome {
  /** Who wrote the reply. */
  model: string
  status: TurnEnd['status']
  error: TurnError | null
  text: string
  citations: Citation[]
  memoriesUsed: MemoryUsed[]
  usage: TurnUsage
  /** Why the model ended; null where it did not get to. */
  finishReason: FinishReason | null
}

export interface FinishTurnDeps {
  bus: Bus
  queue: Queue
  indexMessages: IndexMessages
  /** Whether there is a model that finds titles. */
  findsTitles: boolean
}

/**
 * Writes everything a turn leaves behind, once, in the caller's transaction: the reply, the end of its log from number
 * `firstId` on, and the jobs that follow. Answers the events to tell watchers of after the commit, or null when somebody
 * else has ended the turn and nothing was written.
 */
export async function finishTurn(
  tx: Tx,
  { bus, queue, indexMessages, findsTitles }: FinishTurnDeps,
  turn: UnfinishedTurn,
  { model, status, error, text, citations, memoriesUsed, usage, finishReason }: Outcome,
  firstId: number,
  pending: TurnEvent[]
): Promise<TurnEvent[] | null> {
  const { ownerId, id, conversationId, userMessageId } = turn
  const replyMessageId = text === '' ? null : uuidv7()
  const reply = replyMessageId && {
    id: replyMessageId,
    conversationId,
    parentId: userMessageId,
    content: text,
    citations
  }
  const ended = await endTurn(
    tx,
    ownerId,
    id,
    turn.runnerId,
    { model, status, memoriesUsed, usage, finishReason, error },
    reply || null
  )
  if (!ended) return null
  const events: TurnEvent[] = [
    ...pending,
    { type: 'usage', data: usage },
    ...(error ? [{ type: 'error' as const, data: error }] : []),
    { type: 'done', data: { status, messageId: replyMessageId, ...(finishReason && { finishReason }) } }
  ]
  // None of them waits for another's answer: they travel together.
  const work: Promise<void>[] = [
    appendEvents(tx, ownerId, id, firstId, events),
    // Who ends another's turn hears it too.
    bus.tell(tx, 'turn-log', toGrownLogs(turn.runnerId ?? '-', [id]))
  ]
  if (!turn.temporary) {
    const messageIds = replyMessageId ? [userMessageId, replyMessageId] : [userMessageId]
    // What was only put before the model is not used: it would be put there ever more.
    const quoted = citations.filter(({ kind }) => kind === 'memory').map((citation) => citation.id)
    const used = { memoryIds: [...new Set(quoted)], at: new Date().toISOString() }
    const toIndex = { ownerId, conversationId, memoryIds: [], messageIds, ...(quoted.length > 0 && { used }) }
    work.push(
      passOverPaused(tx, ownerId, [userMessageId]),
      indexMessages(tx, ownerId, messageIds),
      queue.enqueue(tx, 'memory.index', toIndex),
      queue.enqueue(tx, 'memory.extract', { ownerId, conversationId, messageIds: [userMessageId] })
    )
    if (findsTitles && status === 'completed' && ended.titledBy === 'words')
      work.push(queue.enqueue(tx, 'conversations.title', { ownerId, conversationId }))
  }
  await allSettledOrThrow(work)
  return events
}
