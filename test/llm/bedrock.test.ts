import { expect, onTestFinished, test, vi } from 'vitest'
import { createBedrockModels } from '../../src/llm/bedrock.ts'
import { collect } from '../support/model-events.ts'
import { startScriptedBedrock } from '../support/scripted-bedrock.ts'

const loading = vi.hoisted(() => ({ failures: 1 }))
vi.mock('@smithy/node-http-handler', async (load) => {
  if (loading.failures-- > 0) throw new Error('The disk did not answer')
  return load()
})

test('an SDK that could not be loaded is loaded by the next call', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'id')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
  onTestFinished(() => void vi.unstubAllEnvs())
  const server = await startScriptedBedrock()
  onTestFinished(() => server.close())
  const model = createBedrockModels({ region: 'eu-north-1', endpoint: server.endpoint }).chat('a-model')
  const ask = () =>
    collect(
      model.stream(
        { system: '', messages: [{ role: 'user', content: 'Hi' }], sources: [] },
        new AbortController().signal
      )
    )
  expect((await ask()).error).not.toBeNull()
  expect(await ask()).toMatchObject({ error: null, seen: [{ type: 'text-delta' }, { type: 'finish' }] })
})
