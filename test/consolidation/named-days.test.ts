import { expect, test } from 'vitest'
import { lastDayNamed } from '../../src/consolidation/named-days.ts'

test.each([
  ['I fly to Rome on 14 March 2025.', '2025-03-14'],
  ['I fly to Rome on March 14th, 2025.', '2025-03-14'],
  ['The exam is on 2025-03-14', '2025-03-14'],
  ['From the 1st we plan: holiday 3 Jul 2025 to 17 July 2025', null],
  ['Holiday 3 Jul 2025 to 17 July 2025', '2025-07-17'],
  ['The wedding is in February 2024', '2024-02-29'],
  ['The exam is on 31 February 2025', null],
  ['I work at Nordea since 14 March 2025', null],
  ['Every 14 March 2025', null],
  ['I want to see Rome', null],
  ['We marry in 2025', null]
])('“%s” ends with %s', (text, day) => {
  expect(lastDayNamed(text)?.toISOString().slice(0, 10) ?? null).toBe(day)
})
