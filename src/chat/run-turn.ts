import type { Database, Tx } from '../db/client.ts'
import { isRetryable } from '../llm/errors.ts'
import type { ChatModel, Usage } from '../llm/model.ts'
import type { Recall, RecallItem } from '../memory/recall.ts'
import { createCitationFinder } from './cite.ts'
import { cleanReply } from './clean-reply.ts'
import { loadBranch } from './conversation-store.ts'
import { interruptedError } from './errors.ts'
import { type FinishTurnDeps, finishTurn, type Outcome } from './finish-turn.ts'
import { assemblePrompt } from './prompt.ts'
import type { Citation, MemoryUsed, TurnError, TurnOptions } from './schemas.ts'
import type { TurnHub } from './turn-hub.ts'
import { createTurnLog, type TurnLog } from './turn-log.ts'

/** How much of a conversation and its sources a model reads. */
const PROMPT_TOKENS = 24_000
const HISTORY_MESSAGES = 100
const RECALLED = 8

export interface AcceptedTurn {
  ownerId: string
  id: string
  conversationId: string
  userMessageId: string
  /** What the owner said. */
  text: string
  temporary: boolean
  options: TurnOptions
  runnerId: string
}

/** The owner's settings that bear on a reply. */
export interface OwnerProfile {
  name: string
  timezone: string
  instructions: string
}

export interface RunTurnDeps extends FinishTurnDeps {
  database: Database
  hub: TurnHub
  model: ChatModel
  recall: Recall
  findProfile: (tx: Tx, ownerId: string) => Promise<OwnerProfile | undefined>
  now: () => Date
  onError: (error: unknown) => void
}

/** Of an account that was removed while its turn ran. */
const UNKNOWN_OWNER: OwnerProfile = { name: '', timezone: 'UTC', instructions: '' }

/** Why a turn was aborted: its owner stopped it, or the process is stopping. */
export type AbortReason = 'stopped' | 'interrupted'

/** The reply as it grows. */
interface Reply {
  text: string
  citations: Citation[]
  memoriesUsed: MemoryUsed[]
  usage: Usage
}

export function createRunTurn(deps: RunTurnDeps) {
  const { database, hub, model } = deps

  /** Answers one accepted turn. Never throws: whatever happens, the turn ends with the words so far. */
  return async function runTurn(turn: AcceptedTurn, signal: AbortSignal): Promise<void> {
    const log = createTurnLog(database, hub, turn.ownerId, turn.id)
    const reply: Reply = { text: '', citations: [], memoriesUsed: [], usage: noUsage() }
    let failure: unknown
    try {
      await answer(turn, reply, log, signal)
    } catch (error) {
      failure = error
    }
    try {
      await finish(deps, turn, log, reply, toEnd(failure, signal))
    } catch (error) {
      // The turn stays unfinished in the database; its lease runs out and it is found as interrupted.
      deps.onError(error)
    }
  }

  async function answer(turn: AcceptedTurn, reply: Reply, log: TurnLog, signal: AbortSignal): Promise<void> {
    const [context, recalled] = await Promise.all([loadContext(deps, turn), recallFor(deps, turn, signal)])
    const known = new Set(context.history.map((message) => message.id))
    const prompt = assemblePrompt({
      ...context.profile,
      sources: recalled.filter((item) => !known.has(item.id)),
      history: context.history,
      now: deps.now(),
      budgetTokens: PROMPT_TOKENS
    })
    reply.memoriesUsed = prompt.sources
      .filter(({ kind }) => kind === 'memory')
      .map(({ id, text, score }) => ({ id, text, score }))
    const findCitations = createCitationFinder(prompt.sources)
    for await (const event of cleanReply(model.stream(prompt, signal))) {
      signal.throwIfAborted()
      if (event.type === 'finish') {
        reply.usage = event.usage
      } else if (event.type === 'tool-call') {
        log.append({ type: 'tool-call', data: event.call })
      } else {
        log.append({ type: event.type, data: { text: event.text } })
        if (event.type === 'reasoning-delta') continue
        reply.text += event.text
        for (const citation of findCitations(event.text)) {
          reply.citations.push(citation)
          log.append({ type: 'citation', data: citation })
        }
      }
    }
  }

  function toEnd(failure: unknown, signal: AbortSignal): Pick<Outcome, 'status' | 'error'> {
    if (signal.aborted) {
      const status = signal.reason as AbortReason
      return { status, error: status === 'interrupted' ? interruptedError() : null }
    }
    if (!failure) return { status: 'completed', error: null }
    const error = toTurnError(failure)
    if (error.code === 'PAI_INTERNAL') deps.onError(failure)
    return { status: 'failed', error }
  }
}

async function loadContext({ database, findProfile }: RunTurnDeps, { ownerId, userMessageId }: AcceptedTurn) {
  return database.inOwner(ownerId, async (tx) => ({
    profile: (await findProfile(tx, ownerId)) ?? UNKNOWN_OWNER,
    history: await loadBranch(tx, ownerId, userMessageId, HISTORY_MESSAGES)
  }))
}

async function recallFor(
  { recall }: RunTurnDeps,
  turn: AcceptedTurn,
  signal: AbortSignal
): Promise<RecallItem[]> {
  if (!turn.options.useMemory) return []
  const query = {
    query: turn.text,
    limit: RECALLED,
    kinds: ['memory' as const, 'message' as const],
    ownWordsOnly: true
  }
  return recall(turn.ownerId, query, signal)
}

/** Stores how the turn ended, and only then tells the watchers. */
async function finish(
  deps: RunTurnDeps,
  turn: AcceptedTurn,
  log: TurnLog,
  reply: Reply,
  end: Pick<Outcome, 'status' | 'error'>
): Promise<void> {
  await log.settle()
  const { firstId, events } = log.take()
  const written = await deps.database.inOwner(turn.ownerId, (tx) =>
    finishTurn(tx, deps, { ...turn, model: deps.model.id }, { ...reply, ...end }, firstId, events)
  )
  if (written) log.publish(firstId, written)
}

/** What a client may show: our own errors as they are, anything else without its words. */
function toTurnError(failure: unknown): TurnError {
  const { code = '', message = '' } = failure as { code?: unknown; message?: string }
  return typeof code === 'string' && code.startsWith('PAI_')
    ? { code, message, retryable: isRetryable(code) }
    : { code: 'PAI_INTERNAL', message: 'Something went wrong', retryable: true }
}

function noUsage(): Usage {
  return { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
}
