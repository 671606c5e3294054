import type { Message } from '@pai/sdk'
import { expect, test } from 'vitest'
import { branchKey, visiblePath } from '../src/chat/tree.ts'
import fc from './properties.ts'

const NONE = new Map<string, string>()

test('nothing was said yet', () => {
  expect(visiblePath([], NONE)).toEqual([])
})

test('a talk without forks is shown as it was had', () => {
  const path = visiblePath(tree(['a', null], ['b', 'a'], ['c', 'b']), NONE)
  expect(idsOf(path)).toEqual(['a', 'b', 'c'])
  expect(path[1]).toMatchObject({ siblings: ['b'], position: 0 })
})

test('where there are several answers, the newest is shown', () => {
  const path = visiblePath(tree(['a', null], ['old', 'a'], ['new', 'a']), NONE)
  expect(idsOf(path)).toEqual(['a', 'new'])
  expect(path[1]).toMatchObject({ siblings: ['old', 'new'], position: 1 })
})

test('an older branch that was gone on with is newer than one that was left', () => {
  const messages = tree(['a', null], ['old', 'a'], ['new', 'a'], ['more', 'old'], ['and-more', 'more'])
  expect(idsOf(visiblePath(messages, NONE))).toEqual(['a', 'old', 'more', 'and-more'])
})

test('what the reader has chosen is shown, down to its newest end', () => {
  const messages = tree(['a', null], ['old', 'a'], ['new', 'a'], ['x', 'old'], ['y', 'old'], ['z', 'new'])
  const path = visiblePath(messages, new Map([['a', 'old']]))
  expect(idsOf(path)).toEqual(['a', 'old', 'y'])
  expect(path[1]).toMatchObject({ siblings: ['old', 'new'], position: 0 })
  expect(
    idsOf(
      visiblePath(
        messages,
        new Map([
          ['a', 'old'],
          ['old', 'x']
        ])
      )
    )
  ).toEqual(['a', 'old', 'x'])
})

test('the first message may have been edited too', () => {
  const messages = tree(['first', null], ['reply', 'first'], ['edited', null])
  expect(idsOf(visiblePath(messages, NONE))).toEqual(['edited'])
  expect(idsOf(visiblePath(messages, new Map([[branchKey(null), 'first']])))).toEqual(['first', 'reply'])
})

test('a choice that is no longer there is as good as none', () => {
  const messages = tree(['a', null], ['b', 'a'])
  expect(
    idsOf(
      visiblePath(
        messages,
        new Map([
          ['a', 'gone'],
          ['gone', 'b']
        ])
      )
    )
  ).toEqual(['a', 'b'])
})

test('any tree shows one unbroken path to a leaf, and without choices that is where was said the last word', () => {
  // Each message answers an earlier one, or none.
  const parents = fc.array(fc.nat(), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(parents, fc.array(fc.tuple(fc.nat(40), fc.nat(40))), (answered, picked) => {
      const messages = tree(
        ...answered.map((nth, index): [string, string | null] => {
          const parent = nth % (index + 1)
          return [`m${index}`, parent === 0 ? null : `m${parent - 1}`]
        })
      )
      const choices = new Map(picked.map(([parent, child]) => [`m${parent}`, `m${child}`]))
      for (const chosen of [NONE, choices]) {
        const path = visiblePath(messages, chosen)
        for (const [index, { message, siblings, position }] of path.entries()) {
          expect(message.parentId).toBe(path[index - 1]?.message.id ?? null)
          expect(siblings[position]).toBe(message.id)
          expect(siblings).toEqual(
            messages.filter((other) => other.parentId === message.parentId).map(({ id }) => id)
          )
        }
        const leaf = path.at(-1)?.message
        expect(messages.some(({ parentId }) => parentId === leaf?.id)).toBe(false)
        if (chosen === NONE) expect(leaf).toBe(messages.at(-1))
      }
    })
  )
})

function tree(...messages: [id: string, parentId: string | null][]): Message[] {
  return messages.map(([id, parentId]) => ({
    id,
    parentId,
    conversationId: 'c',
    role: 'user',
    content: id,
    model: null,
    citations: [],
    attachments: [],
    turnId: null,
    turnStatus: null,
    turnError: null,
    finishReason: null,
    createdAt: '2026-11-22T10:00:00.000Z'
  }))
}

const idsOf = (path: { message: Message }[]) => path.map(({ message }) => message.id)
