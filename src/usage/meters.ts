import { Counter, Histogram, Registry } from 'prom-client'
import { measure } from '../telemetry/measure.ts'
import { NANOS } from './prices.ts'
import type { StoredCall } from './store.ts'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export type Meters = ReturnType<typeof createMeters>

/** What `/metrics` shows of models: by model and purpose, never by owner. */
export function createMeters() {
  const register = new Registry()
  const registers = [register]
  const labelNames = ['model', 'purpose']
  const calls = new Counter({
    name: 'pai_model_calls_total',
    help: 'Calls of models that are over',
    labelNames,
    registers
  })
  const estimates = new Counter({
    name: 'pai_model_calls_estimated_total',
    help: 'Of these, calls whose tokens are estimated: the provider told none, or was left before it did',
    labelNames,
    registers
  })
  const tokens = new Counter({
    name: 'pai_model_tokens_total',
    help: 'Tokens of models: input without what was cached, cached input, output',
    labelNames: [...labelNames, 'kind'],
    registers
  })
  const cost = new Counter({
    name: 'pai_model_cost_usd_total',
    help: 'What models cost in US dollars, as far as their prices are known',
    labelNames,
    registers
  })
  const firstToken = new Histogram({
    name: 'pai_turn_first_token_seconds',
    help: 'From the beginning of a turn to the first word of its reply',
    buckets: SECONDS,
    registers
  })
  const recall = new Histogram({
    name: 'pai_recall_seconds',
    help: 'Time that recall took, for searches and turns alike',
    buckets: SECONDS,
    registers
  })
  return {
    register,
    countCall(call: Omit<StoredCall, 'id' | 'createdAt' | 'conversationId'>): void {
      const { model, purpose, inputTokens, cachedTokens, outputTokens, costNanos } = call
      calls.inc({ model, purpose })
      if (call.estimated) estimates.inc({ model, purpose })
      tokens.inc({ model, purpose, kind: 'input' }, Math.max(0, inputTokens - cachedTokens))
      tokens.inc({ model, purpose, kind: 'cached' }, cachedTokens)
      tokens.inc({ model, purpose, kind: 'output' }, outputTokens)
      cost.inc({ model, purpose }, (costNanos ?? 0) / NANOS)
      measure('InputTokens', inputTokens)
      measure('OutputTokens', outputTokens)
      measure('CostUsd', (costNanos ?? 0) / NANOS)
    },
    noteFirstToken(milliseconds: number): void {
      firstToken.observe(milliseconds / 1000)
      measure('TimeToFirstToken', milliseconds)
    },
    timeRecall<Args extends unknown[], T>(
      work: (...args: Args) => Promise<T>
    ): (...args: Args) => Promise<T> {
      return async (...args) => {
        const stop = recall.startTimer()
        try {
          return await work(...args)
        } finally {
          measure('RecallLatency', stop() * 1000)
        }
      }
    }
  }
}
