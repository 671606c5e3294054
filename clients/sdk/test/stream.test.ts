import type { ServerResponse } from 'node:http'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import {
  createPaiClient,
  NETWORK_ERROR_CODE,
  streamChat,
  streamRegenerate,
  streamTurn,
  type TurnEvent
} from '../src/index.ts'
import { type Answer, sendProblem, sendStream, startTurnServer } from './turn-server.ts'

const SILENCE_MS = 45_000
/** Longer than any test may take. */
const HELD_MS = 600_000

const SENT: [type: TurnEvent['type'], data: unknown][] = [
  ['turn', { turnId: 't1', conversationId: 'c1', userMessageId: 'm1', model: 'scripted' }],
  ['reasoning-delta', { text: 'Bees, then' }],
  ['tool-call', { callId: 'a', name: 'search', arguments: '{}' }],
  ['tool-result', { callId: 'a', result: 'found', isError: false }],
  ['text-delta', { text: 'In Tromsø 🐝' }],
  ['citation', { index: 1, kind: 'memory', id: 'x', quote: 'bees' }],
  ['usage', { inputTokens: 5, outputTokens: 2, cachedTokens: 0 }],
  ['done', { status: 'completed', messageId: 'm2' }]
]
const FRAMES = SENT.map(([type, data], index) => frame(index + 1, type, data))
const EVERY_ID = SENT.map((_, index) => index + 1)

/** The pauses before another try. The tests do not sit them out, or hold them for as long as they like. */
let pauses: number[] = []
let pausesEnd = true
/** Has the latest wait for a word end as if nothing had come for all its time. */
let fallSilent = () => {}

beforeEach(() => {
  const { setTimeout } = globalThis
  pauses = []
  pausesEnd = true
  vi.stubGlobal('setTimeout', (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    // Others have timers too, such as fetch itself.
    if (!new Error().stack?.includes('/stream.ts:')) return setTimeout(run, ms, ...args)
    if (ms === SILENCE_MS) {
      fallSilent = run
      return setTimeout(run, ms)
    }
    pauses.push(ms)
    return setTimeout(run, pausesEnd ? 0 : HELD_MS)
  })
  return () => void vi.unstubAllGlobals()
})

describe('a stream that is whole', () => {
  test('yields its events in order, each with its number', async () => {
    const { baseUrl, asked } = await startTurnServer(from(() => FRAMES.join('')))
    const events = await readAll(
      streamChat(clientOf(baseUrl), { message: 'Where?' }, { idempotencyKey: 'k1' })
    )
    expect(events).toEqual([
      { id: 1, type: 'turn', turnId: 't1', conversationId: 'c1', userMessageId: 'm1', model: 'scripted' },
      { id: 2, type: 'reasoning-delta', text: 'Bees, then' },
      { id: 3, type: 'tool-call', callId: 'a', name: 'search', arguments: '{}' },
      { id: 4, type: 'tool-result', callId: 'a', result: 'found', isError: false },
      { id: 5, type: 'text-delta', text: 'In Tromsø 🐝' },
      { id: 6, type: 'citation', citation: { index: 1, kind: 'memory', id: 'x', quote: 'bees' } },
      { id: 7, type: 'usage', usage: { inputTokens: 5, outputTokens: 2, cachedTokens: 0 } },
      { id: 8, type: 'done', status: 'completed', messageId: 'm2' }
    ])
    expect(asked).toEqual([
      { call: 'POST /v1/chat', lastEventId: undefined, idempotencyKey: 'k1', accept: 'text/event-stream' }
    ])
  })

  test('is read past heartbeats and events of a newer server', async () => {
    const text = `: still here\n\n${frame(1, 'turn', SENT[0]?.[1])}${frame(2, 'weather', {})}${frame(3, 'done', {})}`
    const { baseUrl } = await startTurnServer(from(() => text))
    const events = await readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))
    expect(events.map(({ id }) => id)).toEqual([1, 3])
  })

  test('may come in pieces of any size', async () => {
    const bytes = Buffer.from(FRAMES.join(''))
    for (const size of [1, 2, 3, 7]) {
      const body = new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size))
          controller.close()
        }
      })
      const client = createPaiClient({ baseUrl: 'http://pai', fetch: async () => new Response(body) })
      const events = await readAll(streamChat(client, { message: 'Where?' }))
      expect(events.map(({ id }) => id)).toEqual(EVERY_ID)
      expect(events[4]).toMatchObject({ text: 'In Tromsø 🐝' })
    }
  })

  test('may be of another reply to a message', async () => {
    const { baseUrl, asked } = await startTurnServer(from(() => FRAMES.join('')))
    const events = await readAll(streamRegenerate(clientOf(baseUrl), 'm1', { idempotencyKey: 'k2' }))
    expect(events.map(({ id }) => id)).toEqual(EVERY_ID)
    expect(asked).toMatchObject([{ call: 'POST /v1/messages/m1/regenerate', idempotencyKey: 'k2' }])
  })
})

describe('a stream that breaks off', () => {
  test.each(['cut', 'end'] as const)('after every event (%s) is resumed from there', async (then) => {
    const { baseUrl, asked } = await startTurnServer(from((last) => FRAMES[last] ?? '', then))
    const events = await readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))
    expect(events.map(({ id }) => id)).toEqual(EVERY_ID)
    expect(asked.map(({ call, lastEventId }) => [call, lastEventId])).toEqual([
      ['POST /v1/chat', undefined],
      ...EVERY_ID.slice(0, -1).map((id) => ['GET /v1/turns/t1/events', String(id)])
    ])
  })

  test('inside an event, at any byte of it, yields that event once and whole', async () => {
    const turn = FRAMES[0] ?? ''
    const words = Buffer.from(FRAMES[4] ?? '')
    const start = Buffer.from(FRAMES.slice(1, 4).join(''))
    for (let bytes = 1; bytes < words.length; bytes++) {
      const { baseUrl } = await startTurnServer(
        from(() => turn, 'end'),
        from(() => Buffer.concat([start, words.subarray(0, bytes)]), 'end'),
        from((last) => FRAMES.slice(last).join(''))
      )
      const events = await readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))
      expect(events.map(({ id }) => id)).toEqual(EVERY_ID)
      expect(events[4]).toMatchObject({ text: 'In Tromsø 🐝' })
    }
  })

  test('and starts from the beginning again yields nothing twice', async () => {
    const { baseUrl } = await startTurnServer(
      from(() => FRAMES.slice(0, 4).join(''), 'cut'),
      from(() => FRAMES.join(''))
    )
    const events = await readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))
    expect(events.map(({ id }) => id)).toEqual(EVERY_ID)
  })

  test('is resumed where a caller has read to', async () => {
    const { baseUrl, asked } = await startTurnServer(from((last) => FRAMES.slice(last).join('')))
    const events = await readAll(streamTurn(clientOf(baseUrl), 't1', { lastEventId: 5 }))
    expect(events.map(({ id }) => id)).toEqual([6, 7, 8])
    expect(asked).toMatchObject([{ call: 'GET /v1/turns/t1/events', lastEventId: '5' }])
  })

  test('before its first event is an error: whether it was sent again is for the caller to say', async () => {
    const { baseUrl, asked } = await startTurnServer((response) => void response.destroy())
    await expect(readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))).rejects.toMatchObject({
      code: NETWORK_ERROR_CODE,
      isNetwork: true
    })
    expect(asked).toHaveLength(1)
  })

  test('or never begins, because the server is busy, says so', async () => {
    const { baseUrl, asked } = await startTurnServer((response) =>
      sendProblem(response, 503, 'PAI_AUTH_BUSY')
    )
    await expect(readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))).rejects.toMatchObject({
      code: 'PAI_AUTH_BUSY',
      status: 503
    })
    expect(asked).toHaveLength(1)
  })

  test('for good is given up after pauses that grow', async () => {
    const { baseUrl, asked } = await startTurnServer(
      from(() => FRAMES[0] ?? '', 'cut'),
      (response) => void response.destroy()
    )
    await expect(readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))).rejects.toMatchObject({
      code: NETWORK_ERROR_CODE
    })
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000])
    expect(asked).toHaveLength(7)
  })

  test('is given as many tries again once a word has come', async () => {
    const cut: Answer = (response) => void response.destroy()
    const { baseUrl } = await startTurnServer(
      from(() => FRAMES[0] ?? '', 'cut'),
      ...[cut, cut, cut, cut, cut],
      from((last) => FRAMES[last] ?? '', 'cut'),
      ...[cut, cut, cut, cut, cut],
      from((last) => FRAMES.slice(last).join(''))
    )
    const events = await readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))
    expect(events.map(({ id }) => id)).toEqual(EVERY_ID)
    expect(pauses.filter((ms) => ms === 500)).toHaveLength(2)
  })

  test('is tried again while the server is busy, and not once it refuses', async () => {
    const { baseUrl, asked } = await startTurnServer(
      from(() => FRAMES[0] ?? '', 'cut'),
      (response) => sendProblem(response, 503, 'PAI_DATABASE_UNAVAILABLE'),
      (response) => sendProblem(response, 410, 'PAI_CHAT_TURN_LOG_GONE')
    )
    await expect(readAll(streamChat(clientOf(baseUrl), { message: 'Where?' }))).rejects.toMatchObject({
      code: 'PAI_CHAT_TURN_LOG_GONE',
      status: 410
    })
    expect(asked).toHaveLength(3)
  })

  test('by falling silent is left for another', async () => {
    const { baseUrl, asked } = await startTurnServer(
      from(() => FRAMES[0] ?? '', 'leave'),
      from((last) => FRAMES.slice(last).join(''))
    )
    const events = streamChat(clientOf(baseUrl), { message: 'Where?' })
    expect((await events.next()).value).toMatchObject({ id: 1 })
    const silentBefore = fallSilent
    const rest = readAll(events)
    await vi.waitFor(() => expect(fallSilent).not.toBe(silentBefore))
    fallSilent()
    expect((await rest).map(({ id }) => id)).toEqual(EVERY_ID.slice(1))
    expect(asked).toHaveLength(2)
  })
})

describe('a reader who leaves', () => {
  test('frees the connection', async () => {
    const closed = Promise.withResolvers<void>()
    const { baseUrl } = await startTurnServer((response) => {
      response.once('close', closed.resolve)
      sendStream(response, FRAMES[0] ?? '', 'leave')
    })
    for await (const { type } of streamChat(clientOf(baseUrl), { message: 'Where?' })) {
      expect(type).toBe('turn')
      break
    }
    await closed.promise
  })

  test('by aborting, also between two tries, gets the reason and asks no more', async () => {
    const { baseUrl, asked } = await startTurnServer(from(() => FRAMES[0] ?? '', 'cut'))
    const abort = new AbortController()
    const reason = new Error('Elsewhere')
    pausesEnd = false
    const events = streamChat(clientOf(baseUrl), { message: 'Where?' }, { signal: abort.signal })
    await events.next()
    const next = events.next()
    await vi.waitFor(() => expect(pauses).toHaveLength(1))
    abort.abort(reason)
    await expect(next).rejects.toBe(reason)
    expect(asked).toHaveLength(1)
  })

  test('by aborting while words are waited for gets the reason', async () => {
    const { baseUrl, asked } = await startTurnServer(from(() => FRAMES[0] ?? '', 'leave'))
    const abort = new AbortController()
    const reason = new Error('Elsewhere')
    const events = streamTurn(clientOf(baseUrl), 't1', { signal: abort.signal })
    await events.next()
    const next = events.next()
    abort.abort(reason)
    await expect(next).rejects.toBe(reason)
    expect(asked).toHaveLength(1)
  })
})

const clientOf = (baseUrl: string) => createPaiClient({ baseUrl })

function from(text: (lastEventId: number) => string | Buffer, then: 'cut' | 'end' | 'leave' = 'end'): Answer {
  return (response: ServerResponse, lastEventId) => sendStream(response, text(lastEventId), then)
}

function frame(id: number, type: string, data: unknown): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

async function readAll(events: AsyncIterable<TurnEvent>): Promise<TurnEvent[]> {
  const all: TurnEvent[] = []
  for await (const event of events) all.push(event)
  return all
}
