import { expect, test } from 'vitest'
import { tellsTooLong } from '../../src/llm/tells-too-long.ts'

test.each([
  "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens",
  "You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is only 1024 tokens",
  'the request exceeds the available context size, try increasing it',
  'the input length exceeds the context length',
  'Your input exceeds the context window of this model',
  '`inputs` tokens + `max_new_tokens` must be <= 8192. Given: 6204 `inputs` tokens',
  "This model's maximum prompt length is 131072 but the request contains 537812 tokens",
  'The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)',
  'Input is too long for requested model.',
  'prompt is too long: 200049 tokens > 200000 maximum',
  'Too many input tokens. Max input tokens: 8192, request input token count: 9000'
])('%s', (message) => {
  expect(tellsTooLong(message)).toBe(true)
})

test.each([
  'Rate limit reached: too many tokens per minute',
  'Invalid value for max_tokens',
  'The model does not exist',
  'tools is not supported by this model'
])('not: %s', (message) => {
  expect(tellsTooLong(message)).toBe(false)
})
