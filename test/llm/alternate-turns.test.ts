import { expect, test } from 'vitest'
import { alternateTurns } from '../../src/llm/alternate-turns.ts'
import type { PromptMessage } from '../../src/llm/model.ts'

const user = (content: string): PromptMessage => ({ role: 'user', content })
const assistant = (content: string): PromptMessage => ({ role: 'assistant', content })

test('what already goes to and fro stays as it is', () => {
  const messages = [user('Hi'), assistant('Hello'), user('And?')]
  expect(alternateTurns(messages)).toEqual(messages)
})

test('messages of one side in a row become one, with the images of each', () => {
  const image = { mediaType: 'image/png', data: Buffer.from('pixels') }
  const other = { mediaType: 'image/png', data: Buffer.from('others') }
  expect(
    alternateTurns([
      { role: 'user', content: 'One', images: [image] },
      user('Two'),
      { role: 'user', content: '', images: [other] },
      assistant('Three'),
      assistant('Four'),
      user('Five')
    ])
  ).toEqual([
    { role: 'user', content: 'One\n\nTwo', images: [image, other] },
    assistant('Three\n\nFour'),
    user('Five')
  ])
})

test('where the beginning was left out, the user still comes first', () => {
  expect(alternateTurns([assistant('Hello'), user('And?')])).toEqual([
    user('…'),
    assistant('Hello'),
    user('And?')
  ])
})

test('calls and what they gave stay apart, in their order', () => {
  const call = { callId: 'a', name: 'look', arguments: '{}' }
  const messages: PromptMessage[] = [
    user('Look'),
    { role: 'assistant', content: '', toolCalls: [call] },
    { role: 'tool', callId: 'a', content: '1' },
    { role: 'tool', callId: 'b', content: '2' },
    assistant('Both')
  ]
  expect(alternateTurns(messages)).toEqual(messages)
})
