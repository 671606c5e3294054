import { setTimeout as wait } from 'node:timers/promises'
import type { Carried } from '../consolidation/carried.ts'
import { isOutOfBudget, isRetryable, ReplyTooLong } from '../llm/errors.ts'
import type { FinishReason, ModelEvent, Prompt, Usage } from '../llm/model.ts'
import { MAX_REPLY_CHARACTERS } from '../llm/stream-reply.ts'
import type { Recall, RecallItem, RecallQuery } from '../memory/recall/recall.ts'
import { measure } from '../telemetry/measure.ts'
import type { Account, PayFor } from '../usage/account.ts'
import { createCitationFinder } from './cite.ts'
import { createReplyCleaner } from './clean-reply.ts'
import { goneNotice, interruptedError } from './errors.ts'
import { type FinishTurnDeps, finishTurn, type Outcome } from './finish-turn.ts'
import { createFitPrompt } from './fit-prompt.ts'
import type { StoreEvents } from './log-writer.ts'
import { createOneAtATime, type OneAtATime } from './one-at-a-time.ts'
import type { Citation, MemoryUsed, TurnError, TurnOptions } from './schemas.ts'
import { type ContextDeps, loadContext } from './turn-context.ts'
import type { TurnHub } from './turn-hub.ts'
import { createTurnLog, type TurnLog } from './turn-log.ts'
import { type ChatModels, whoAnswers } from './who-answers.ts'

const RECALLED = 8
/** Waits before the end of a turn is tried again to be stored, in milliseconds; the last one again and again. */
const FINISH_AGAIN_MS = [200, 1_000, 5_000]
/** A database that is away for so many tries, five minutes, is not waited for any longer. */
const FINISH_TRIES = 60

export interface Wishes {
  /** Added to the owner's standing instructions. */
  instructions?: string | undefined
  /** At most this much is written. */
  maxOutputTokens?: number | undefined
}

export interface AcceptedTurn {
  ownerId: string
  id: string
  conversationId: string
  userMessageId: string
  model: string
  /** What the owner said. */
  text: string
  /** Whether the conversation begins with it. */
  begins: boolean
  /** Whether images come with the message that it begins with. */
  hasImages: boolean
  temporary: boolean
  options: TurnOptions
  runnerId: string
  /** What the caller wants of this turn alone. It is not kept. */
  wishes?: Wishes | undefined
  /** What its prompt carries whatever is asked, where reading that was begun before it was accepted. */
  carried?: Promise<Carried | undefined> | undefined
  /** What is recalled for it, where that was begun before it was accepted, and how to give that up. */
  recalled?: { items: Promise<RecallItem[]>; leave: AbortController } | undefined
  /** Called at its first word, or at its end where it has none. */
  onFirstWord: () => void
  /** The words and citations it goes on from, where it continues another. */
  begun?: { content: string; citations: Citation[] }
}

export interface RunTurnDeps extends FinishTurnDeps, ContextDeps {
  payFor: PayFor
  hub: TurnHub
  storeEvents: StoreEvents
  models: ChatModels
  recall: Recall
  /** Hears how long a turn took to its first word. */
  noteFirstToken: (milliseconds: number) => void
  now: () => Date
  onError: (error: unknown) => void
}

/** Why a turn was aborted: its owner stopped it, or the process is stopping. */
export type AbortReason = 'stopped' | 'interrupted'

/** The reply as it grows. */
interface Reply {
  /** Who writes it: where the turn's own model is away, another that is set to answer for it. */
  model: string
  text: string
  citations: Citation[]
  memoriesUsed: MemoryUsed[]
  usage: Usage
  finishReason: FinishReason | null
}

export function createRunTurn(deps: RunTurnDeps) {
  const { storeEvents, hub } = deps
  // The words of one owner's turns are counted together.
  const finishing = createOneAtATime()
  const fitPrompt = createFitPrompt()

  /** Answers one accepted turn. Never throws: whatever happens, the turn ends with the words so far. */
  return async function runTurn(turn: AcceptedTurn, signal: AbortSignal): Promise<void> {
    const log = createTurnLog({ storeEvents, hub, ownerId: turn.ownerId, turnId: turn.id })
    const reply: Reply = {
      model: turn.model,
      text: '',
      citations: [],
      memoriesUsed: [],
      usage: noUsage(),
      finishReason: null
    }
    let failure: unknown
    try {
      await deps.payFor(accountOf(turn, reply), () => answer(turn, reply, log, signal))
    } catch (error) {
      failure = error
    }
    await finish(deps, finishing, turn, log, { ...reply, ...toEnd(failure, signal) }, signal)
  }

  async function answer(turn: AcceptedTurn, reply: Reply, log: TurnLog, signal: AbortSignal): Promise<void> {
    const began = performance.now()
    let isSilent = true
    const { model, isGone } = whoAnswers(deps.models, turn.model)
    reply.model = model.id
    if (isGone) log.append({ type: 'notice', data: goneNotice(turn.model, model.id) })
    if (turn.begun) beginWith(turn.begun, reply, log)
    const [context, recalled] = await Promise.all([
      loadContext(deps, turn, model),
      recallFor(deps, turn, signal)
    ])
    const known = new Set(context.history.map((message) => message.id))
    const sources = recalled.filter((item) => !known.has(item.id) && !context.isOnOtherBranch(item))
    let findCitations = createCitationFinder([])
    let written = 0
    let answers = false

    function take(event: ModelEvent): void {
      answers = true
      if (event.type === 'start') {
        reply.model = event.model
      } else if (event.type === 'finish') {
        reply.usage = event.usage
        reply.finishReason = event.reason
      } else if (event.type === 'tool-call') {
        written += event.call.arguments.length
        log.append({ type: 'tool-call', data: event.call })
      } else {
        written += event.text.length
        log.append({ type: event.type, data: { text: event.text } })
        if (event.type === 'reasoning-delta') return
        if (isSilent) {
          deps.noteFirstToken(performance.now() - began)
          turn.onFirstWord()
        }
        isSilent = false
        reply.text += event.text
        for (const citation of findCitations(event.text)) {
          reply.citations.push(citation)
          log.append({ type: 'citation', data: citation })
        }
      }
    }

    async function ask(prompt: Prompt): Promise<void> {
      reply.memoriesUsed = prompt.sources
        .filter(({ kind }) => kind === 'memory')
        .map(({ id, text, score }) => ({ id, text, score }))
      findCitations = createCitationFinder(prompt.sources)
      const clean = createReplyCleaner()
      for await (const event of model.stream(prompt, signal)) {
        signal.throwIfAborted()
        if (written > MAX_REPLY_CHARACTERS) throw new ReplyTooLong()
        clean(event).forEach(take)
      }
    }

    await fitPrompt({
      model,
      parts: { ...context, begun: turn.begun, sources, now: deps.now() },
      maxOutputTokens: turn.wishes?.maxOutputTokens,
      signal,
      ask,
      answeredBy: () => (answers ? reply.model : null)
    })
  }

  function toEnd(failure: unknown, signal: AbortSignal): Pick<Outcome, 'status' | 'error'> {
    if (signal.aborted) {
      const status = signal.reason as AbortReason
      return { status, error: status === 'interrupted' ? interruptedError() : null }
    }
    if (!failure) return { status: 'completed', error: null }
    if (!isOutOfBudget(failure)) measure('Errors', 1)
    const error = toTurnError(failure)
    if (error.code === 'PAI_INTERNAL') deps.onError(failure)
    return { status: 'failed', error }
  }
}

/** Whoever stops or fails before the end is told what was used by the account alone. */
function accountOf({ ownerId, id, conversationId }: AcceptedTurn, reply: Reply): Account {
  const hear: Account['hear'] = ({ kind, usage }) => {
    if (kind === 'chat') reply.usage = usage
  }
  return { ownerId, purpose: 'chat', conversationId, turnId: id, hear }
}

/** Its words are in the log and the reply from the start: cut off again, nothing of them is lost. */
function beginWith(begun: NonNullable<AcceptedTurn['begun']>, reply: Reply, log: TurnLog): void {
  reply.text = begun.content
  log.append({ type: 'text-delta', data: { text: begun.content } })
  for (const citation of begun.citations) {
    reply.citations.push(citation)
    log.append({ type: 'citation', data: citation })
  }
}

async function recallFor(
  { recall }: RunTurnDeps,
  turn: AcceptedTurn,
  signal: AbortSignal
): Promise<RecallItem[]> {
  if (!turn.options.useMemory) return []
  if (turn.recalled) {
    const { items, leave } = turn.recalled
    if (signal.aborted) leave.abort()
    signal.addEventListener('abort', () => leave.abort(), { once: true })
    return items
  }
  return recall(turn.ownerId, recallQuery(turn.text), signal)
}

/** What is looked up for a message. */
export function recallQuery(text: string): RecallQuery {
  return {
    query: text,
    limit: RECALLED,
    kinds: ['memory', 'message'],
    ownWordsOnly: true
  }
}

/**
 * Stores how the turn ended, and only then tells the watchers. A database that is away is waited for: the words are here
 * and nowhere else. A process that stops waits for a moment only.
 */
async function finish(
  deps: RunTurnDeps,
  finishing: OneAtATime,
  turn: AcceptedTurn,
  log: TurnLog,
  outcome: Outcome,
  signal: AbortSignal
): Promise<void> {
  await log.settle()
  const { firstId, events } = log.take()
  const store = () =>
    deps.database.inOwner(turn.ownerId, (tx) => finishTurn(tx, deps, turn, outcome, firstId, events))
  const stopping = whenStopping(signal)
  for (let tries = 1; ; tries++) {
    try {
      // One after the other, those of a process that stops would each wait for a database that is away.
      const written = await finishing(turn.ownerId, store, stopping)
      if (written) log.publish(firstId, written)
      // Somebody else has ended it, or this did and the answer was lost: the log says how.
      else deps.hub.wake(turn.id)
      return
    } catch (error) {
      deps.onError(error)
      // It stays unfinished in the database: its lease runs out, and it is found as interrupted.
      if (tries > (isStopping(signal) ? FINISH_AGAIN_MS.length : FINISH_TRIES)) return
      await wait(FINISH_AGAIN_MS[tries - 1] ?? FINISH_AGAIN_MS.at(-1))
    }
  }
}

function isStopping(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason === 'interrupted'
}

function whenStopping(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (isStopping(signal)) resolve()
    }
    look()
    signal.addEventListener('abort', look, { once: true })
  })
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
