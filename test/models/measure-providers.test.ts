import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import type { ProviderState } from '../../src/llm/model.ts'
import { measureProviders } from '../../src/models/measure-providers.ts'

test('each provider is shown as it is when the metrics are read', async () => {
  const register = new Registry()
  const states: ProviderState[] = [
    { provider: 'openai', circuit: 'open' },
    { provider: 'lab', circuit: 'closed' }
  ]
  measureProviders(register, { providers: () => states })
  const read = async () => {
    const [metric] = await register.getMetricsAsJSON()
    return metric?.values.map(({ labels, value }) => [labels.provider, value])
  }
  expect(await read()).toEqual([
    ['openai', 1],
    ['lab', 0]
  ])
  states[0] = { provider: 'openai', circuit: 'half-open' }
  expect(await read()).toEqual([
    ['openai', 0.5],
    ['lab', 0]
  ])
})
