import { describe, expect, onTestFinished, test } from 'vitest'
import { createLlm, describeLlm, type LlmSettings } from '../../src/llm/create-llm.ts'
import type { FoundOllama } from '../../src/llm/ollama.ts'
import { startScriptedOpenAi } from '../support/scripted-openai.ts'

const OLLAMA: FoundOllama = {
  baseUrl: 'http://127.0.0.1:11434/v1',
  chatModel: 'llama3.2',
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
