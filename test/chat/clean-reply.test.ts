import { expect, test } from 'vitest'
import { createReplyCleaner } from '../../src/chat/clean-reply.ts'
import type { ModelEvent } from '../../src/llm/model.ts'
import fc from '../support/properties.ts'

const finish: ModelEvent = {
  type: 'finish',
  reason: 'stop',
  usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 }
}
const text = (words: string): ModelEvent => ({ type: 'text-delta', text: words })
const thought = (words: string): ModelEvent => ({ type: 'reasoning-delta', text: words })

function clean(events: ModelEvent[]): ModelEvent[] {
  return events.flatMap(createReplyCleaner())
}

test('what can be stored stays as it is, piece by piece', () => {
  const call: ModelEvent = {
    type: 'tool-call',
    call: { callId: 'c1', name: 'look', arguments: '{"a":"🐝"}' }
  }
  const events = [thought('Hm '), text('Hello '), text('🐝 Ada'), call, finish]
  expect(clean(events)).toEqual(events)
})

test('a character cut by the end of a piece is put together, words and thoughts apart', async () => {
  const events = [text('a\ud83d'), thought('\ud83c'), text('\udc1db'), thought('\udf1e'), finish]
  expect(clean(events)).toEqual([text('a'), text('🐝b'), thought('🌞'), finish])
})

test('half a character that stays alone is replaced, and NUL is left out, in tool calls too', () => {
  const call = { callId: 'c\0', name: 'look\udc1d', arguments: '"\ud83d"' }
  expect(
    clean([text('a\0\udc1db'), text('\0'), { type: 'tool-call', call }, text('\ud83d'), finish])
  ).toEqual([
    text('a\ufffdb'),
    { type: 'tool-call', call: { callId: 'c', name: 'look\ufffd', arguments: '"\ufffd"' } },
    text('\ufffd'),
    finish
  ])
})

test('however a reply is cut into pieces, the same words come out', async () => {
  const reply = fc.array(fc.constantFrom('a', '🐝', '\ud83d', '\udc1d')).map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(reply, fc.infiniteStream(fc.integer({ min: 1, max: 3 })), async (whole, sizes) => {
      const pieces: ModelEvent[] = []
      for (let start = 0; start < whole.length; ) {
        const size = sizes.next().value ?? 1
        pieces.push(text(whole.slice(start, start + size)))
        start += size
      }
      const words = clean([...pieces, finish]).map((event) => ('text' in event ? event.text : ''))
      expect(words.join('')).toBe(whole.toWellFormed())
    })
  )
})
