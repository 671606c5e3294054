import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findFacts } from '../../../src/memory/extraction/rules.ts'
import { linkRecords } from '../../bench/train-links.ts'

const MARCH = new Date('2025-03-12T10:00:00Z')
const JUNE = new Date('2025-06-12T10:00:00Z')

/** The statements that stand, and those of them that a message ends. */
function endedBy(said: string, ...before: string[]): string[] {
  const standing = before.flatMap((text, index) =>
    findFacts(text, { saidAt: MARCH, timeZone: 'UTC', known: [], standing: [] }, () => Infinity).map(
      (fact) => ({ ...fact, id: `${index}`, since: MARCH })
    )
  )
  const known = standing.flatMap(({ subject, slot }) => (subject ? [{ subject, slot, relation: null }] : []))
  const facts = findFacts(said, { saidAt: JUNE, timeZone: 'UTC', known, standing })
  return facts.flatMap(({ ends }) => ends.map((id) => before[Number(id)] ?? ''))
}

test('the weights are what the script makes of the examples', { timeout: 300_000 }, () => {
  const file = new URL('../../../src/memory/extraction/links-weights.json', import.meta.url)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(linkRecords())
})

// Sentences that the weights were not learnt from.
describe('what is over, or otherwise now, ends what was remembered', () => {
  test.each([
    ['I sold the Fabia and bought a Golf.', 'I drive a Fabia.'],
    ['I switched from Strava to Komoot.', 'I use Strava for my rides.'],
    ['Fencing has moved to Wednesdays.', 'My fencing class is on Mondays.'],
    ['I gave up the clarinet last month.', 'I play the clarinet.'],
    ['We cancelled the trip to Malta.', 'We are planning a trip to Malta.']
  ])('%s', (said, before) => {
    expect(endedBy(said, before, 'My sister Ada keeps bees.')).toEqual([before])
  })
})

describe('what only speaks of the same ends nothing', () => {
  test.each([
    ['The Fabia needs new tyres.', 'I drive a Fabia.'],
    ['My clarinet teacher plays in a jazz band.', 'I play the clarinet.'],
    ['I left my sister at the station.', 'My sister Ada keeps bees.'],
    ['Maybe I will sell the Fabia.', 'I drive a Fabia.'],
    ['Have I sold the Fabia?', 'I drive a Fabia.'],
    ['My neighbour sold her piano.', 'I play the clarinet.']
  ])('%s', (said, before) => {
    expect(endedBy(said, before)).toEqual([])
  })
})

test('what is told by pointing back is put with what it points to', () => {
  const before = 'My appointment with Dr Okafor is on 18 March at 10.'
  const standing = [{ id: '1', text: before, subject: 'owner', slot: null, since: MARCH }]
  const facts = findFacts('They have moved it to 2 April.', {
    saidAt: new Date('2025-03-14T10:00:00Z'),
    timeZone: 'UTC',
    known: [],
    standing
  })
  expect(facts).toMatchObject([
    {
      text: 'My appointment with Dr Okafor: They have moved it to 2 April (2025).',
      quote: 'They have moved it to 2 April.',
      ends: ['1']
    }
  ])
})

test('a memory that tells several things does not end with one of them unless it is plain', () => {
  const several =
    'I drive a Fabia to the clinic in Bergen, play the clarinet on Mondays and keep bees with Ada.'
  expect(endedBy('I gave up the clarinet last month.', several)).toEqual([])
})
