import { type BreakerSettings, createBreaker } from './breaker.ts'
import type { BatchEmbedder } from './embed-in-batches.ts'
import { createGuard, type Guard, type RetrySettings } from './guard.ts'
import type { ChatModel, ProviderState, StructuredModel } from './model.ts'
import { isNearby } from './nearby.ts'
import type { ModelTimeouts } from './silence.ts'
import { traceCalls } from './trace-calls.ts'
import type { BeforeCall, OnUsage } from './usage-meter.ts'

/** The SDK wants a key, and a local server ignores it. */
const NO_KEY = 'none'
export const OLLAMA_BASE_URL = 'http://127.0.0.1:11434/v1'

/** A server that speaks OpenAI's API. */
export interface Server {
  /** Absent: OpenAI's own. */
  baseUrl?: string
  apiKey?: string
  /** Whether its models see images, where their names do not tell. */
  images?: boolean
  /** How many tokens its models read and write together; absent: it is asked. */
  contextTokens?: number
}

export interface BedrockSettings {
  region: string
  /** A private endpoint of a network; absent: the region's own. */
  endpoint?: string
}

export interface ProviderSettings {
  /** By name: what stands before the colon of a model's id. */
  servers: Record<string, Server>
  bedrock?: BedrockSettings | undefined
  timeouts?: ModelTimeouts | undefined
  retries?: RetrySettings | undefined
  breaker?: BreakerSettings | undefined
  beforeCall?: BeforeCall | undefined
  onUsage?: OnUsage | undefined
}

/** Whoever serves models, and how it is. */
export interface Provider {
  guard: Guard
  /** Whether it is on this machine or in its network, so that nothing said to it leaves the house. */
  nearby: boolean
  state(): ProviderState['circuit']
  chat(model: string): ChatModel
  structured(model: string): StructuredModel
  /** null for a model that embeds in a way that is not known here. */
  embedder(model: string, dimensions: number): BatchEmbedder | null
}

/** Every provider that is configured, by its name. Their SDKs are loaded here, and only those. */
export async function openProviders(settings: ProviderSettings): Promise<Map<string, Provider>> {
  const providers = new Map<string, Provider>()
  const names = Object.keys(settings.servers)
  if (names.length > 0) {
    const [chat, structured, embedder] = await Promise.all([
      import('./openai-chat.ts'),
      import('./openai-structured.ts'),
      import('./openai-embedder.ts')
    ])
    for (const name of names) {
      const { baseUrl } = settings.servers[name] ?? {}
      const server = { apiKey: NO_KEY, ...settings.servers[name], provider: name, ...callSettings(settings) }
      const provider = {
        ...guarded(settings),
        nearby: baseUrl !== undefined && isNearby(baseUrl),
        chat: (model: string) => chat.createOpenAiChatModel({ ...server, model }),
        structured: (model: string) => structured.createOpenAiStructuredModel({ ...server, model }),
        embedder: (model: string, dimensions: number) =>
          embedder.createOpenAiEmbedder({ ...server, model, dimensions })
      }
      providers.set(name, traceCalls<Provider>(name, provider))
    }
  }
  if (settings.bedrock) {
    const { createBedrockModels } = await import('./bedrock.ts')
    const models = createBedrockModels({ ...settings.bedrock, ...callSettings(settings) })
    providers.set(
      'bedrock',
      traceCalls<Provider>('bedrock', { ...guarded(settings), nearby: false, ...models })
    )
  }
  return providers
}

function callSettings({ timeouts, onUsage }: ProviderSettings) {
  return { ...(timeouts && { timeouts }), ...(onUsage && { onUsage }) }
}

function guarded({ breaker: breakerSettings, retries, beforeCall }: ProviderSettings) {
  const breaker = createBreaker(breakerSettings)
  return { guard: createGuard(breaker, retries, beforeCall), state: breaker.state }
}
