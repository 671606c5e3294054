import { expect, onTestFinished, test } from 'vitest'
import { createLlm } from '../../src/llm/create-llm.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'

describeEachDatabase('the list of models', (database) => {
  test('says which there are, what each can do, and whether it can be asked now', async () => {
    const llm = await createLlm({
      openAiApiKey: 'sk-canary',
      servers: { lab: { baseUrl: 'http://127.0.0.1:1/v1', apiKey: 'sk-canary' } },
      models: ['home=lab:qwen3'],
      embeddingDimensions: 64,
      breaker: { failures: 1, windowMs: 60_000, restMs: 60_000 }
    })
    const house = await buildTestApp(database(), { llm })
    onTestFinished(() => house.close())
    const { headers } = await house.register()
    const list = async () => (await house.app.inject({ url: '/v1/models', headers })).json()
    const embedder = { id: 'openai:text-embedding-3-small:64', dimensions: 64 }
    const able = { offline: false, tools: true, structured: true, available: true, embedder }
    const own = {
      id: 'openai:gpt-5-mini',
      aliases: [],
      default: true,
      images: true,
      nearby: false,
      ...able
    }
    const lab = {
      id: 'lab:qwen3',
      aliases: ['home'],
      default: false,
      images: false,
      nearby: true,
      ...able
    }
    expect(await list()).toEqual({ items: [own, lab], nextCursor: null })

    const prompt = { system: '', messages: [{ role: 'user' as const, content: 'Hi' }], sources: [] }
    const events = llm.chatModel('home').stream(prompt, new AbortController().signal)
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'PAI_MODEL_UNREACHABLE'
    })
    expect((await list()).items).toEqual([own, { ...lab, available: false }])
  })

  test('is offline mode where there is nothing else', async () => {
    const house = await buildTestApp(database())
    onTestFinished(() => house.close())
    const { headers } = await house.register()
    const response = await house.app.inject({ url: '/v1/models', headers })
    expect(response.json().items).toEqual([
      {
        id: 'offline',
        aliases: [],
        default: true,
        offline: true,
        nearby: true,
        images: false,
        tools: false,
        structured: false,
        available: true,
        embedder: { id: 'offline:hash-v1:512', dimensions: 512 }
      }
    ])
  })
})
