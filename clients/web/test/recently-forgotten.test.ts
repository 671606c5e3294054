import { afterEach, expect, test, vi } from 'vitest'
import { dropForgotten, noteForgotten, readForgotten } from '../src/memories/recently-forgotten.ts'

afterEach(() => void vi.unstubAllGlobals())

function stubStorage(held: Record<string, string> = {}) {
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => held[key] ?? null,
    setItem(key: string, value: string) {
      held[key] = value
    },
    removeItem(key: string) {
      delete held[key]
    }
  })
}

test('what was forgotten is known until it is back, the latest first', () => {
  stubStorage()
  noteForgotten('a')
  noteForgotten('b')
  expect(readForgotten().map(({ id }) => id)).toEqual(['b', 'a'])
  dropForgotten('b')
  expect(readForgotten().map(({ id }) => id)).toEqual(['a'])
})

test.each(['{}', 'null', '3', '"a"', '[null, 3, {"id": 3}]', 'not JSON'])(
  'of %s in its place nothing is known, and nothing breaks',
  (stored) => {
    stubStorage({ 'pai.forgotten': stored })
    expect(readForgotten()).toEqual([])
  }
)
