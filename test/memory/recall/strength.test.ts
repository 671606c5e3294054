import { expect, test } from 'vitest'
import { retention } from '../../../src/memory/recall/strength.ts'

const AT = new Date('2026-01-01T00:00:00Z')
const after = (days: number) => new Date(AT.getTime() + days * 86_400_000)
const memory = { category: 'plan', strength: 1, pinned: false, usedAt: AT }

test('half is left after a half-life, which is long for who somebody is and short for a plan', () => {
  expect(retention(memory, AT)).toBe(1)
  expect(retention(memory, after(30))).toBeCloseTo(0.5)
  expect(retention({ ...memory, category: 'identity' }, after(30))).toBeGreaterThan(0.99)
  expect(retention({ ...memory, category: 'a category of the owner’s own' }, after(365))).toBeCloseTo(0.5)
})

test('what is used often fades more slowly, and what is pinned not at all', () => {
  expect(retention({ ...memory, strength: 2 }, after(60))).toBeCloseTo(0.5)
  expect(retention({ ...memory, pinned: true }, after(10_000))).toBe(1)
})

test('clocks that differ do not make a memory stronger than new', () => {
  expect(retention(memory, after(-5))).toBe(1)
})
