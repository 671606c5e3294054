import { expect, test } from 'vitest'
import { watchForDone } from '../../src/llm/watch-for-done.ts'

function respond(...pieces: Array<string | Uint8Array>): Response {
  return new Response(
    ReadableStream.from(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
  )
}

test('a stream passes through unchanged, its status and headers too', async () => {
  const response = new Response('data: {"text":"Tromsø"}\n\n', { status: 201, headers: { 'x-a': 'b' } })
  const watched = watchForDone(response)
  expect(watched.response.status).toBe(201)
  expect(watched.response.headers.get('x-a')).toBe('b')
  expect(await watched.response.text()).toBe('data: {"text":"Tromsø"}\n\n')
  expect(watched.isDone()).toBe(false)
})

test.each(['data: {}\n\ndata: [DONE]\n\n', 'data:[DONE]', 'data: {}\r\n\r\ndata: [DONE]\r\n\r\n'])(
  'the end of %j is seen however the bytes are split',
  async (text) => {
    const watched = watchForDone(respond(...Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte))))
    expect(await watched.response.text()).toBe(text)
    expect(watched.isDone()).toBe(true)
  }
)

test('a model that writes about the mark does not end the stream', async () => {
  const watched = watchForDone(respond('data: {"text":"', 'data: [DONE]', '"}\n\n'))
  await watched.response.text()
  expect(watched.isDone()).toBe(false)
})

test('a reader who stops after the mark lets the rest of the answer arrive', async () => {
  const rest = Promise.withResolvers<void>()
  const read = Promise.withResolvers<void>()
  async function* body() {
    yield Buffer.from('data: [DONE]\n\n')
    await rest.promise
    yield Buffer.from('\n')
    read.resolve()
  }
  const reader = watchForDone(new Response(ReadableStream.from(body()))).response.body?.getReader()
  await reader?.read()
  await reader?.cancel()
  rest.resolve()
  await read.promise
})

test('a reader who stops before the mark ends the answer', async () => {
  const ended = Promise.withResolvers<void>()
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(Buffer.from('data: {}\n\n')),
    cancel: () => ended.resolve()
  })
  await watchForDone(new Response(body)).response.body?.cancel()
  await ended.promise
})

test('a response without a body is an empty one', async () => {
  expect(await watchForDone(new Response(null)).response.text()).toBe('')
})
