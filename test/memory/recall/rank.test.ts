import { expect, test } from 'vitest'
import type { Candidate } from '../../../src/memory/recall/candidates.ts'
import { type Lookup, rankCandidates } from '../../../src/memory/recall/rank.ts'
import fc from '../../support/properties.ts'

const AT = new Date('2024-01-01T00:00:00Z')

/** A candidate that nothing has found, with what a test says of it. */
function candidate(id: string, given: Partial<Candidate>): Candidate {
  return {
    kind: 'memory',
    id,
    text: id,
    at: AT,
    conversationId: null,
    about: null,
    importance: 0.5,
    pinned: false,
    category: 'note',
    status: 'active',
    supersededBy: null,
    strength: 1,
    usedAt: AT,
    validFrom: null,
    validTo: null,
    lexical: null,
    named: null,
    similarity: null,
    sourceIds: null,
    ...given
  }
}
const message = (id: string, given: Partial<Candidate>) =>
  candidate(id, {
    kind: 'message',
    conversationId: `conversation of ${id}`,
    importance: null,
    pinned: null,
    status: null,
    usedAt: null,
    ...given
  })
const LOOKUP: Lookup = {
  query: 'bees',
  lexical: true,
  vector: true,
  semantic: false,
  entity: true,
  times: { ranges: [], alone: false },
  now: AT
}
const ranked = (
  candidates: Candidate[],
  { limit = 10, ...lookup }: Partial<Lookup> & { limit?: number } = {}
) => rankCandidates(candidates, { ...LOOKUP, ...lookup }, limit)
const idsOf = (candidates: Candidate[], options?: Parameters<typeof ranked>[1]) =>
  ranked(candidates, options).map(({ id }) => id)

test('what both ways found stands before what one of them found', () => {
  const found = [
    candidate('words', { lexical: 0.8 }),
    candidate('both', { lexical: 0.8, similarity: 0.8 }),
    candidate('vector', { similarity: 0.8 })
  ]
  expect(idsOf(found, { semantic: true })).toEqual(['both', 'words', 'vector'])
})

test('what hardly matches is not recalled, however important or pinned', () => {
  const weak = { lexical: 0.02, similarity: 0.03, importance: 1, pinned: true }
  expect(ranked([candidate('weak', weak), message('said', { lexical: 0.01 })])).toEqual([])
  expect(ranked([candidate('nothing', {}), candidate('unlike', { similarity: -0.9 })])).toEqual([])
})

test('importance and a pin bend the order among equals', () => {
  const equal = { lexical: 0.5, similarity: 0.5 }
  const found = [
    candidate('small', { ...equal, importance: 0 }),
    candidate('pinned', { ...equal, importance: 0, pinned: true }),
    candidate('usual', equal)
  ]
  expect(idsOf(found)).toEqual(['pinned', 'usual', 'small'])
})

test('a much better match stands first, whatever the other is worth', () => {
  const found = [
    candidate('pinned', { lexical: 0.4, importance: 1, pinned: true }),
    candidate('better', { lexical: 0.9, importance: 0 })
  ]
  expect(idsOf(found)).toEqual(['better', 'pinned'])
})

test('of two equal matches the memory stands before the message', () => {
  expect(idsOf([message('said', { lexical: 0.5 }), candidate('known', { lexical: 0.5 })])).toEqual([
    'known',
    'said'
  ])
})

test('a message that a recalled memory was taken from is not said twice', () => {
  const found = [
    message('source', { lexical: 0.9 }),
    message('other', { lexical: 0.5 }),
    candidate('fact', { lexical: 0.6, sourceIds: ['source'] })
  ]
  expect(idsOf(found)).not.toContain('source')
  expect(idsOf(found)).toContain('other')
  // Of a memory that is not recalled itself, the message is.
  expect(idsOf([message('source', { lexical: 0.9 }), candidate('fact', { sourceIds: ['source'] })])).toEqual([
    'source'
  ])
})

test('the message of whom the query names stands first', () => {
  const said = [
    message('Bob’s', { lexical: 0.5, about: 'Bob' }),
    message('Ada’s', { lexical: 0.45, about: 'Ada' })
  ]
  expect(idsOf(said, { query: 'What did Ada say?' })).toEqual(['Ada’s', 'Bob’s'])
  expect(idsOf(said, { query: 'What was said?' })).toEqual(['Bob’s', 'Ada’s'])
})

test('a way that did not look does not make every match look weak', () => {
  const found = [candidate('words', { lexical: 1 })]
  const score = (vector: boolean) => ranked(found, { vector, semantic: true })[0]?.score
  expect(score(false)).toBeGreaterThan(score(true) ?? 1)
  expect(ranked(found, { lexical: false, vector: false, semantic: true })).toEqual([])
})

test('an item says which ways found it', () => {
  const ways = (given: Partial<Candidate>) =>
    ranked([candidate('one', given)], { semantic: true })[0]?.matchedBy
  expect(ways({ lexical: 0.9 })).toEqual(['lexical'])
  expect(ways({ similarity: 0.9 })).toEqual(['vector'])
  expect(ways({ lexical: 0.9, similarity: 0.9 })).toEqual(['vector', 'lexical'])
  // What only comes along with a better one reaches no way's bar; it says which way gave most of its match.
  const along = (given: Partial<Candidate>) =>
    ranked([candidate('best', { lexical: 0.9 }), candidate('along', given)], { semantic: true })[1]?.matchedBy
  expect(along({ similarity: 0.15 })).toEqual(['vector'])
  expect(along({ lexical: 0.04, similarity: 0.04 })).toEqual(['lexical'])
})

test('whatever was found, the answer is in order, within its limit, and made of what was found', () => {
  const share = fc.option(fc.double({ min: -1, max: 1.5, noNaN: true }))
  const anything = fc.record({
    kind: fc.constantFrom('memory' as const, 'message' as const),
    lexical: share,
    similarity: share,
    importance: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    pinned: fc.option(fc.boolean()),
    about: fc.option(fc.constantFrom('Ada', 'Bob')),
    conversationId: fc.option(fc.constantFrom('one', 'two'))
  })
  fc.assert(
    fc.property(
      fc.array(anything, { maxLength: 30 }),
      fc.integer({ min: 1, max: 10 }),
      fc.boolean(),
      (found, limit, semantic) => {
        const candidates = found.map((given, index) => candidate(String(index), given))
        const items = ranked(candidates, { query: 'Where does Ada keep bees?', semantic, limit })
        expect(items.length).toBeLessThanOrEqual(limit)
        expect(new Set(items.map(({ id }) => id)).size).toBe(items.length)
        expect(items.map(({ score }) => score)).toEqual(
          items.map(({ score }) => score).toSorted((a, b) => b - a)
        )
        for (const { id, score, at, matchedBy } of items) {
          expect(matchedBy.length).toBeGreaterThan(0)
          expect(candidates[Number(id)]?.text).toBe(id)
          expect(score).toBeGreaterThan(0)
          expect(score).toBeLessThanOrEqual(1)
          expect(at).toBe(AT.toISOString())
        }
        // The same things found in another order are the same things.
        expect(
          ranked(candidates.toReversed(), { query: 'Where does Ada keep bees?', semantic, limit })
        ).toEqual(items)
      }
    )
  )
})
