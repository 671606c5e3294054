import { expect, test } from 'vitest'
import { findTimes, isWithin, namesTime } from '../../../src/memory/recall/times.ts'

const ZONE = 'Europe/Oslo'
/** Already Thursday 12 March in Oslo. */
const NOW = new Date('2026-03-11T23:30:00Z')
const rangesOf = (query: string, zone = ZONE) =>
  findTimes(query, NOW, zone).ranges.map(({ from, to }) => [from.toISOString(), to.toISOString()])

test.each([
  ['What did I do yesterday?', '2026-03-10T23:00:00.000Z', '2026-03-11T23:00:00.000Z'],
  ['the day before yesterday', '2026-03-09T23:00:00.000Z', '2026-03-10T23:00:00.000Z'],
  ['last week', '2026-03-01T23:00:00.000Z', '2026-03-08T23:00:00.000Z'],
  ['two weeks ago', '2026-02-22T23:00:00.000Z', '2026-03-01T23:00:00.000Z'],
  ['last Friday', '2026-03-05T23:00:00.000Z', '2026-03-06T23:00:00.000Z'],
  ['the last 3 months', '2025-11-30T23:00:00.000Z', '2026-03-12T23:00:00.000Z'],
  ['in March 2023', '2023-02-28T23:00:00.000Z', '2023-03-31T22:00:00.000Z'],
  ['on 7 May 2023', '2023-05-06T22:00:00.000Z', '2023-05-07T22:00:00.000Z'],
  ['on May 7th, 2023', '2023-05-06T22:00:00.000Z', '2023-05-07T22:00:00.000Z'],
  ['2024-02-29', '2024-02-28T23:00:00.000Z', '2024-02-29T23:00:00.000Z'],
  ['in 2021', '2020-12-31T23:00:00.000Z', '2021-12-31T23:00:00.000Z'],
  ['next month', '2026-03-31T22:00:00.000Z', '2026-04-30T22:00:00.000Z']
])('%s is a time of the owner’s own calendar', (query, from, to) => {
  expect(rangesOf(query)).toEqual([[from, to]])
})

test('the same words are another time in another zone', () => {
  expect(rangesOf('today', 'America/New_York')).toEqual([
    ['2026-03-11T04:00:00.000Z', '2026-03-12T04:00:00.000Z']
  ])
})

test('a month without its year is any of the latest that have begun', () => {
  const years = rangesOf('Where did I go in June?').map(([from]) => from?.slice(0, 4))
  expect(years).toEqual(['2025', '2024', '2023', '2022', '2021'])
  expect(rangesOf('in March')[0]?.[0]).toBe('2026-02-28T23:00:00.000Z')
})

test.each(['May I ask you something?', 'I paid 250 for it', 'March on!', 'the second one'])(
  '“%s” names no time',
  (query) => {
    expect(namesTime(query)).toBe(false)
    expect(findTimes(query, NOW, ZONE)).toEqual({ ranges: [], alone: false })
  }
)

test('a query that asks for a time and nothing else is told from one that asks for something in it', () => {
  expect(findTimes('What happened last week?', NOW, ZONE).alone).toBe(true)
  expect(findTimes('What did I say about bees last week?', NOW, ZONE).alone).toBe(false)
})

test('what lies in a time in part lies in it, and its end is outside', () => {
  const day = (number: number) => new Date(Date.UTC(2026, 0, number))
  const ranges = [{ from: day(10), to: day(20) }]
  expect(isWithin(ranges, day(5), day(10))).toBe(true)
  expect(isWithin(ranges, day(20), day(25))).toBe(false)
  expect(isWithin(ranges, day(19), day(25))).toBe(true)
  expect(isWithin(ranges, day(1), day(9))).toBe(false)
})
