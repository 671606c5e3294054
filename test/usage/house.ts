import { onTestFinished } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import type { LlmSettings } from '../../src/llm/create-llm.ts'
import { createLlm } from '../../src/llm/create-llm.ts'
import { meterCalls } from '../../src/usage/account.ts'
import { callAs } from '../chat/talk.ts'
import { buildTestApp, type TestAppOptions } from '../support/app.ts'
import { type ScriptedOpenAiOptions, startScriptedOpenAi } from '../support/scripted-openai.ts'

/** In US dollars for a million tokens: one token in costs a hundredth, one out a tenth. */
const PRICES = JSON.stringify({
  'openai:scripted': { input: 10_000, cachedInput: 1_000, output: 100_000 },
  'openai:text-embedding-3-small': { input: 1_000 }
})

export interface PayingOptions extends ScriptedOpenAiOptions {
  llm?: Partial<LlmSettings>
  settings?: Record<string, string>
  now?: () => Date
  /** Whether its server counts as one of this network, whose models cost nothing but what they are said to. */
  nearby?: boolean
}

/** A house whose models are served over the wire and cost something, and an owner who pays. A call on no account fails. */
export async function setUpPaying(
  database: Database,
  { llm, settings, now, nearby = true, ...script }: PayingOptions = {}
) {
  const server = await startScriptedOpenAi(script)
  onTestFinished(() => server.close())
  const models = await createLlm({
    openAiApiKey: 'sk-test',
    openAiBaseUrl: server.baseUrl,
    chatModel: 'scripted',
    embeddingModel: 'text-embedding-3-small',
    embeddingDimensions: 512,
    ...meterCalls((error) => {
      throw error
    }),
    ...llm
  })
  const providers = () => models.providers().map((one) => ({ ...one, nearby }))
  const options: TestAppOptions = {
    llm: { ...models, providers },
    settings: { PAI_PRICES: PRICES, ...settings }
  }
  const house = await buildTestApp(database, { ...options, ...(now && { now }) })
  onTestFinished(() => house.close())
  const owner = await house.register()
  return { server, house, owner, call: callAs(house, owner) }
}
