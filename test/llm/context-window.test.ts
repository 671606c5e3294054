import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createFindWindow } from '../../src/llm/context-window.ts'
import { eventually } from '../support/eventually.ts'
import { type ScriptedOpenAiOptions, startScriptedOpenAi } from '../support/scripted-openai.ts'

const signal = new AbortController().signal

async function setup(options: ScriptedOpenAiOptions = {}) {
  const server = await startScriptedOpenAi(options)
  onTestFinished(() => server.close())
  const find = createFindWindow({ apiKey: 'sk-test', baseUrl: server.baseUrl, model: 'scripted' })
  if (!find) throw new Error('A compatible server is asked')
  return { server, find }
}

describe('how much a model reads and writes together', () => {
  test.each([
    ['vLLM', { max_model_len: 8_192 }],
    ['OpenRouter', { context_length: 8_192 }],
    ['Groq', { context_window: 8_192 }]
  ])('stands in the list of models of %s', async (_name, model) => {
    const { server, find } = await setup({ model })
    expect(await find(signal)).toBe(8_192)
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/models'])
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sk-test')
  })

  test('is what an Ollama has given a model that is loaded, whatever more its Modelfile says', async () => {
    const { find } = await setup({
      elsewhere: {
        '/api/ps': { models: [{ name: 'scripted:latest', model: 'scripted:latest', context_length: 4_096 }] },
        '/api/show': { parameters: 'num_ctx 8192', model_info: { 'llama.context_length': 131_072 } }
      }
    })
    expect(await find(signal)).toBe(4_096)
  })

  test('is what the Modelfile of one that is not loaded says, and not what it was trained for', async () => {
    const shown = { model_info: { 'llama.context_length': 131_072 } }
    const parameters = 'stop                           "<|eot|>"\nnum_ctx                        8192'
    const elsewhere = { '/api/ps': { models: [] }, '/api/show': { ...shown, parameters } }
    expect(await (await setup({ elsewhere })).find(signal)).toBe(8_192)
    expect(await (await setup({ elsewhere: { '/api/show': shown } })).find(signal)).toBeNull()
  })

  test('is unknown where the server does not tell, tells nonsense or is not there', async () => {
    const { server, find } = await setup({ model: { max_model_len: '8192', context_length: -1 } })
    expect(await find(signal)).toBeNull()
    const there = createFindWindow({ apiKey: 'sk', baseUrl: server.baseUrl, model: 'another' })
    expect(await there?.(signal)).toBeNull()
    await server.close()
    const gone = createFindWindow({ apiKey: 'sk', baseUrl: server.baseUrl, model: 'scripted' })
    expect(await gone?.(signal)).toBeNull()
  })

  test('is asked for once by all who want it, and again after a while', async () => {
    const { server, find } = await setup({ model: { max_model_len: 8_192 } })
    expect(await Promise.all([find(signal), find(signal)])).toEqual([8_192, 8_192])
    expect(await find(signal)).toBe(8_192)
    expect(server.requests).toHaveLength(1)
    const later = performance.now() + 600_001
    const clock = vi.spyOn(performance, 'now').mockReturnValue(later)
    onTestFinished(() => clock.mockRestore())
    // Nobody waits for that.
    expect(await find(signal)).toBe(8_192)
    await eventually(() => expect(server.requests).toHaveLength(2))
  })

  test('is what the settings say, without a question, and nothing to ask OpenAI for', async () => {
    const find = createFindWindow({
      apiKey: 'sk',
      baseUrl: 'http://127.0.0.1:1/v1',
      model: 'm',
      contextTokens: 4_096
    })
    expect(await find?.(signal)).toBe(4_096)
    expect(createFindWindow({ apiKey: 'sk', model: 'gpt-5' })).toBeUndefined()
  })
})
