import { expect, test } from 'vitest'
import { isReordered, keyOf, mayBeSame, type Statement } from '../../src/consolidation/same-fact.ts'

const said = (text: string, subject: string | null = null, slot: string | null = null): Statement => ({
  text,
  subject,
  slot
})

test.each([
  ["I'm vegetarian.", 'I am a vegetarian'],
  ["I can't swim", 'I cannot swim!'],
  ['Ada keeps  bees', 'ada keeps the bees'],
  ['I really like tea', 'I like tea']
])('“%s” and “%s” are the same in other clothes', (a, b) => {
  expect(keyOf(said(a))).toBe(keyOf(said(b)))
})

test.each([
  ['I live in Oslo', 'I lived in Oslo'],
  ['I live in Oslo', 'I live near Oslo'],
  ['I can swim', "I can't swim"],
  ['I have 2 dogs', 'I have 3 dogs'],
  ['It was 5 degrees', 'It was -5 degrees'],
  ['Ada likes Bob', 'Bob likes Ada'],
  ["Ada's dog", 'Ada is dog'],
  ['I like C', 'I like C++'],
  ['I love 🐝', 'I love 🐞'],
  ['My sister has bees', 'Her sister has bees']
])('“%s” and “%s” are two facts', (a, b) => {
  expect(keyOf(said(a))).not.toBe(keyOf(said(b)))
})

test('the same words about another person, or another attribute, are another fact', () => {
  expect(keyOf(said('Lives in Oslo', 'ada', 'home'))).not.toBe(keyOf(said('Lives in Oslo', 'bob', 'home')))
  expect(keyOf(said('Oslo', 'ada', 'home'))).not.toBe(keyOf(said('Oslo', 'ada', 'birthplace')))
})

test('the order of words does not count where subject and slot are one, but that of names does', () => {
  const same = (a: string, b: string, slot: string | null = 'hobby') =>
    isReordered(said(a, 'ada', slot), said(b, 'ada', slot))
  expect(same('Ada, my sister, keeps bees', 'My sister Ada keeps bees')).toBe(true)
  expect(same('Ada moved from Oslo to Bergen', 'Ada moved from Bergen to Oslo')).toBe(false)
  expect(same('Ada, my sister, keeps bees', 'My sister Ada keeps bees', null)).toBe(false)
})

test('whatever a model says, facts that differ in a number, a name, a tense or a no are not one', () => {
  const pairs: [string, string, boolean][] = [
    ['Ada keeps bees in Tromsø', 'In Tromsø, Ada is a beekeeper', true],
    ['Ada keeps bees in Tromsø', 'Ada keeps bees in Bergen', false],
    ['Ada has 2 hives', 'Ada has 3 hives', false],
    ['Ada has two hives', 'Ada has three hives', false],
    ['Ada keeps bees', 'Ada does not keep bees', false],
    ['Ada kept bees until spring', 'Ada keeps bees', false],
    ['Ada was a nurse', 'Ada is a nurse', false],
    ['Every morning I run', 'Most mornings I run', false]
  ]
  for (const [a, b, may] of pairs) expect(mayBeSame(said(a), said(b)), `${a} / ${b}`).toBe(may)
  expect(mayBeSame(said('Likes tea', 'ada'), said('Likes tea', 'bob'))).toBe(false)
})
