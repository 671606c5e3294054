import { expect, test } from 'vitest'
import { bodyOf } from '../../src/llm/fetch-stream.ts'
import { readEventStream } from '../../src/llm/read-event-stream.ts'
import fc from '../support/properties.ts'

/** A response whose body comes in these pieces. */
function respond(...pieces: (string | Uint8Array)[]): Response {
  const bytes = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))
  return new Response(ReadableStream.from(bytes))
}

async function readAll(response: Response) {
  const { pieces, isDone } = readEventStream(bodyOf(response), ({ name, data }) =>
    name ? `${name}: ${data}` : data
  )
  const seen: string[] = []
  for await (const piece of pieces) seen.push(...piece)
  return { seen, done: isDone() }
}

test('events are their data, their lines put together, and their names', async () => {
  const text = 'event: error\ndata: {"a":\ndata: 1}\n\n: comment\nid: 7\ndata:x\n\ndata:  y\n\ndata\n\n\n\n'
  expect(await readAll(respond(text))).toEqual({ seen: ['error: {"a":\n1}', 'x', ' y', ''], done: false })
})

test('nothing is read after the mark', async () => {
  expect(await readAll(respond('data: a\n\ndata: [DONE]\n\ndata: b\n\n'))).toEqual({
    seen: ['a'],
    done: true
  })
})

test('a model that writes about the mark does not end the stream', async () => {
  const text = 'data: {"text":"data: [DONE]"}\n\n'
  expect(await readAll(respond(text))).toEqual({ seen: ['{"text":"data: [DONE]"}'], done: false })
})

test('what has come of an event at the end is one, and so is a mark without an end', async () => {
  expect(await readAll(respond('data: a\n\ndata: b'))).toEqual({ seen: ['a', 'b'], done: false })
  expect(await readAll(respond('data: a\n\ndata:[DONE]'))).toEqual({ seen: ['a'], done: true })
})

test('a mark that is said is heard before the connection ends', async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('data: [DONE]')) })
  expect(await readAll(new Response(body))).toEqual({ seen: [], done: true })
})

test('a response without a body has no events', async () => {
  expect(await readAll(new Response(null))).toEqual({ seen: [], done: false })
})

test('however bytes are split, and whatever ends the lines, the events are the same', async () => {
  const data = fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text.toWellFormed()))
  const end = fc.constantFrom('\n', '\r\n', '\r')
  await fc.assert(
    fc.asyncProperty(
      fc.array(data),
      end,
      fc.boolean(),
      fc.array(fc.nat(60)),
      async (wanted, end, mark, cuts) => {
        const text = wanted.map((data) => `data: ${data}${end}${end}`).join('')
        const bytes = Buffer.from(`${mark ? '\ufeff' : ''}${text}data: [DONE]${end}${end}`)
        const places = [
          0,
          ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b),
          bytes.length
        ]
        const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place))
        expect(await readAll(respond(...pieces))).toEqual({ seen: wanted, done: true })
      }
    )
  )
})

test('the rest of the answer arrives after the mark, so that its connection can be kept', async () => {
  const rest = Promise.withResolvers<void>()
  const read = Promise.withResolvers<void>()
  async function* body() {
    yield Buffer.from('data: [DONE]\n\n')
    await rest.promise
    yield Buffer.from('\n')
    read.resolve()
  }
  expect((await readAll(new Response(ReadableStream.from(body())))).done).toBe(true)
  rest.resolve()
  await read.promise
})

test('a reader who leaves before the mark ends the answer', async () => {
  const ended = Promise.withResolvers<void>()
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(Buffer.from('data: {}\n\n')),
    cancel: () => ended.resolve()
  })
  for await (const _ of readEventStream(bodyOf(new Response(body)), String).pieces) break
  await ended.promise
})

test.each(['data: ', 'data: x\ndata: '])('an event that never ends, as %j, is broken off', async (piece) => {
  let sent = 0
  const body = new ReadableStream({
    pull(controller) {
      sent += 2 ** 20
      controller.enqueue(Buffer.from(piece.padEnd(2 ** 20, 'x')))
    }
  })
  await expect(readAll(new Response(body))).rejects.toThrow()
  expect(sent).toBeLessThan(2 ** 23)
})
