import { expect, test } from 'vitest'
import { createCitationFinder } from '../../src/chat/cite.ts'
import type { PromptSource } from '../../src/llm/model.ts'
import fc from '../support/properties.ts'

const source = (index: number): PromptSource => ({
  index,
  kind: index % 2 === 0 ? 'message' : 'memory',
  id: `00000000-0000-7000-8000-00000000000${index % 10}`,
  text: `fact ${index}`,
  at: '2026-03-01T10:00:00.000Z',
  score: 0.5
})

function cite(pieces: string[], indexes = [1, 2, 3, 12, 123]): number[] {
  const find = createCitationFinder(indexes.map(source))
  return pieces.flatMap(find).map(({ index }) => index)
}

test('a citation carries what a client needs to open its source', () => {
  const find = createCitationFinder([source(1)])
  expect(find('Bees live in Tromsø [1].')).toEqual([
    { index: 1, kind: 'memory', id: source(1).id, quote: 'fact 1', at: '2026-03-01T10:00:00.000Z' }
  ])
})

test('a source is cited once, however often it is marked, in the order of first marks', () => {
  expect(cite(['[2] and [1], [2] again', ' and [1]'])).toEqual([2, 1])
})

test('a number that no source has is no citation', () => {
  expect(cite(['[4] [0] [] [x] [1234] [-1] [1'])).toEqual([])
})

test('a marker is found where a piece ends in the middle of it', () => {
  expect(cite(['so [', '1', '] it', ' is [1', '2', '3', ']'])).toEqual([1, 123])
})

test('any split of a reply gives the same citations', () => {
  const reply = fc
    .array(
      fc.oneof(fc.constantFrom('[1]', '[2]', '[12]', '[123]', '[', ']', '1', '12', ' bees '), fc.string())
    )
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(reply, fc.infiniteStream(fc.integer({ min: 1, max: 7 })), (text, sizes) => {
      const pieces: string[] = []
      for (let start = 0; start < text.length; ) {
        const size = sizes.next().value ?? 1
        pieces.push(text.slice(start, start + size))
        start += size
      }
      expect(cite(pieces)).toEqual(cite([text]))
    })
  )
})
