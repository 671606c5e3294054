import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { PRICE_LIST } from '../../src/usage/price-list.ts'
import { createPrices, readPrices } from '../../src/usage/prices.ts'

const MILLION = { inputTokens: 1_000_000, cachedTokens: 0, outputTokens: 1_000_000 }
const dollars = (nanos: number | null) => (nanos === null ? null : nanos / 1e9)

test('a price is found under every name a model goes by', () => {
  const { costOf } = createPrices()
  const cost = (model: string) => dollars(costOf(model, MILLION))
  expect(cost('openai:gpt-5-mini')).toBe(2.25)
  expect(cost('openai:gpt-5-mini-2025-08-07')).toBe(2.25)
  expect(cost('openai:text-embedding-3-small:512')).toBe(0.02)
  expect(cost('bedrock:amazon.titan-embed-text-v2:0:512')).toBe(0.02)
  expect(cost('bedrock:amazon.nova-pro-v1:0')).toBe(4)
  expect(cost('bedrock:eu.amazon.nova-pro-v1:0')).toBe(4)
  expect(cost('bedrock:anthropic.claude-3-5-haiku-20241022-v1:0')).toBe(4.8)
})

test('where the words must stay in one geography, the newer models of Anthropic cost a tenth more', () => {
  const { costOf } = createPrices()
  const cost = (model: string) => dollars(costOf(model, MILLION))
  expect(cost('bedrock:global.anthropic.claude-sonnet-4-5-20250929-v1:0')).toBe(18)
  expect(cost('bedrock:eu.anthropic.claude-sonnet-4-5-20250929-v1:0')).toBeCloseTo(19.8, 9)
  expect(cost('bedrock:us.anthropic.claude-sonnet-4-20250514-v1:0')).toBe(18)
})

test('what was in the cache costs less, and never more than there was', () => {
  const { costOf } = createPrices()
  const usage = { inputTokens: 1_000, cachedTokens: 400, outputTokens: 100 }
  expect(costOf('openai:gpt-5-mini', usage)).toBe(600 * 250 + 400 * 25 + 100 * 2_000)
  expect(costOf('openai:gpt-5-mini', { ...usage, cachedTokens: 5_000, outputTokens: 0 })).toBe(1_000 * 25)
})

test('what a provider in house has costs nothing, whatever its name, unless somebody says what', () => {
  const { costOf, isFree } = createPrices({ 'proxy:gpt-5': { input: 1, output: 2 } }, [
    'lab',
    'openai',
    'proxy'
  ])
  for (const model of ['lab:qwen3', 'lab:bge-m3:512', 'openai:gpt-5-mini'])
    expect(isFree(model), model).toBe(true)
  expect(isFree('laboratory:qwen3')).toBe(false)
  expect(dollars(costOf('proxy:gpt-5', MILLION))).toBe(3)
})

test('an unknown model has no price, and one of this machine costs nothing', () => {
  const { costOf, isFree } = createPrices()
  expect(costOf('lab:qwen3', MILLION)).toBeNull()
  expect(costOf('openai:gpt-5-mini-of-somebody', MILLION)).toBeNull()
  expect(isFree('lab:qwen3')).toBe(false)
  for (const model of [
    'offline',
    'offline:hash-v1:512',
    'ollama:llama3.2:1b',
    'ollama:nomic-embed-text:512'
  ]) {
    expect(isFree(model), model).toBe(true)
    expect(costOf(model, MILLION)).toBe(0)
  }
  expect(isFree('openai:gpt-5-mini')).toBe(false)
})

test('what the deployment says goes before the list, as JSON or as a file', () => {
  const json =
    '{"lab:qwen3": {"input": 1, "output": 2}, "openai:gpt-5-mini": {"input": 0}, "lab:embed": {"input": 3}}'
  const path = join(tmpdir(), `prices-${crypto.randomUUID()}.json`)
  writeFileSync(path, json)
  onTestFinished(() => rmSync(path))
  for (const setting of [json, path]) {
    const { costOf, isFree } = createPrices(readPrices(setting))
    expect(dollars(costOf('lab:qwen3', MILLION))).toBe(3)
    expect(dollars(costOf('lab:embed:384', MILLION))).toBe(3)
    expect(isFree('openai:gpt-5-mini')).toBe(true)
    expect(dollars(costOf('openai:gpt-5', MILLION))).toBe(11.25)
  }
})

test.each([
  ['{"lab:qwen3": {"input": "cheap"}}', /not valid/],
  ['{"lab:qwen3": {"input": -1}}', /not valid/],
  ['{"lab:qwen3": {"in": 1}}', /not valid/],
  ['{"lab:', /neither JSON nor/],
  ['/no/such/secret-file.json', /neither JSON nor/]
])('a setting that is none is refused at start-up, and not repeated: %s', (setting, why) => {
  expect(() => readPrices(setting)).toThrow(why)
  expect(() => readPrices(setting)).not.toThrow(/cheap|secret-file/)
})

test('every price of the list has its source and day, and stands there once', () => {
  const names = PRICE_LIST.flatMap(({ source, read, models }) => {
    expect(source).toMatch(/^https:\/\//)
    expect(read).toMatch(/^\d{4}-\d\d-\d\d$/)
    for (const [input, cached] of Object.values(models)) expect(cached ?? 0).toBeLessThanOrEqual(input)
    return Object.keys(models)
  })
  expect(new Set(names).size).toBe(names.length)
})
