import { describe, expect, onTestFinished, test } from 'vitest'
import { createLlm, describeLlm, type LlmSettings } from '../../src/llm/create-llm.ts'
import type { FoundOllama } from '../../src/llm/ollama.ts'
import { startScriptedOpenAi } from '../support/scripted-openai.ts'

const OLLAMA: FoundOllama = {
  baseUrl: 'http://127.0.0.1:11434/v1',
  chatModel: 'llama3.2',
  otherChatModels: ['qwen3', 'llava'],
  embeddingModel: 'nomic-embed-text',
  embeddingDimensions: 768
}

function create(settings: Partial<LlmSettings>, found: FoundOllama | null = null) {
  return createLlm({ embeddingDimensions: 512, findOllama: async () => found, ...settings })
}

async function ids(settings: Partial<LlmSettings>, found?: FoundOllama | null) {
  const llm = await create(settings, found)
  return [llm.chat.id, llm.structured?.id ?? null, llm.embedder.id, llm.offline]
}

const OFFLINE = ['offline', null, 'offline:hash-v1:512', true]

describe('what answers', () => {
  test('is OpenAI where there is a key', async () => {
    const chat = 'openai:gpt-5-mini'
    expect(await ids({ openAiApiKey: 'sk' })).toEqual([
      chat,
      chat,
      'openai:text-embedding-3-small:512',
      false
    ])
  })

  test('is the models that are asked for', async () => {
    const settings = { openAiApiKey: 'sk', chatModel: 'gpt-5', embeddingModel: 'text-embedding-3-large' }
    expect(await ids(settings)).toEqual([
      'openai:gpt-5',
      'openai:gpt-5',
      'openai:text-embedding-3-large:512',
      false
    ])
  })

  test('embeds offline at a compatible server, unless a model is named', async () => {
    const openAiBaseUrl = 'http://127.0.0.1:8000/v1'
    expect((await ids({ openAiBaseUrl, chatModel: 'qwen' }))[2]).toBe('offline:hash-v1:512')
    expect((await ids({ openAiBaseUrl, embeddingModel: 'bge-m3' }))[2]).toBe('openai:bge-m3:512')
  })

  test.each(['https://api.openai.com/v1', 'https://eu.api.openai.com/v1'])(
    'embeds at OpenAI under %s',
    async (url) => {
      expect((await ids({ openAiBaseUrl: url, openAiApiKey: 'sk' }))[2]).toBe(
        'openai:text-embedding-3-small:512'
      )
    }
  )

  test('embeds offline where that is asked for', async () => {
    expect((await ids({ openAiApiKey: 'sk', embeddingModel: 'offline' }))[2]).toBe('offline:hash-v1:512')
  })

  test('is nothing where offline mode is asked for, whatever else is at hand', async () => {
    expect(await ids({ chatModel: 'offline' }, OLLAMA)).toEqual(OFFLINE)
    expect(await ids({ chatModel: 'offline', openAiApiKey: 'sk' })).toEqual(OFFLINE)
    expect(await ids({ chatModel: 'offline', embeddingModel: 'bge-m3' }, OLLAMA)).toEqual(OFFLINE)
  })

  test('is offline with vectors of a model where one is named beside offline mode', async () => {
    const settings = { chatModel: 'offline', openAiApiKey: 'sk', embeddingModel: 'text-embedding-3-small' }
    expect(await ids(settings)).toEqual(['offline', null, 'openai:text-embedding-3-small:512', true])
  })

  test('is the Ollama on this machine where there is no key', async () => {
    const chat = 'ollama:llama3.2'
    expect(await ids({}, OLLAMA)).toEqual([chat, chat, 'ollama:nomic-embed-text:512', false])
    expect((await ids({ chatModel: 'qwen3' }, OLLAMA))[0]).toBe('ollama:qwen3')
  })

  test('embeds offline beside an Ollama whose vectors are missing or too short', async () => {
    const offline = 'offline:hash-v1:512'
    expect((await ids({}, { ...OLLAMA, embeddingModel: null, embeddingDimensions: null }))[2]).toBe(offline)
    expect((await ids({}, { ...OLLAMA, embeddingModel: 'all-minilm', embeddingDimensions: 384 }))[2]).toBe(
      offline
    )
    expect((await ids({ embeddingModel: 'offline' }, OLLAMA))[2]).toBe(offline)
  })

  test('is nothing where nothing is found', async () => {
    expect(await ids({})).toEqual(OFFLINE)
  })

  test('is a compatible server that wants no key', async () => {
    const server = await startScriptedOpenAi()
    onTestFinished(() => server.close())
    const llm = await create({ openAiBaseUrl: server.baseUrl, chatModel: 'scripted' })
    server.script('Hello Ada')
    const prompt = { system: '', messages: [{ role: 'user' as const, content: 'Hi' }], sources: [] }
    const events = llm.chat.stream(prompt, new AbortController().signal)[Symbol.asyncIterator]()
    expect((await events.next()).value).toEqual({ type: 'start', model: 'openai:scripted' })
    expect((await events.next()).value).toEqual({ type: 'text-delta', text: 'Hello Ada' })
    expect(server.requests[0]?.headers.authorization).toBe('Bearer none')
  })
})

describe('several providers at once', () => {
  const lab = { baseUrl: 'http://127.0.0.1:8000/v1', apiKey: 'sk-canary', images: true }
  const bedrock = { region: 'eu-north-1' }

  test('serve a chat model and an embedder each by its name', async () => {
    const settings = { openAiApiKey: 'sk', servers: { lab }, bedrock }
    expect(await ids({ ...settings, chatModel: 'lab:qwen3:4b', embeddingModel: 'lab:bge-m3' })).toEqual([
      'lab:qwen3:4b',
      'lab:qwen3:4b',
      'lab:bge-m3:512',
      false
    ])
    const titan = 'bedrock:amazon.titan-embed-text-v2:0'
    expect(await ids({ ...settings, chatModel: 'openai:gpt-5', embeddingModel: titan })).toEqual([
      'openai:gpt-5',
      'openai:gpt-5',
      `${titan}:512`,
      false
    ])
    expect((await ids({ bedrock, chatModel: 'bedrock:amazon.nova-lite-v1:0' }))[0]).toBe(
      'bedrock:amazon.nova-lite-v1:0'
    )
  })

  test('send no words to a provider that was not chosen to read them', async () => {
    const settings = { openAiApiKey: 'sk', servers: { lab }, bedrock }
    for (const chatModel of ['lab:qwen3', 'ollama:qwen3', 'bedrock:amazon.nova-lite-v1:0'])
      expect((await ids({ ...settings, chatModel }))[2]).toBe('offline:hash-v1:512')
  })

  test('make vectors of stored ids, of whichever provider is there', async () => {
    const llm = await create({ openAiApiKey: 'sk', servers: { lab }, chatModel: 'lab:qwen3' })
    expect(llm.embedderFor('openai:text-embedding-3-small:512')?.id).toBe('openai:text-embedding-3-small:512')
    expect(llm.embedderFor('lab:bge-m3:v2:64')?.dimensions).toBe(64)
    expect(llm.embedderFor('offline:hash-v1:64')?.dimensions).toBe(64)
    for (const id of ['bedrock:amazon.titan-embed-text-v2:0:512', 'offline:hash-v0:64', 'nonsense'])
      expect(llm.embedderFor(id), id).toBeNull()
  })

  test('have the window of the setting where a compatible server answers, and not OpenAI itself, whatever its name', async () => {
    const llm = await create({
      openAiApiKey: 'sk',
      contextTokens: 8_192,
      servers: { lab, europe: { baseUrl: 'https://eu.api.openai.com/v1', apiKey: 'sk' } },
      models: ['lab:qwen3', 'europe:gpt-5']
    })
    const windowOf = (name: string) => llm.chatModel(name).findWindow?.(AbortSignal.timeout(5_000))
    expect(await windowOf('lab:qwen3')).toBe(8_192)
    expect(await windowOf('europe:gpt-5')).toBeUndefined()
    expect(await windowOf('openai:gpt-5-mini')).toBeUndefined()
  })

  test('list what may be chosen, by id, alias or bare name, and nothing else', async () => {
    const llm = await create({
      openAiApiKey: 'sk',
      servers: { lab },
      fallbackModels: ['lab:qwen3', 'offline'],
      models: ['fast=gpt-5-nano', 'gpt-3.5-turbo']
    })
    const able = { offline: false, nearby: false, images: true, tools: true, structured: true }
    const deaf = { images: false, tools: false, structured: false }
    expect(llm.models()).toEqual([
      { id: 'openai:gpt-5-mini', aliases: [], ...able },
      { id: 'lab:qwen3', aliases: [], ...able, nearby: true },
      { id: 'offline', aliases: [], ...deaf, offline: true, nearby: true },
      { id: 'openai:gpt-5-nano', aliases: ['fast'], ...able },
      { id: 'openai:gpt-3.5-turbo', aliases: [], ...able, images: false }
    ])
    expect(llm.chatModel('fast').id).toBe('openai:gpt-5-nano')
    expect(llm.chatModel('gpt-5-nano')).toBe(llm.chatModel('openai:gpt-5-nano'))
    expect(llm.chatModel('offline').id).toBe('offline')
    for (const name of ['gpt-5', 'openai:gpt-5', 'qwen3', 'fast ', '', 'constructor', 'lab:'])
      expect(() => llm.chatModel(name), name).toThrow(expect.objectContaining({ code: 'PAI_MODEL_UNKNOWN' }))
  })

  test('are looked for on this machine only where nothing else is chosen', async () => {
    const probed: string[] = []
    const findOllama = async () => {
      probed.push('looked')
      return OLLAMA
    }
    await create({ servers: { lab }, chatModel: 'lab:qwen3', findOllama })
    await create({ bedrock, chatModel: 'bedrock:amazon.nova-lite-v1:0', findOllama })
    await create({ openAiApiKey: 'sk', chatModel: 'ollama:qwen3', findOllama })
    expect(probed).toEqual([])
    const llm = await create({ servers: { lab }, chatModel: 'ollama:qwen3', findOllama })
    expect([llm.chat.id, llm.embedder.id]).toEqual(['ollama:qwen3', 'ollama:nomic-embed-text:512'])
  })

  test('may be all that an Ollama has installed', async () => {
    const models = (await create({}, OLLAMA)).models()
    expect(models.map(({ id, images }) => [id, images])).toEqual([
      ['ollama:llama3.2', false],
      ['ollama:qwen3', false],
      ['ollama:llava', true]
    ])
    expect((await create({ chatModel: 'qwen3' }, OLLAMA)).models().map(({ id }) => id)).toEqual([
      'ollama:qwen3',
      'ollama:llama3.2',
      'ollama:llava'
    ])
  })

  test('need not run when PAI starts', async () => {
    expect((await ids({ chatModel: 'ollama:qwen3' }, null)).slice(0, 3)).toEqual([
      'ollama:qwen3',
      'ollama:qwen3',
      'offline:hash-v1:512'
    ])
  })

  test.each([
    ['PAI_FALLBACK_MODELS', { fallbackModels: ['qwen3'] }],
    ['PAI_MODELS', { models: ['fast=qwen3'] }],
    ['PAI_EMBEDDING_MODEL', { bedrock, embeddingModel: 'bedrock:cohere.embed-english-v3' }]
  ])('are named by %s, which says what is wrong with it', async (name, settings) => {
    await expect(create(settings)).rejects.toThrow(new RegExp(`^${name} names a model`))
  })
})

describe('the line at start-up', () => {
  test('names the models', async () => {
    expect(describeLlm(await create({ openAiApiKey: 'sk-canary' }))).toBe(
      'model openai:gpt-5-mini, embeddings openai:text-embedding-3-small:512'
    )
    expect(describeLlm(await create({ openAiBaseUrl: 'http://127.0.0.1:1/v1', chatModel: 'qwen' }))).toBe(
      'model openai:qwen, offline embeddings'
    )
  })

  test('says what offline mode is', async () => {
    expect(describeLlm(await create({}))).toBe(
      'offline mode: no language model, replies are quotes from memory (offline embeddings)'
    )
  })
})
