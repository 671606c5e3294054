import { expect, test } from 'vitest'
import {
  createForgottenWords,
  isStatedIn,
  mergeSpans,
  takeOut
} from '../../../src/memory/forgetting/forgotten-words.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'
const words = (...texts: string[]) => createForgottenWords(texts)

test.each([
  ['as they are', `Hello! ${BEES} Bye.`, 'Hello! [forgotten]. Bye.'],
  ['in another case', `Hello! ${BEES.toUpperCase()} Bye.`, 'Hello! [forgotten]. Bye.'],
  ['with other spaces and punctuation', 'my sister — Ada —\nkeeps bees (in Tromsø)!', '[forgotten])!'],
  ['taken apart', 'My sister Ada keeps bees in Tromsø'.normalize('NFD'), '[forgotten]'],
  ['in wide letters', 'Ｍｙ sister Ada keeps bees in Tromsø', '[forgotten]'],
  ['twice', `${BEES} ${BEES}`, '[forgotten]. [forgotten].']
])('words are found and taken out %s', (_how, text, left) => {
  expect(words(BEES).isIn(text)).toBe(true)
  expect(words(BEES).takeOutOf(text)).toBe(left)
})

test.each([
  ['a part of them', 'My sister Ada keeps bees'],
  ['a longer word', 'My sister Ada keeps bees in Tromsøysund'],
  ['another order', 'In Tromsø my sister Ada keeps bees'],
  ['nothing', '']
])('%s is not taken for them', (_what, text) => {
  expect(words(BEES).isIn(text)).toBe(false)
  expect(words(BEES).takeOutOf(text)).toBe(text)
})

test.each([
  ['I live in Oslo', 'I live in Oslo!', true],
  ['I live in Oslo.', 'As you said: i live in OSLO. It rains.', true],
  ['I live in Oslo', 'I know that I live in Oslo', true],
  ['live in Oslo', 'My parents live in Oslo.', false],
  ['I have a cat', 'I have a cat allergy', false],
  ['Ada Lovelace', 'I admire Ada Lovelace', false],
  ['2019', '2019', false]
])('whether %j is stated in %j', (statement, text, stated) => {
  expect(isStatedIn(statement, text)).toBe(stated)
})

test('one word or a year is too little to look for, a long number is not', () => {
  expect(words('Bees').isIn('All about bees')).toBe(false)
  expect(words('!!!').isIn('Bees!!!')).toBe(false)
  expect(words('2019').isIn('I graduated in 2019.')).toBe(false)
  expect(words('471147').isIn('The code is 471147.')).toBe(true)
  expect(words('471147').isIn('The code is 1471147.')).toBe(false)
})

test('scripts without spaces are found inside longer runs', () => {
  expect(words('姉は蜂を飼っています').takeOutOf('私の姉は蜂を飼っていますよ')).toBe('私の[forgotten]よ')
})

test('sentences that say it in other words, or cite it, are found whole', () => {
  const text = 'Sure. Your sister Ada has bees, which she keeps in Tromsø! It rains [2]. Bye.'
  const spans = words(BEES).repeatsIn(text, [2])
  expect(spans.map(([start, end]) => text.slice(start, end))).toEqual([
    'Your sister Ada has bees, which she keeps in Tromsø!',
    'It rains [2].'
  ])
})

test('a place moves with what is taken out before it', () => {
  const { text, move } = takeOut('0123456789', [
    [2, 4],
    [6, 7]
  ])
  expect(text).toBe('01[forgotten]45[forgotten]789')
  expect([0, 2, 3, 4, 6, 7, 9].map((place) => text.slice(move(place))[0])).toEqual([
    '0',
    '[',
    '[',
    '4',
    '[',
    '7',
    '9'
  ])
  expect(
    mergeSpans([
      [5, 7],
      [1, 3],
      [2, 4],
      [4, 5],
      [9, 9]
    ])
  ).toEqual([[1, 7]])
})

test('a pattern in the words is no pattern, and the longest memory is found', () => {
  expect(words('What is .* (a|b)+ there').isIn('What is a there')).toBe(false)
  const long = Array.from({ length: 1_500 }, (_, index) => `word${index}`).join(' ')
  expect(words(long).isIn(`${'word0 word1 '.repeat(8_000)} ${long}`)).toBe(true)
})
