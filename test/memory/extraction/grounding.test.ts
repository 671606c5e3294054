import { describe, expect, test } from 'vitest'
import { isTellingQuote } from '../../../src/memory/extraction/grounding.ts'
import { tellsChange } from '../../../src/memory/extraction/rules-changes.ts'

describe('a fact that a model found', () => {
  test('is quoted in a telling word, or in all of a shorter message', () => {
    const said = 'I’m vegan and I keep bees'
    const quotes = ['I', '.', 'I’m', 'and I', 'I’m vegan', 'keep bees']
    expect(quotes.filter((quote) => isTellingQuote(quote, said))).toEqual(['I’m vegan', 'keep bees'])
    expect(isTellingQuote('5', '5.')).toBe(true)
    expect(isTellingQuote('', '')).toBe(false)
    expect(isTellingQuote('東京に', '東京に住んでいます')).toBe(true)
  })

  test('has changed where the words say so', () => {
    for (const words of [
      'no longer',
      'these days',
      'I relocated',
      'we broke up',
      'nicht mehr',
      'ikke lenger'
    ])
      expect(tellsChange(words), words).toBe(true)
    for (const words of ['', 'I', 'My', 'I live in', 'is on']) expect(tellsChange(words), words).toBe(false)
  })
})
