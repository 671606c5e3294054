import { once } from 'node:events'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { abortedWhenGone } from '../../src/http/abort.ts'

/** A service whose answers wait for the test, and the signals its requests got. */
async function serve() {
  const signals: AbortSignal[] = []
  const asked = new EventTarget()
  const gate = Promise.withResolvers<void>()
  const app = Fastify({ forceCloseConnections: true })
  onTestFinished(() => app.close())
  app.post('/', async (_request, reply) => {
    signals.push(abortedWhenGone(reply))
    asked.dispatchEvent(new Event('asked'))
    await gate.promise
    return { done: true }
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url, signals, asked: once(asked, 'asked'), answer: gate.resolve }
}

const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }

test('a caller who hangs up before the answer aborts it', async () => {
  const { url, signals, asked } = await serve()
  const caller = new AbortController()
  const response = fetch(url, { ...body, signal: caller.signal })
  await asked
  const [signal] = signals
  // The body has been read by now, which is no reason to stop.
  expect(signal?.aborted).toBe(false)
  caller.abort()
  await expect(response).rejects.toThrow()
  if (signal && !signal.aborted) await once(signal, 'abort')
})

test('a caller who gets the answer aborts nothing', async () => {
  const { url, signals, asked, answer } = await serve()
  const response = fetch(url, { ...body, headers: { ...body.headers, connection: 'close' } })
  await asked
  answer()
  expect(await (await response).json()).toEqual({ done: true })
  expect(signals[0]?.aborted).toBe(false)
})
