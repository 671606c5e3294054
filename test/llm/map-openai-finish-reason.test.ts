import { expect, test } from 'vitest'
import { mapOpenAiFinishReason } from '../../src/llm/map-openai-finish-reason.ts'

test.each([
  ['stop', 'stop'],
  ['length', 'length'],
  ['tool_calls', 'tool-calls'],
  ['function_call', 'tool-calls'],
  ['content_filter', 'content-filter'],
  ['eos_token', 'other'],
  ['toString', 'other'],
  [null, 'other'],
  [7, 'other']
])('%s means %s', (reason, meaning) => {
  expect(mapOpenAiFinishReason(reason)).toBe(meaning)
})
