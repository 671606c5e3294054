import { expect, test } from 'vitest'
import { askedNames, nameTerms, withoutNames } from '../../../src/memory/recall/entities.ts'

test.each([
  ['My sister Ada keeps bees in Tromsø', ['@ada', '@tromso']],
  ['We met "Oliver" (and Bob) there. Yes, on Monday in May', ['@oliver', '@bob']],
  ['Yesterday it rained. Nothing else.', []],
  ['I think I will', []]
])('%s', (text, names) => {
  expect(nameTerms(text)).toEqual(names)
})

test('people ask in lower case, so any word of a query may be a name', () => {
  expect(askedNames('where does ada live?')).toEqual(['@ada', '@live'])
})

test('names are taken out of a query whole, and a query is never emptied', () => {
  expect(withoutNames('What did Ada’s sister say to Adam?', ['@ada'])).toBe('What did sister say to Adam?')
  expect(withoutNames('Ada', ['@ada'])).toBe('Ada')
  expect(withoutNames('Ada  keeps bees', [])).toBe('Ada  keeps bees')
})
