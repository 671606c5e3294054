import { expect, test } from 'vitest'
import { analyzeTerms } from '../../src/search/analyze.ts'
import { EVERY_TEXT, weighTerms } from '../../src/search/bm25.ts'
import fc from '../support/properties.ts'

const PIVOT = 10
const weights = (text: string, share = 1) => weighAll([{ text, share }])

function weighAll(parts: { text: string; share: number }[]): Record<string, number> {
  return Object.fromEntries(weighTerms(parts, PIVOT).map(({ term, weight }) => [term, weight]))
}
/** So many different words that are no stop words. */
const words = (count: number) =>
  Array.from({ length: count }, (_, index) => `zq${index.toString(36)}x`).join(' ')

test('each term of a text is there once, and the empty term counts the text without weighing', () => {
  const weighed = weighTerms([{ text: 'Bees, bees and more bees in Tromsø', share: 1 }], PIVOT)
  expect(weighed.map(({ term }) => term)).toEqual([EVERY_TEXT, 'bee', 'tromso'])
  expect(weighed[0]).toEqual({ term: '', weight: 0 })
})

test('a text without a word is counted and found by nothing', () => {
  for (const text of ['', '  ', '…', 'and the of'])
    expect(weighTerms([{ text, share: 1 }], PIVOT)).toEqual([{ term: '', weight: 0 }])
  expect(weighTerms([], PIVOT)).toEqual([{ term: '', weight: 0 }])
})

test('a term that stands once in a text of usual length weighs 1', () => {
  for (const weight of Object.values(weights(words(PIVOT))).slice(1)) expect(weight).toBeCloseTo(1)
})

test('a term said again counts for more, each time for less', () => {
  const gain = (count: number) => {
    const rest = words(20 - count)
    return weights(`${'bees '.repeat(count)} ${rest}`).bee ?? 0
  }
  const gains = [1, 2, 3, 4].map((count) => gain(count + 1) - gain(count))
  for (const [index, value] of gains.entries()) {
    expect(value).toBeGreaterThan(0)
    if (index > 0) expect(value).toBeLessThan(gains[index - 1] ?? 0)
  }
})

test('a term counts for less in a longer text', () => {
  const inText = (length: number) => weights(`bees ${words(length)}`).bee ?? 0
  expect(inText(4)).toBeGreaterThan(inText(9))
  expect(inText(9)).toBeGreaterThan(inText(50))
})

test('words around a text count by their share', () => {
  const around = (share: number) =>
    weighAll([
      { text: 'Ada keeps bees', share: 1 },
      { text: 'Tromsø', share }
    ])
  expect(around(0.5).tromso).toBeGreaterThan(around(0.1).tromso ?? 0)
  expect(around(0.5).tromso).toBeLessThan(around(0.5).ada ?? 0)
  const twice = weighAll([
    { text: 'Tromsø', share: 0.5 },
    { text: 'Tromsø', share: 0.5 }
  ])
  expect(twice.tromso).toBeCloseTo(weights('Tromsø').tromso ?? 0)
})

test('of a very long text, its first terms are kept', () => {
  const kept = weighTerms([{ text: words(1_000), share: 1 }], PIVOT)
  expect(kept.length).toBeLessThanOrEqual(401)
  expect(kept.map(({ term }) => term)).toContain(analyzeTerms('zq0x')[0])
})

test('whatever the texts, every weight is one that a database can keep and order by', () => {
  const part = fc.record({
    text: fc.string({ unit: 'binary' }),
    share: fc.double({ min: 0.01, max: 1, noNaN: true })
  })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const weighed = weighTerms(parts, PIVOT)
      expect(new Set(weighed.map(({ term }) => term)).size).toBe(weighed.length)
      for (const { term, weight } of weighed.slice(1)) {
        expect(term).not.toBe(EVERY_TEXT)
        expect(weight).toBeGreaterThan(0)
        expect(weight).toBeLessThan(10)
      }
    })
  )
})
