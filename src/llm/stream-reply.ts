import { tokensOf } from '../search/pack.ts'
import { ModelFailed, ModelTimeout, ReplyTooLong } from './errors.ts'
import { estimateUsage, usageOr } from './estimate-usage.ts'
import type { FinishReason, ModelEvent, Usage } from './model.ts'
import { createSilence, MODEL_TIMEOUTS, type ModelTimeouts } from './silence.ts'
import type { OnUsage } from './usage-meter.ts'

/** A reply as it arrives, piece by piece, in a provider's own shape. */
export interface ArrivingReply<Chunk> {
  /** Takes one piece in and gives the words it brings. `isProgress`: it brought anything of the reply at all. */
  add(chunk: Chunk): { events: ModelEvent[]; isProgress: boolean }
  /** null until the model has said why the reply ended. */
  readonly finishReason: FinishReason | null
  /** null until it was told: some tell before the end, some never. */
  readonly usage: Usage | null
  /** How many characters of calls it keeps until they are whole. */
  readonly held: number
  /** The whole tool calls, then the finish. */
  end(): ModelEvent[]
}

/** A model that repeats itself without end, aloud, in thought or in a call, is cut off here; the words so far are kept. */
export const MAX_REPLY_CHARACTERS = 400_000

interface Source<Chunk> {
  /** What arrives together. */
  pieces: AsyncIterable<Iterable<Chunk>>
  /** Whether nothing more will come, so that the connection may be kept. */
  isOver: () => boolean
}

export interface StreamSettings<Chunk> {
  /** The model's id. */
  id: string
  reply: ArrivingReply<Chunk>
  /** Makes the call; it is aborted by the caller, by a silence, or by whoever reads the reply leaving early. */
  open: (request: AbortController) => Promise<Source<Chunk>>
  /** Any failure as one of ours. */
  mapError: (error: unknown, id: string) => Error
  /** About what is sent, for where the provider does not tell. */
  inputTokens: () => number
  timeouts?: ModelTimeouts | undefined
  onUsage?: OnUsage | undefined
}

/** Streams one reply of a provider under the limits of time that hold for all of them. */
export async function* streamReply<Chunk>(
  { id, reply, open, mapError, inputTokens, timeouts = MODEL_TIMEOUTS, onUsage }: StreamSettings<Chunk>,
  signal: AbortSignal
): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted()
  const request = new AbortController()
  const silence = createSilence(() => request.abort())
  const abort = () => request.abort()
  let isOver = () => false
  let isWriting = false
  let said = ''
  let rest: ModelEvent[] = []
  signal.addEventListener('abort', abort, { once: true })
  try {
    silence.startTimer(timeouts.firstTokenMs)
    const source = await open(request)
    isOver = source.isOver
    for await (const piece of source.pieces)
      for (const chunk of piece) {
        const { events, isProgress } = reply.add(chunk)
        // One that brings nothing is no sign of life: some servers send them for ever.
        if (!isProgress) continue
        if (reply.held > MAX_REPLY_CHARACTERS) throw new ReplyTooLong()
        isWriting = true
        silence.pauseTimer()
        for (const event of events) {
          said += 'text' in event ? event.text : ''
          yield event
          signal.throwIfAborted()
        }
        silence.startTimer(reply.finishReason ? timeouts.afterFinishMs : timeouts.betweenTokensMs)
      }
    signal.throwIfAborted()
    if (!reply.finishReason && !isOver()) throw new ModelFailed(id)
  } catch (error) {
    signal.throwIfAborted()
    // Whatever happens after the model has said why it ends, the reply is whole.
    if (!reply.finishReason) throw silence.wasTooLong() ? new ModelTimeout(id) : mapError(error, id)
  } finally {
    silence.stopTimer()
    signal.removeEventListener('abort', abort)
    if (!isOver()) request.abort()
    rest = reply.end()
    const usage = usageOr(reply.usage, () =>
      estimateUsage(inputTokens(), tokensOf(said) + tokensOf(rest.map(wordsOf).join('')))
    )
    // One that was left before it answered may have been at work. One that refused took nothing, whatever status it gave.
    const wasAtWork = isWriting || reply.usage !== null || signal.aborted || silence.wasTooLong()
    if (wasAtWork) onUsage?.({ model: id, kind: 'chat', usage })
    rest = rest.map((event) => (event.type === 'finish' ? { ...event, usage } : event))
  }
  yield* rest
}

function wordsOf(event: ModelEvent): string {
  if (event.type === 'tool-call') return event.call.name + event.call.arguments
  return 'text' in event ? event.text : ''
}
