import { expect, test } from 'vitest'
import { headOf, valuesIn } from '../../../src/memory/extraction/values.ts'

test('a value has one spelling, however it is written', () => {
  const days = (text: string) => [...(valuesIn(text).get('weekday') ?? [])]
  expect(days('tues and Tuesdays')).toEqual(['tue'])
  const dates = (text: string) => [...(valuesIn(text).get('date') ?? [])]
  expect(dates('on the 3rd of June')).toEqual(dates('June 3rd'))
  expect(valuesIn('nothing of the kind')).toEqual(new Map())
})

test.each([
  ['My physio is on Thursdays at 4.', 'My physio'],
  ['My appointment with Dr Okafor is on 18 March at 10.', 'My appointment with Dr Okafor'],
  ['Choir practice starts at 19:30.', 'Choir practice'],
  ['I like bees.', null],
  ['On 3 June we marry.', null]
])('the head of “%s” is %j', (text, head) => {
  expect(headOf(text)).toBe(head)
})
