import { expect, test } from 'vitest'
import { findForeign, isForeign } from '../../../src/memory/extraction/foreign.ts'

const foreignWords = (text: string) => findForeign(text).map(([from, to]) => text.slice(from, to))

test.each([
  ['My friend wrote: "I live in Paris. I hate dogs." What now?', ['"I live in Paris. I hate dogs."']],
  ['„Ich wohne seit drei Jahren in Wien, sagt er“', ['„Ich wohne seit drei Jahren in Wien, sagt er“']],
  ['So:\n> I live in Paris.\nI do not.', ['> I live in Paris.']],
  ['Here:\n```\nMy name is Bob.\n```\nThanks', ['```', 'My name is Bob.', '```']],
  ['Look at this\n---\nI am Gustavo and I play drums.', ['---\nI am Gustavo and I play drums.']],
  ['See below\nSubject: Hello\nI moved to Recife.', ['Subject: Hello\nI moved to Recife.']],
  ['Forwarded message from Kari: I live in Paris.', ['Forwarded message from Kari: I live in Paris.']],
  ['Look\nFwd: I am vegan.\nI have a dog.', ['Fwd: I am vegan.\nI have a dog.']],
  ['An email from my boss:\nI moved to Rome.', ['An email from my boss:\nI moved to Rome.']],
  ['It says "I never end and go on', ['"I never end and go on']]
])('the words of others are found: %j', (text, foreign) => {
  expect(foreignWords(text)).toEqual(foreign)
})

test.each([
  'My band is called "The Wet Matches" now.',
  'I read “Saltmother” twice.',
  'I forwarded the message from Kari: I agree with her.',
  'Nothing quoted - at all.'
])('a title is no quotation: %j', (text) => {
  expect(findForeign(text)).toEqual([])
})

test('a quote that reaches into somebody else’s words is theirs', () => {
  const text = 'I agree. "My name is Bob and I live in Rome."'
  expect(isForeign(text, text.indexOf('Bob'), 3)).toBe(true)
  expect(isForeign(text, 0, 7)).toBe(false)
  expect(isForeign(text, 0, text.length)).toBe(true)
})
