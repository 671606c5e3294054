import { describe, expect, test } from 'vitest'
import { dayOf, findSince, makeDatesAbsolute } from '../../../src/memory/extraction/dates.ts'

/** A Wednesday evening in London, already Thursday the 13th in Oslo. */
const SAID = new Date('2025-03-12T23:30:00Z')

describe('what is said in relation to a day is made absolute, in the zone it was said in', () => {
  test.each([
    ['I moved last Friday', 'I moved last Friday (7 March 2025)'],
    ['I start next Monday', 'I start next Monday (17 March 2025)'],
    ['She comes next Friday', 'She comes next Friday (21 March 2025)'],
    ['She comes on Friday', 'She comes on Friday (14 March 2025)'],
    ['I was fitted on Tuesday', 'I was fitted on Tuesday (11 March 2025)'],
    ['My flight leaves on Tuesday', 'My flight leaves on Tuesday (18 March 2025)'],
    ['My test is in two weeks', 'My test is in two weeks (27 March 2025)'],
    ['She left 3 weeks ago', 'She left 3 weeks ago (20 February 2025)'],
    ['See you tomorrow', 'See you tomorrow (14 March 2025)'],
    ['I met her the day before yesterday', 'I met her the day before yesterday (11 March 2025)'],
    ['We marry next month', 'We marry next month (April 2025)'],
    ['It broke last year', 'It broke last year (2024)'],
    ['The final is on 12 July', 'The final is on 12 July (2025)'],
    ['It closed on 4 December', 'It closed on 4 December (2024)'],
    ['I stopped in May', 'I stopped in May (2024)'],
    ['The race is in October', 'The race is in October (2025)']
  ])('%s', (text, absolute) => {
    expect(makeDatesAbsolute(text, SAID, 'Europe/Oslo')).toBe(absolute)
  })

  test('the zone decides which day it is', () => {
    expect(makeDatesAbsolute('tomorrow', SAID, 'UTC')).toBe('tomorrow (13 March 2025)')
    expect(dayOf(SAID, 'Europe/Oslo').toISOString()).toBe('2025-03-13T00:00:00.000Z')
    expect(dayOf(SAID, 'America/New_York').toISOString()).toBe('2025-03-12T00:00:00.000Z')
  })
})

describe('what comes again, or has its year, stays as it is', () => {
  test.each([
    'I swim every Friday',
    'We meet on Fridays',
    'I see him every other Wednesday',
    'My birthday is on 4 May',
    'She was born on 28 May',
    'On 4 July 2026 we sail',
    'I had surgery in 2022',
    'I may go, we march on',
    'in a word'
  ])('%s', (text) => {
    expect(makeDatesAbsolute(text, SAID, 'UTC')).toBe(text)
  })
})

describe('since when something holds', () => {
  test.each([
    ['I have lived here since May', '2024-05-01'],
    ['I have kept bees since 2019', '2019-01-01'],
    ['It has been so since 1 March', '2025-03-01'],
    ['26 an hour from July 2025', null],
    ['since then', null],
    ['nothing of the kind', null]
  ])('%s', (text, since) => {
    expect(findSince(text, SAID, 'UTC')?.toISOString().slice(0, 10) ?? null).toBe(since)
  })
})
