import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import type { ProviderState } from '../../src/llm/model.ts'
import { measureProviders } from '../../src/models/measure-providers.ts'

test('each provider is shown as it is when the metrics are read', async () => {
  const register = new Registry()
  const states: ProviderState[] = [
    { provider: 'openai', circuit: 'open', nearby: false },
    { provider: 'lab', circuit: 'closed', nearby: false }
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
  states[0] = { provider: 'openai', circuit: 'half-open', nearby: false }
  expect(await read()).toEqual([
    ['openai', 0.5],
    ['lab', 0]
  ])
})
