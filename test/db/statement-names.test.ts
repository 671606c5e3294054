import { expect, test } from 'vitest'
import { createStatementNames } from '../../src/db/statement-names.ts'

test('a statement that comes again and again has a name, the same each time and no other’s', () => {
  const nameOf = createStatementNames()
  const come = (text: string) => [1, 2, 3, 4].map(() => nameOf(text))
  const [first, second, third, fourth] = come('SELECT 1')
  expect([first, second]).toEqual([undefined, undefined])
  expect(third).toMatch(/^\w+$/)
  expect(fourth).toBe(third)
  expect(come('SELECT 2').at(-1)).not.toBe(third)
})

test('several statements in one text have no name, which no server would take for them', () => {
  const nameOf = createStatementNames()
  const come = (text: string) => [1, 2, 3, 4].map(() => nameOf(text)).at(-1)
  expect(come('BEGIN;\nSELECT 1;\nCOMMIT;')).toBeUndefined()
  expect(come('SELECT 1;\n')).toBeDefined()
})

test('texts without end, each with values of its own, take no names from those that come again', () => {
  const nameOf = createStatementNames()
  for (let value = 0; value < 10_000; value++) expect(nameOf(`SELECT ${value}`)).toBeUndefined()
  expect([1, 2, 3].map(() => nameOf('SELECT $1')).at(-1)).toBeDefined()
})

test('there are no more names than a connection should keep plans', () => {
  const nameOf = createStatementNames()
  const names = new Set<string | undefined>()
  for (let value = 0; value < 1_000; value++)
    for (let times = 0; times < 5; times++) names.add(nameOf(`SELECT ${value}`))
  names.delete(undefined)
  expect(names.size).toBe(200)
})
