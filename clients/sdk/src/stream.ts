import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { type PaiClient, unwrap } from './client.ts'
import { networkError, PaiError } from './errors.ts'
import { type TurnEvent, toTurnEvent } from './events.ts'
import type { ChatBody } from './types.ts'

interface StartOptions {
  signal?: AbortSignal
  /** Sending again with the same key gives the same turn, so a send whose fate is unknown is safe to repeat. */
  idempotencyKey?: string
}

type Body = ReadableStream<Uint8Array> | null

const MAX_RECONNECTS = 6
/** PAI sends a comment every 15 s; a stream quieter than this hangs on a connection that is gone. */
const SILENCE_MS = 45_000
const SSE = { accept: 'text/event-stream' }
const WORTH_ANOTHER_TRY = new Set([0, 429, 502, 503, 504])

/** Sends a message and yields its turn's events. Stopping to read does not stop the turn. */
export function streamChat(client: PaiClient, body: ChatBody, options: StartOptions = {}) {
  const init = { headers: startHeaders(options), parseAs: 'stream', ...pick(options) } as const
  return follow(client, () => unwrap(client.POST('/v1/chat', { body, ...init })), options.signal)
}

/** Asks for another reply to the same message, as a new branch, and yields its turn's events. */
export function streamRegenerate(client: PaiClient, messageId: string, options: StartOptions = {}) {
  const init = {
    params: { path: { id: messageId } },
    headers: startHeaders(options),
    parseAs: 'stream'
  } as const
  return follow(
    client,
    () => unwrap(client.POST('/v1/messages/{id}/regenerate', { ...init, ...pick(options) })),
    options.signal
  )
}

/** Goes on from the words of a turn that was cut off, as a new branch that begins with them, and yields its events. */
export function streamContinue(client: PaiClient, turnId: string, options: StartOptions = {}) {
  const init = {
    params: { path: { id: turnId } },
    headers: startHeaders(options),
    parseAs: 'stream'
  } as const
  return follow(
    client,
    () => unwrap(client.POST('/v1/turns/{id}/continue', { ...init, ...pick(options) })),
    options.signal
  )
}

/** Follows a turn that already runs (or ended in the last day), from the event after `lastEventId`. */
export function streamTurn(
  client: PaiClient,
  turnId: string,
  { lastEventId = 0, signal }: { lastEventId?: number; signal?: AbortSignal } = {}
) {
  return follow(client, () => openTurn(client, turnId, lastEventId, signal), signal, turnId, lastEventId)
}

/** Yields events in order, each once, reopening the stream where it broke off until `done` has come. */
async function* follow(
  client: PaiClient,
  start: () => Promise<Body>,
  signal: AbortSignal | undefined,
  startedTurnId?: string,
  startedAfter = 0
): AsyncGenerator<TurnEvent, void, undefined> {
  let open = start
  let turnId = startedTurnId
  let lastEventId = startedAfter
  let failures = 0
  for (;;) {
    let cause: unknown
    try {
      for await (const event of readEvents(await open())) {
        if (event.id <= lastEventId) continue
        lastEventId = event.id
        failures = 0
        if (event.type === 'turn') turnId = event.turnId
        yield event
        if (event.type === 'done') return
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof PaiError && !WORTH_ANOTHER_TRY.has(error.status)) throw error
      // Without a turn there is nothing to resume; only the caller can decide to send again.
      if (turnId === undefined) throw error instanceof PaiError ? error : networkError(error)
      cause = error
    }
    failures += 1
    if (turnId === undefined || failures > MAX_RECONNECTS) throw networkError(cause)
    await pause(Math.min(250 * 2 ** failures, 8_000), signal)
    const resumed = turnId
    open = () => openTurn(client, resumed, lastEventId, signal)
  }
}

function openTurn(client: PaiClient, id: string, lastEventId: number, signal: AbortSignal | undefined) {
  const headers = lastEventId > 0 ? { ...SSE, 'last-event-id': String(lastEventId) } : SSE
  const init = { params: { path: { id } }, headers, parseAs: 'stream' } as const
  return unwrap(client.GET('/v1/turns/{id}/events', { ...init, ...pick({ signal }) }))
}

async function* readEvents(body: Body): AsyncGenerator<TurnEvent, void, undefined> {
  if (body === null) return
  const arrived: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (message) => arrived.push(message) })
  const decoder = new TextDecoder()
  // A reader instead of `for await`: Safari cannot iterate a ReadableStream.
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await readUnlessSilent(reader)
      if (done) return
      parser.feed(decoder.decode(value, { stream: true }))
      for (const message of arrived.splice(0)) {
        const event = toTurnEvent(message)
        if (event) yield event
      }
    }
  } finally {
    // On a stream that has broken, cancelling rejects with the same error the caller already has.
    await reader.cancel().catch(() => undefined)
  }
}

async function readUnlessSilent(reader: ReadableStreamDefaultReader<Uint8Array>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The event stream fell silent')), SILENCE_MS)
  })
  return Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer))
}

function startHeaders({ idempotencyKey }: StartOptions): Record<string, string> {
  return idempotencyKey === undefined ? SSE : { ...SSE, 'idempotency-key': idempotencyKey }
}

function pick({ signal }: { signal?: AbortSignal | undefined }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
