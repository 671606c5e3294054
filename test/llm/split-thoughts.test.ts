import { expect, test } from 'vitest'
import { createThoughtSplitter } from '../../src/llm/split-thoughts.ts'
import fc from '../support/properties.ts'

/** What is thought and what is said, of a reply that comes in these pieces. */
function split(...pieces: string[]) {
  const splitter = createThoughtSplitter()
  const said = { thoughts: '', words: '' }
  for (const event of [...pieces.flatMap((piece) => splitter.add(piece)), ...splitter.rest()]) {
    if (event.type === 'reasoning-delta') said.thoughts += event.text
    if (event.type === 'text-delta') said.words += event.text
  }
  return said
}

test('thoughts between tags at the beginning are no words of the reply', () => {
  expect(split('<think>Bees?</think>\n\nIn Tromsø.')).toEqual({ thoughts: 'Bees?', words: 'In Tromsø.' })
  expect(split('\n<think>\n</think>Hi')).toEqual({ thoughts: '\n', words: 'Hi' })
})

test('tags further on are the words of the model', () => {
  const text = 'Write <think>like this</think>.'
  expect(split(text)).toEqual({ thoughts: '', words: text })
})

test('thoughts that never end are thoughts', () => {
  expect(split('<think>On and on </thi')).toEqual({ thoughts: 'On and on </thi', words: '' })
})

test('words that only begin like a tag are words', () => {
  for (const text of ['<', '<think', '<thin king>', ' \n', ''])
    expect(split(text)).toEqual({ thoughts: '', words: text })
})

test('words go out as they come, and thoughts too', () => {
  const words = createThoughtSplitter()
  expect(words.add('Hello')).toEqual([{ type: 'text-delta', text: 'Hello' }])
  expect(words.add(' <think>')).toEqual([{ type: 'text-delta', text: ' <think>' }])
  const thoughts = createThoughtSplitter()
  expect(thoughts.add('<think>Hm')).toEqual([{ type: 'reasoning-delta', text: 'Hm' }])
})

test('however the reply is cut into pieces, it says the same', () => {
  const part = fc.constantFrom('<think>', '</think>', 'a', ' ', '<', '</', '🐝', 'think>')
  const reply = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(reply, fc.array(fc.nat(40)), (text, cuts) => {
      const places = [0, ...cuts.filter((cut) => cut < text.length).toSorted((a, b) => a - b), text.length]
      const pieces = places.slice(1).map((end, index) => text.slice(places[index], end))
      expect(split(...pieces)).toEqual(split(text))
    })
  )
})
