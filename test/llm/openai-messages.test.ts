import { expect, test } from 'vitest'
import type { Prompt } from '../../src/llm/model.ts'
import { readArguments, toOpenAiMessages, toOpenAiTools } from '../../src/llm/openai-messages.ts'

function messagesOf(messages: Prompt['messages'], system = '') {
  return toOpenAiMessages({ system, messages })
}

test('instructions come first, where there are any', () => {
  expect(messagesOf([{ role: 'user', content: 'Hi' }], 'Be brief.')).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' }
  ])
  expect(messagesOf([])).toEqual([])
})

test('images stand beside the words, of the bytes they are and no others', () => {
  const data = new Uint8Array(Buffer.from('..pixels..').buffer, Buffer.from('..pixels..').byteOffset, 10)
  const image = { mediaType: 'image/webp', data: data.subarray(2, 8) }
  const url = `data:image/webp;base64,${Buffer.from('pixels').toString('base64')}`
  expect(messagesOf([{ role: 'user', content: 'Look', images: [image, image] }])).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look' },
        { type: 'image_url', image_url: { url } },
        { type: 'image_url', image_url: { url } }
      ]
    }
  ])
  expect(messagesOf([{ role: 'user', content: '', images: [image] }])).toEqual([
    { role: 'user', content: [{ type: 'image_url', image_url: { url } }] }
  ])
})

test('calls of tools, and what they gave, go back as they came', () => {
  expect(
    messagesOf([
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ callId: 'a', name: 'look_up', arguments: '{"query":"bees"}' }]
      },
      { role: 'tool', callId: 'a', content: 'In Tromsø \ud800' }
    ])
  ).toEqual([
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'look_up', arguments: '{"query":"bees"}' } }
      ]
    },
    { role: 'tool', tool_call_id: 'a', content: 'In Tromsø \ufffd' }
  ])
})

test.each(['', '{"query"', '[1]', 'null', '"text"'])('arguments written as %j are none', (text) => {
  expect(readArguments(text)).toEqual({})
  const [message] = messagesOf([
    { role: 'assistant', content: 'Wait', toolCalls: [{ callId: 'a', name: 'f', arguments: text }] }
  ])
  expect(message).toMatchObject({ content: 'Wait', tool_calls: [{ function: { arguments: '{}' } }] })
})

test('tools are offered where there are any', () => {
  const tool = { name: 'look_up', description: 'Looks up.', schema: { type: 'object' } }
  expect(toOpenAiTools({ system: '', messages: [], sources: [], tools: [tool] })).toEqual({
    tools: [
      {
        type: 'function',
        function: { name: 'look_up', description: 'Looks up.', parameters: { type: 'object' } }
      }
    ]
  })
  expect(toOpenAiTools({ system: '', messages: [], sources: [], tools: [] })).toEqual({})
})
