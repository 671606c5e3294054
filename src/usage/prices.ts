import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import Value from 'typebox/value'
import { ConfigInvalid } from '../config-invalid.ts'
import type { Usage } from '../llm/model.ts'
import { PRICE_LIST, type Price } from './price-list.ts'

/** A thousand-millionth of a dollar is what costs are counted in: the cheapest token costs several. */
export const NANOS = 1_000_000_000
const NANOS_PER_MILLIONTH = 1_000

const Amount = Type.Number({ minimum: 0, maximum: 1_000_000 })
const Overrides = Type.Record(
  Type.String(),
  Type.Object(
    { input: Amount, cachedInput: Type.Optional(Amount), output: Type.Optional(Amount) },
    { additionalProperties: false }
  )
)
type Overrides = Static<typeof Overrides>

const FREE: Price = { input: 0, output: 0 }
/** What works in this process, and what Ollama has, whether it is found or not. */
const LOCAL = new Set(['offline', 'ollama'])
/** Where a Bedrock model's words are kept; `global.` names no place. */
const GEOGRAPHY = /^bedrock:(global|us|us-gov|eu|apac|jp|au|ca)\./

export interface Prices {
  /** In thousand-millionths of a dollar; null: nobody knows. */
  costOf(model: string, usage: Usage): number | null
  /** Whether a model is known to cost nothing. */
  isFree(model: string): boolean
}

/**
 * The price list, with what `PAI_PRICES` says before it. `nearby`: the providers on this machine or in its network, which cost
 * nothing but what `PAI_PRICES` says of them.
 */
export function createPrices(overrides: Overrides = {}, nearby: string[] = []): Prices {
  const free = new Set([...LOCAL, ...nearby])
  const known = new Map<string, Price | null>()

  function priceOf(model: string): Price | null {
    let price = known.get(model)
    if (price === undefined) {
      price = overrides[model] ?? overrides[withoutLength(model)] ?? ownPrice(model)
      known.set(model, price)
    }
    return price
  }

  function ownPrice(model: string): Price | null {
    const [provider = ''] = model.split(':', 1)
    return free.has(provider) ? FREE : listPrice(model)
  }

  return {
    costOf(model, { inputTokens, cachedTokens, outputTokens }) {
      const price = priceOf(model)
      if (!price) return null
      const { input, cachedInput = input, output = 0 } = price
      const cached = Math.min(cachedTokens, inputTokens)
      const dollars = (inputTokens - cached) * input + cached * cachedInput + outputTokens * output
      return Math.round(dollars * NANOS_PER_MILLIONTH)
    },
    isFree(model) {
      const price = priceOf(model)
      return price !== null && price.input === 0 && !price.cachedInput && !price.output
    }
  }
}

/** Reads `PAI_PRICES`: JSON, or the path of a file that holds it. */
export function readPrices(setting: string | undefined): Overrides {
  if (setting === undefined) return {}
  let value: unknown
  try {
    value = JSON.parse(setting.trimStart().startsWith('{') ? setting : readFileSync(setting, 'utf8'))
  } catch {
    throw new ConfigInvalid('PAI_PRICES is neither JSON nor the path of a JSON file')
  }
  if (Value.Check(Overrides, value)) return value
  throw new ConfigInvalid(
    'PAI_PRICES is not valid: expected {"provider:model": {"input": 1.25, "cachedInput": 0.125, "output": 10}}, in US dollars for a million tokens'
  )
}

function listPrice(model: string): Price | null {
  const [, geography] = GEOGRAPHY.exec(model) ?? []
  const name = model.replace(GEOGRAPHY, 'bedrock:')
  for (const candidate of [
    name,
    withoutLength(name),
    withoutVersion(withoutLength(name)),
    withoutVersion(name)
  ]) {
    for (const { models, regional = 1 } of PRICE_LIST) {
      const price = models[candidate]
      if (price) return toPrice(price, geography === 'global' ? 1 : regional)
    }
  }
  return null
}

function toPrice([input, cachedInput, output]: [number, number | null, number | null], times: number): Price {
  return {
    input: input * times,
    ...(cachedInput !== null && { cachedInput: cachedInput * times }),
    ...(output !== null && { output: output * times })
  }
}

/** An embedder's id ends with the length of its vectors. */
function withoutLength(model: string): string {
  return model.replace(/:\d{2,4}$/, '')
}

/** A day at OpenAI, as `-2025-08-07`; a day, a version or both on Bedrock, as `-20250929-v1:0`. */
function withoutVersion(model: string): string {
  return model.startsWith('bedrock:')
    ? model.replace(/(?:-\d{8})?(?:-v\d+)?(?::\d+)?$/, '')
    : model.replace(/-\d{4}-\d{2}-\d{2}$/, '')
}
