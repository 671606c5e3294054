import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import net from 'node:net'
import Fastify from 'fastify'
import { expect, onTestFinished, test, vi } from 'vitest'
import { sendEvents } from '../../src/http/event-stream.ts'

type Event = { id: number; type: string; data: unknown }

/** A service that answers every request with these events, and what it logged. */
async function serve(events: (signal: AbortSignal, raw: ServerResponse) => AsyncIterable<Event[]>) {
  const lines: string[] = []
  const watcher = new AbortController()
  const app = Fastify({
    forceCloseConnections: true,
    logger: { stream: { write: (line) => void lines.push(line) } }
  })
  onTestFinished(() => app.close())
  app.get('/events', async (_request, reply) => {
    reply.header('x-request-id', 'one')
    await sendEvents(reply, events(watcher.signal, reply.raw), watcher)
  })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/events`
  return { url, lines, watcher }
}

/** A connection that has asked and whose reading is the test's. */
async function ask(url: string): Promise<net.Socket> {
  const { hostname, port } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
  return socket
}

/** Waits until the sender waits for its reader: it then sets a timer, which is the test's. */
function watchForFullBuffers(): () => Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  return async () => {
    while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

const event = (id: number, data: unknown = {}): Event => ({ id, type: 'text-delta', data })

test('each event is sent with its number and its type, and the stream ends with them', async () => {
  const { url } = await serve(async function* () {
    yield [{ id: 4, type: 'text-delta', data: { text: 'Hi\nAda\r\n🐝' } }]
    yield [
      { id: 5, type: 'text-delta', data: {} },
      { id: 6, type: 'done', data: { status: 'completed' } }
    ]
  })
  const response = await fetch(url)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-request-id': 'one'
  })
  // Line breaks within the data would end it: JSON writes them otherwise.
  expect(await response.text()).toBe(
    'id: 4\nevent: text-delta\ndata: {"text":"Hi\\nAda\\r\\n🐝"}\n\nid: 5\nevent: text-delta\ndata: {}\n\nid: 6\nevent: done\ndata: {"status":"completed"}\n\n'
  )
})

test('the answer begins before there is an event', async () => {
  const gate = Promise.withResolvers<void>()
  const { url } = await serve(async function* () {
    await gate.promise
    yield [event(1)]
  })
  const response = await fetch(url)
  expect(response.status).toBe(200)
  gate.resolve()
  expect(await response.text()).toContain('id: 1\n')
})

test('a reader who leaves is no longer watched for', async () => {
  const { url, watcher } = await serve(async function* (signal) {
    yield [event(1)]
    await once(signal, 'abort')
  })
  const leaving = new AbortController()
  const response = await fetch(url, { signal: leaving.signal })
  await response.body?.getReader().read()
  expect(watcher.signal.aborted).toBe(false)
  leaving.abort()
  if (!watcher.signal.aborted) await once(watcher.signal, 'abort')
})

test('a failure ends the stream without words of its own, and is logged', async () => {
  const { url, lines } = await serve(async function* () {
    yield [event(1)]
    throw new Error('the database said: bees')
  })
  const text = await (await fetch(url)).text()
  expect(text).toBe('id: 1\nevent: text-delta\ndata: {}\n\n')
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('sending events')
})

test('a silence is filled, so that no proxy takes the stream for dead', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { url } = await serve(async function* (signal) {
    yield [event(1)]
    await once(signal, 'abort')
  })
  const reader = (await fetch(url)).body?.pipeThrough(new TextDecoderStream()).getReader()
  expect((await reader?.read())?.value).toContain('id: 1\n')
  vi.advanceTimersByTime(15_000)
  expect((await reader?.read())?.value).toBe(': still here\n\n')
  await reader?.cancel()
})

test('a slow reader is waited for: nothing is fetched for them meanwhile', async () => {
  const isFull = watchForFullBuffers()
  let fetched = 0
  const { url } = await serve(async function* () {
    for (let id = 1; id <= 200; id++) {
      fetched = id
      yield [event(id, { text: 'a'.repeat(100_000) })]
    }
  })
  const socket = await ask(url)
  await isFull()
  expect(fetched).toBeLessThan(200)
  let read = 0
  for await (const chunk of socket) {
    read += chunk.length
    if (read > 200 * 100_000) break
  }
  expect(fetched).toBe(200)
})

test('a reader who takes nothing is cut off in the end', async () => {
  const isFull = watchForFullBuffers()
  const { url, watcher } = await serve(async function* () {
    for (let id = 1; ; id++) yield [event(id, { text: 'a'.repeat(1_000_000) })]
  })
  const socket = await ask(url)
  const closed = once(socket, 'close')
  await isFull()
  expect(watcher.signal.aborted).toBe(false)
  vi.advanceTimersByTime(60_000)
  expect(watcher.signal.aborted).toBe(true)
  socket.resume()
  await closed
})

test('so is one who takes all but the last of it', async () => {
  const isFull = watchForFullBuffers()
  let sent = 0
  const served = Promise.withResolvers<ServerResponse>()
  const { url } = await serve(async function* (_signal, raw) {
    served.resolve(raw)
    // Until the connection takes no more: what is left is far from filling the response's own buffer.
    while (!raw.socket?.writableLength) {
      yield [event(++sent, { text: 'a'.repeat(10_000) })]
      // What is written in one go leaves at its end.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  const socket = await ask(url)
  const closed = once(socket, 'close')
  await isFull()
  expect(sent).toBeGreaterThan(1)
  const response = await served.promise
  vi.advanceTimersByTime(59_999)
  expect(response.destroyed).toBe(false)
  vi.advanceTimersByTime(1)
  expect(response.destroyed).toBe(true)
  socket.resume()
  await closed
})
