import type { Embedder, Llm } from './model.ts'
import { createOfflineEmbedder } from './offline-embedder.ts'
import { createOfflineModel } from './offline-model.ts'
import { findOllama } from './ollama.ts'

const OPENAI_CHAT_MODEL = 'gpt-5-mini'
const OPENAI_EMBEDDING_MODEL = 'text-embedding-3-small'
const OFFLINE = 'offline'
/** The SDK wants a key, and a local server ignores it. */
const NO_KEY = 'none'

export interface LlmSettings {
  openAiApiKey?: string
  openAiBaseUrl?: string
  /** `offline` asks for offline mode. */
  chatModel?: string
  /** `offline` asks for the offline embedder. */
  embeddingModel?: string
  embeddingDimensions: number
  findOllama?: typeof findOllama
}

interface Server {
  provider: string
  apiKey: string
  baseUrl?: string
}

/** Chooses what answers: the configured server, else an Ollama on this machine, else offline mode. */
export async function createLlm(settings: LlmSettings): Promise<Llm> {
  const { chatModel, embeddingModel, embeddingDimensions: dimensions } = settings
  const { openAiApiKey, openAiBaseUrl } = settings
  if (openAiApiKey || openAiBaseUrl) {
    const server = {
      provider: 'openai',
      apiKey: openAiApiKey || NO_KEY,
      ...(openAiBaseUrl && { baseUrl: openAiBaseUrl })
    }
    const defaultEmbedding =
      isOpenAi(openAiBaseUrl) && chatModel !== OFFLINE ? OPENAI_EMBEDDING_MODEL : OFFLINE
    return build(server, chatModel ?? OPENAI_CHAT_MODEL, embeddingModel ?? defaultEmbedding, dimensions)
  }
  const ollama = chatModel === OFFLINE ? null : await (settings.findOllama ?? findOllama)()
  if (!ollama) return offline(createOfflineEmbedder(dimensions))
  const longEnough = (ollama.embeddingDimensions ?? dimensions) >= dimensions
  const foundEmbedding = longEnough ? ollama.embeddingModel : null
  const server = { provider: 'ollama', apiKey: NO_KEY, baseUrl: ollama.baseUrl }
  return build(server, chatModel ?? ollama.chatModel, embeddingModel ?? foundEmbedding ?? OFFLINE, dimensions)
}

/** One line for start-up. */
export function describeLlm(llm: Llm): string {
  const embeddings = llm.embedder.id.startsWith(`${OFFLINE}:`)
    ? 'offline embeddings'
    : `embeddings ${llm.embedder.id}`
  if (!llm.offline) return `model ${llm.chat.id}, ${embeddings}`
  return `offline mode: no language model, replies are quotes from memory (${embeddings})`
}

async function build(server: Server, chat: string, embedding: string, dimensions: number): Promise<Llm> {
  if (chat === OFFLINE && embedding === OFFLINE) return offline(createOfflineEmbedder(dimensions))
  // Loaded only where it is used: it takes longer than the rest of an offline start.
  const openai = await import('./openai.ts')
  const embedder =
    embedding === OFFLINE
      ? createOfflineEmbedder(dimensions)
      : openai.createOpenAiEmbedder({ ...server, model: embedding, dimensions })
  if (chat === OFFLINE) return offline(embedder, (id) => embedderFor(id, server, openai.createOpenAiEmbedder))
  const model = { ...server, model: chat }
  return {
    chat: openai.createOpenAiChatModel(model),
    structured: openai.createOpenAiStructuredModel(model),
    embedder,
    embedderFor: (id) => embedderFor(id, server, openai.createOpenAiEmbedder),
    offline: false
  }
}

function offline(embedder: Embedder, embedderOf = offlineEmbedderFor): Llm {
  return { chat: createOfflineModel(), structured: null, embedder, embedderFor: embedderOf, offline: true }
}

/** Ids are "provider:model:dimensions", and a model's name may hold colons. */
const EMBEDDER_ID = /^([^:]+):(.+):(\d{1,4})$/

function offlineEmbedderFor(id: string): Embedder | null {
  const [, provider, , dimensions] = EMBEDDER_ID.exec(id) ?? []
  if (provider !== OFFLINE) return null
  const embedder = createOfflineEmbedder(Number(dimensions))
  // Another recipe of ours, which this version does not know any more, has another id.
  return embedder.id === id ? embedder : null
}

function embedderFor(
  id: string,
  server: Server,
  create: (settings: Server & { model: string; dimensions: number }) => Embedder
): Embedder | null {
  const [, provider, model = '', dimensions] = EMBEDDER_ID.exec(id) ?? []
  if (provider !== server.provider) return offlineEmbedderFor(id)
  return create({ ...server, model, dimensions: Number(dimensions) })
}

function isOpenAi(baseUrl?: string): boolean {
  if (!baseUrl) return true
  const { hostname } = new URL(baseUrl)
  return hostname === 'api.openai.com' || hostname.endsWith('.api.openai.com')
}
