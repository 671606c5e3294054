import { expect, test } from 'vitest'
import { findHighlights, looksFor, takeSnippet } from '../../src/chat/snippet.ts'
import { analyzeTerms } from '../../src/search/analyze.ts'
import fc from '../support/properties.ts'

const termsOf = (query: string) => looksFor(new Set(analyzeTerms(query)))
const shown = (text: string, query: string) =>
  findHighlights(text, termsOf(query)).map(({ start, end }) => text.slice(start, end))

test.each([
  ['Ada keeps bees; she kept them.', 'keeping bees', ['keeps', 'bees', 'kept']],
  ['Tromsø, TROMSØ and Trondheim', 'tromso', ['Tromsø', 'TROMSØ']],
  ['The bee and the the', 'the', []],
  ['日本語の本', '本語', ['本語']],
  ['今日は養蜂場に行きました', '養蜂場', ['養蜂場']],
  ['nothing here', 'bees', []]
])('the words that a query looked for are found in %j', (text, query, words) => {
  expect(shown(text, query)).toEqual(words)
})

test('a snippet shows the part that tells most, with whole words around it', () => {
  const text = `A bee. ${'filler words '.repeat(60)}Ada keeps bees in hives in Tromsø. ${'more filler '.repeat(60)}`
  const snippet = takeSnippet(text, termsOf('bees hives Tromsø'))
  expect(snippet.text).toMatch(/^…(filler|words) .*Ada keeps bees in hives in Tromsø\..*(more|filler)…$/)
  expect(snippet.highlights.map(({ start, end }) => snippet.text.slice(start, end))).toEqual([
    'bees',
    'hives',
    'Tromsø'
  ])
})

test('a short text is shown whole, and a long one from its beginning where no word was found', () => {
  expect(takeSnippet('Short', termsOf('bees'))).toEqual({ text: 'Short', highlights: [] })
  expect(takeSnippet('word '.repeat(100), termsOf('bees')).text).toMatch(/^word word .*word…$/)
})

test('a snippet is bounded and well formed, and its highlights lie in it, whatever the text', () => {
  const words = fc.constantFrom('bees', 'hive', '😀😀', 'a'.repeat(300), '日本語', ' ', '\n', 'ø', "Ada's")
  fc.assert(
    fc.property(fc.array(words, { maxLength: 60 }), (parts) => {
      const whole = parts.join(' ')
      const { text, highlights } = takeSnippet(whole, termsOf('bees hive 日本語'))
      expect(text.length).toBeLessThanOrEqual(250)
      expect(text.isWellFormed()).toBe(true)
      for (const { start, end } of highlights) {
        expect(text.slice(start, end)).toMatch(/^(bees|hive|日本語|日本|本語)/)
      }
    })
  )
})
