import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createOpenAiReply } from '../../src/llm/fold-openai-chunks.ts'
import type { ModelEvent } from '../../src/llm/model.ts'
import fc from '../support/properties.ts'

function fold(...chunks: unknown[]): ModelEvent[] {
  const reply = createOpenAiReply()
  return [...chunks.flatMap((chunk) => reply.add(chunk).events), ...reply.end()]
}

function foldFixture(name: string): ModelEvent[] {
  const lines = readFileSync(new URL(`fixtures/${name}.sse`, import.meta.url), 'utf8').split('\n')
  return fold(...lines.filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6))))
}

function toolCalls(events: ModelEvent[]) {
  return events.filter((event) => event.type === 'tool-call').map(({ call }) => call)
}

function part(call: object) {
  return { choices: [{ delta: { tool_calls: [call] } }] }
}

test('tool calls that arrive interleaved are put together by their index', () => {
  expect(toolCalls(foldFixture('openai-tools'))).toEqual([
    { callId: 'call_w1', name: 'weather', arguments: '{"city":"Oslo"}' },
    { callId: 'call_w2', name: 'weather', arguments: '{"city":"Tromsø"}' }
  ])
})

test('tool calls that share one index are told apart by their ids', () => {
  expect(toolCalls(foldFixture('ollama'))).toEqual([
    { callId: 'call_a', name: 'look_up', arguments: '{"query":"bees"}' },
    { callId: 'call_b', name: 'look_up', arguments: '{"query":"Ada"}' }
  ])
})

test('what is kept of calls until they are whole is counted, and each call by itself', () => {
  const reply = createOpenAiReply()
  reply.add(part({ index: 0, id: 'a', function: { name: 'f', arguments: 'x'.repeat(50) } }))
  reply.add(part({ index: 0, function: { arguments: 'x'.repeat(50) } }))
  expect(reply.held).toBe(202)
  for (let index = 1; index < 10; index++) reply.add(part({ index, id: `${index}`, function: { name: 'f' } }))
  expect(reply.held).toBe(202 + 9 * 102)
})

test('a tool call without index and id is whole all the same', () => {
  const events = fold(
    part({ function: { name: 'now', arguments: '{' } }),
    part({ function: { arguments: '}' } })
  )
  expect(toolCalls(events)).toEqual([{ callId: 'call_0', name: 'now', arguments: '{}' }])
})

test('a tool call that repeats its id in every piece stays one', () => {
  const piece = (text: string) => part({ index: 0, id: 'a', function: { name: 'now', arguments: text } })
  expect(toolCalls(fold(piece('{'), piece('}')))).toEqual([{ callId: 'a', name: 'now', arguments: '{}' }])
})

test('the last usage counts where a server sends one with each chunk', () => {
  expect(foldFixture('vllm').at(-1)).toMatchObject({ usage: { inputTokens: 25, outputTokens: 8 } })
})

test('a refusal is what the model said', () => {
  expect(fold({ choices: [{ delta: { content: null, refusal: 'I must not.' } }] })[0]).toEqual({
    type: 'text-delta',
    text: 'I must not.'
  })
})

test('a reply of nothing ends with no usage and no known reason', () => {
  const reply = createOpenAiReply()
  expect(reply.finishReason).toBeNull()
  expect(reply.end()).toEqual([
    { type: 'finish', reason: 'other', usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 } }
  ])
})

test('chunks of any shape end with one finish', () => {
  const delta = fc.record(
    {
      content: fc.anything(),
      tool_calls: fc.oneof(fc.anything(), fc.array(fc.anything())),
      reasoning: fc.anything()
    },
    { requiredKeys: [] }
  )
  const choices = fc.array(fc.record({ delta: fc.oneof(delta, fc.anything()), finish_reason: fc.anything() }))
  const chunk = fc.oneof(fc.anything(), fc.record({ choices, usage: fc.anything() }))
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      expect(fold(...chunks).filter(({ type }) => type === 'finish')).toHaveLength(1)
    })
  )
})

test('calls without index and id are told apart once the arguments of one are whole', () => {
  const calls = toolCalls(
    fold(
      part({ function: { name: 'look_up', arguments: '{"query":' } }),
      part({ function: { name: 'look_up', arguments: '"bees"}' } }),
      part({ function: { name: 'look_up', arguments: { query: 'Ada' } } })
    )
  )
  expect(calls.map((call) => call.arguments)).toEqual(['{"query":"bees"}', '{"query":"Ada"}'])
  expect(new Set(calls.map(({ callId }) => callId)).size).toBe(2)
})

test('a reply that calls ends for its calls, whatever the server says', () => {
  const stop = { choices: [{ delta: {}, finish_reason: 'stop' }] }
  expect(fold(part({ id: 'a', function: { name: 'f' } }), stop).at(-1)).toMatchObject({
    reason: 'tool-calls'
  })
  expect(fold(stop).at(-1)).toMatchObject({ reason: 'stop' })
})

test('a chunk that brings nothing of the reply is no progress', () => {
  const progress = (chunk: unknown) => createOpenAiReply().add(chunk).isProgress
  for (const nothing of [
    {},
    null,
    { choices: [] },
    { choices: [{ delta: { role: 'assistant', content: '' } }] }
  ])
    expect(progress(nothing)).toBe(false)
  const brings = [{ content: 'Hi' }, { reasoning: 'Hm' }, { tool_calls: [{}] }]
  for (const delta of brings) expect(progress({ choices: [{ delta }] })).toBe(true)
  expect(progress({ choices: [{ finish_reason: 'stop' }] })).toBe(true)
})

test('what a reply took is not known until the server tells', () => {
  const reply = createOpenAiReply()
  expect(reply.usage).toBeNull()
  reply.add({ choices: [], usage: { prompt_tokens: 5, completion_tokens_details: { reasoning_tokens: 3 } } })
  expect(reply.usage).toEqual({ inputTokens: 5, outputTokens: 0, cachedTokens: 0, reasoningTokens: 3 })
})
