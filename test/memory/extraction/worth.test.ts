import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findFacts } from '../../../src/memory/extraction/rules.ts'
import { compareStatements } from '../../../src/memory/extraction/sameness.ts'
import { worthRecord } from '../../bench/train-worth.ts'

const CONTEXT = { saidAt: new Date('2025-03-12T10:00:00Z'), timeZone: 'Europe/Oslo', known: [], standing: [] }
const textsOf = (message: string) => findFacts(message, CONTEXT).map(({ text }) => text)
const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))

test('the weights are what the script makes of the examples', () => {
  expect(read('../../../src/memory/extraction/worth-weights.json')).toEqual(worthRecord())
})

// Sentences of everyday talk that the weights were not learnt from.
const LASTING = [
  'I brew my own cider.',
  'We share an allotment with the Hendersons.',
  'My uncle Piet repairs clocks in Delft.',
  'I commute to Antwerp by train every day.',
  'I am a midwife at Northgate hospital.',
  'My daughter is allergic to wasps.',
  'We have a parrot called Admiral.',
  'I play the oboe in a wind quintet.',
  'My husband works for the water board.',
  'I take warfarin every evening.'
]
const REMARKS = [
  'That was quick.',
  'I am almost there.',
  'I will read it later.',
  'The third paragraph sounds stiff.',
  'I like this version better.',
  'My coffee is getting cold.',
  'It crashed again.',
  'You misunderstood me.',
  'I was thinking the same.',
  'She laughed so hard.',
  'I need two more ideas.',
  'The kitchen smells of toast.',
  'My laptop just froze.',
  'I am so glad.',
  'Nobody knows.',
  'I forgot what I wanted to say.',
  'They cancelled the show tonight.',
  'I cannot open the link.',
  'Two of those are wrong.',
  'I had soup for lunch.'
]

describe('in words it has not seen', () => {
  test('what lasts is found, mostly', () => {
    const found = LASTING.filter((sentence) => textsOf(sentence).length > 0)
    expect(found.length / LASTING.length).toBeGreaterThanOrEqual(0.7)
  })

  test('of remarks hardly any is kept', () => {
    expect(REMARKS.flatMap(textsOf).length / REMARKS.length).toBeLessThanOrEqual(0.1)
  })
})

describe('whose home it is now is said in the words that people ask with', () => {
  test.each([
    ['I moved from Oslo to Bergen.', 'I moved from Oslo to Bergen. I live in Bergen.'],
    ['We moved to New York.', 'We moved to New York. I live in New York.'],
    ['I live in Oslo.', 'I live in Oslo.']
  ])('%s', (message, text) => {
    expect(textsOf(message)).toEqual([text])
  })
})

test('giving blood says nothing of its group', () => {
  expect(compareStatements('I can give blood', 'My blood group is B negative')).toBe('different')
})
