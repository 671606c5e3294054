import { expect, test } from 'vitest'
import { takeWithin, tokensOf } from '../../src/search/pack.ts'

test('what fits is taken from the front, and what does not is passed over', () => {
  const cost = (item: number) => item
  expect(takeWithin([3, 3, 3], 6, cost)).toEqual([3, 3])
  expect(takeWithin([3, 9, 1], 6, cost)).toEqual([3, 1])
  expect(takeWithin([9, 1], 6, cost)).toEqual([1])
  expect(takeWithin([9], 6, cost)).toEqual([])
  expect(takeWithin([], 6, cost)).toEqual([])
})

test('a script without the Latin letters takes a token a character', () => {
  expect(tokensOf('bees')).toBe(1)
  expect(tokensOf('蜜蜂')).toBe(2)
})
