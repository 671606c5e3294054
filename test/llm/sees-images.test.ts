import { expect, test } from 'vitest'
import { seesImages } from '../../src/llm/sees-images.ts'

test.each([
  'gpt-5-mini',
  'gpt-4o',
  'gpt-4.1-nano',
  'openai/gpt-4o-mini',
  'o3',
  'o4-mini',
  'claude-3-haiku',
  'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'anthropic/claude-opus-4',
  'us.amazon.nova-lite-v1:0',
  'meta.llama3-2-11b-instruct-v1:0',
  'llama3.2-vision:11b',
  'llava:7b',
  'qwen2.5vl:7b',
  'Qwen/Qwen3-VL-8B-Instruct',
  'gemma3:4b',
  'pixtral-12b',
  'google/gemini-2.5-flash'
])('%s sees', (model) => {
  expect(seesImages(model)).toBe(true)
})

test.each([
  'gpt-3.5-turbo',
  'gpt-4',
  'gpt-oss:20b',
  'o1-mini',
  'o3-mini',
  'gpt-4o-audio-preview',
  'amazon.nova-micro-v1:0',
  'amazon.titan-embed-text-v2:0',
  'anthropic.claude-v2',
  'meta.llama3-2-3b-instruct-v1:0',
  'llama3.2:3b',
  'llama3.3',
  'gemma3:1b',
  'gemma2',
  'qwen3:4b',
  'mistral-small',
  'deepseek-r1',
  'scripted'
])('%s does not', (model) => {
  expect(seesImages(model)).toBe(false)
})
