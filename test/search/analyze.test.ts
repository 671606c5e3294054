import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { analyzeTerms, isStopWord, splitWords, stemWord } from '../../src/search/analyze.ts'
import fc from '../support/properties.ts'

describe('analyzeTerms', () => {
  test('keeps the content words of a sentence, stemmed and without accents', () => {
    expect(analyzeTerms('My sister Ada keeps bees in Tromsø.')).toEqual([
      'sister',
      'ada',
      'keep',
      'bee',
      'tromso'
    ])
    expect(analyzeTerms('Where does she keep them?')).toEqual(['keep'])
  })

  test('repeats a term as often as it occurs', () => {
    expect(analyzeTerms('Bees, a bee and more bees')).toEqual(['bee', 'bee', 'bee'])
  })

  test('gives nothing for a text without content words', () => {
    expect(analyzeTerms('')).toEqual([])
    expect(analyzeTerms('where is it, and why?')).toEqual([])
  })

  test.each([
    ['keep', 'keeps keeping kept keep'],
    ['citi', 'city cities'],
    ['studi', 'study studies studied studying'],
    ['mak', 'make makes making made'],
    ['plan', 'plan plans planned planning'],
    ['call', 'call calls called calling'],
    ['box', 'box boxes'],
    ['class', 'class classes'],
    ['hors', 'horse horses'],
    ['child', 'child children'],
    ['graduat', 'graduate graduated graduation'],
    ['quick', 'quick quickly']
  ])('gives the one form "%s" to %s', (stem, forms) => {
    expect(new Set(forms.split(' ').map(stemWord))).toEqual(new Set([stem]))
  })

  test.each(['sing', 'king', 'red', 'need', 'bus', 'gas'])('leaves "%s" whole', (word) => {
    expect(stemWord(word)).toBe(word)
  })

  test('takes a contraction for its first word', () => {
    expect(splitWords("Ada's hives; she'll come, it's late, I’d say")).toEqual(
      'ada hives she come it late i say'.split(' ')
    )
    expect(analyzeTerms("I don't, you won’t")).toEqual([])
  })

  test('does not take an ordinary word for a contraction that lost its apostrophe', () => {
    expect(analyzeTerms('ill shell shed')).toEqual(['ill', 'shell', 'shed'])
    expect(isStopWord('shell')).toBe(false)
  })

  test.each([
    ['Tromsø', 'Tromso'],
    ['İSTANBUL', 'istanbul'],
    ['Straße', 'STRASSE'],
    ['ﬁne', 'fine'],
    ['Zoë', 'Zoe'],
    ['Ёлка', 'елка'],
    ['ｆｕｌｌ', 'full']
  ])('finds %s by %s', (written, asked) => {
    expect(splitWords(written)).toEqual(splitWords(asked))
  })

  test('reads scripts without spaces as pairs of characters', () => {
    expect(analyzeTerms('我养蜜蜂')).toEqual(['我养', '养蜜', '蜜蜂'])
    expect(analyzeTerms('蜂')).toEqual(['蜂'])
    expect(analyzeTerms('東京でiPhone15を買う')).toEqual(['東京', '京で', 'iphone15', 'を買', '買う'])
    expect(analyzeTerms('꿀벌을')).toEqual(['꿀벌', '벌을'])
  })

  test('keeps the vowel signs of scripts that write vowels as marks', () => {
    expect(analyzeTerms('किताबें')).toEqual(['किताबें'])
  })

  test('takes a pictograph for a word', () => {
    expect(analyzeTerms('🐝🐝 bees')).toEqual(['🐝', '🐝', 'bee'])
  })

  test('cuts a word that no one would search for', () => {
    expect(analyzeTerms('a'.repeat(5_000))).toEqual(['a'.repeat(64)])
  })

  test.each(["a'", 'é', '蜜', 'ﷺ', '\u0301', "'", '👨‍👩‍👧', 'क्', 'bees ', 'ー1', '\ud800'])(
    'reads 100 kB of %j in bounded time and size',
    (piece) => {
      const started = performance.now()
      const terms = analyzeTerms(piece.repeat(100_000).slice(0, 100_000))
      // Generous for a busy machine; a quadratic expression takes minutes.
      expect(performance.now() - started).toBeLessThan(2_000)
      expect(terms.length).toBeLessThanOrEqual(100_000)
    }
  )

  test('never throws and gives no empty term', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(analyzeTerms(text)).not.toContain('')
      })
    )
  })

  test.runIf(process.env.PAI_CORPORA)('reads every naughty string', () => {
    const texts: string[] = JSON.parse(
      readFileSync(`${process.env.PAI_CORPORA}/naughty-strings.json`, 'utf8')
    )
    for (const text of texts) expect(analyzeTerms(text)).not.toContain('')
  })
})
