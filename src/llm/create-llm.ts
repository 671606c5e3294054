import { ConfigInvalid } from '../config-invalid.ts'
import { createCatalogue } from './catalogue.ts'
import { createEmbedder } from './embed-in-batches.ts'
import type { Embedder, Llm } from './model.ts'
import { idOf, type ModelName, OFFLINE, OFFLINE_NAME, readName } from './model-names.ts'
import { createOfflineEmbedder } from './offline-embedder.ts'
import { type FoundOllama, findOllama } from './ollama.ts'
import { isOpenAi } from './openai-address.ts'
import {
  OLLAMA_BASE_URL,
  openProviders,
  type Provider,
  type ProviderSettings,
  type Server
} from './providers.ts'

const OPENAI_CHAT_MODEL = 'gpt-5-mini'
const OPENAI_EMBEDDING_MODEL = 'text-embedding-3-small'

export interface LlmSettings extends Omit<ProviderSettings, 'servers'> {
  openAiApiKey?: string
  openAiBaseUrl?: string
  /** How many tokens models at compatible servers read and write together, where a server's own setting does not say. */
  contextTokens?: number
  /** Further servers that speak OpenAI's API, by name. */
  servers?: Record<string, Server>
  /** "provider:model", a model of the default provider, an alias, or `offline`. */
  chatModel?: string
  embeddingModel?: string
  embeddingDimensions: number
  /** Who answers when the chat model cannot, in this order. */
  fallbackModels?: string[]
  /** What else may be chosen by name; "alias=provider:model" gives it a short one. */
  models?: string[]
  findOllama?: typeof findOllama
}

/** Chooses what answers: the configured models, else an Ollama on this machine, else offline mode. */
export async function createLlm(settings: LlmSettings): Promise<Llm> {
  const { embeddingDimensions: dimensions } = settings
  const { aliases, names } = readModels(settings.models ?? [])
  const wanted = [settings.chatModel, settings.embeddingModel, ...(settings.fallbackModels ?? []), ...names]
  const servers = readServers(settings, wanted)
  const ollama = needsOllama(settings, servers) ? await (settings.findOllama ?? findOllama)() : null
  if (ollama) servers.ollama ??= { ...contextOf(settings), baseUrl: ollama.baseUrl }
  const bedrock = wanted.some((name) => name?.startsWith('bedrock:')) ? settings.bedrock : undefined

  const known = new Set([...Object.keys(servers), ...(bedrock ? ['bedrock'] : [])])
  const defaultProvider = servers.openai ? 'openai' : ollama ? 'ollama' : null
  const read = (name: string) => readName(aliases.get(name) ?? name, known, defaultProvider)
  const readOr = (setting: string) => (name: string) => {
    const found = read(name)
    if (!found) throw new ConfigInvalid(`${setting} names a model of no provider: write provider:model`)
    return found
  }
  const chosen = settings.chatModel ?? (servers.openai ? OPENAI_CHAT_MODEL : (ollama?.chatModel ?? OFFLINE))
  const chat = read(chosen) ?? OFFLINE_NAME
  const embedding = read(settings.embeddingModel ?? defaultEmbedding(chat, servers, ollama, dimensions))
  const fallbacks = (settings.fallbackModels ?? []).map(readOr('PAI_FALLBACK_MODELS'))
  const installed = ollama ? [ollama.chatModel, ...ollama.otherChatModels] : []
  const others = [...names.map(readOr('PAI_MODELS')), ...installed.map(inOllama)]

  const used = [chat, embedding ?? OFFLINE_NAME, ...fallbacks, ...others]
  // Nothing is loaded for a key that is not used: it takes longer than the rest of an offline start.
  const providers = used.some(({ provider }) => provider !== OFFLINE)
    ? await openProviders({ ...settings, servers, bedrock })
    : new Map<string, Provider>()
  const toId = ([alias, name]: [string, string]): [string, string] => [
    alias,
    idOf(readOr('PAI_MODELS')(name))
  ]
  const catalogue = { providers, chat, fallbacks, others, defaultProvider }
  const make = (name: ModelName, length: number) => embedderOf(providers, name, length, settings.onUsage)
  const embedder = make(embedding ?? OFFLINE_NAME, dimensions)
  if (!embedder) throw new ConfigInvalid('PAI_EMBEDDING_MODEL names a model that is not known to embed')
  return {
    ...createCatalogue({ ...catalogue, aliases: new Map([...aliases].map(toId)) }),
    embedder,
    embedderFor: (id) => embedderFor(id, make),
    offline: chat.provider === OFFLINE,
    providers: () =>
      [...providers].map(([provider, { state, nearby }]) => ({ provider, circuit: state(), nearby }))
  }
}

/** One line for start-up. */
export function describeLlm(llm: Llm): string {
  const embeddings = llm.embedder.id.startsWith(`${OFFLINE}:`)
    ? 'offline embeddings'
    : `embeddings ${llm.embedder.id}`
  if (!llm.offline) return `model ${llm.chat.id}, ${embeddings}`
  return `offline mode: no language model, replies are quotes from memory (${embeddings})`
}

function inOllama(model: string): ModelName {
  return { provider: 'ollama', model }
}

function readModels(entries: string[]): { aliases: Map<string, string>; names: string[] } {
  const aliases = new Map<string, string>()
  const names = entries.map((entry) => {
    const [, alias, name] = /^([\w.-]+)=(.+)$/.exec(entry) ?? []
    if (alias && name) aliases.set(alias, name)
    return name ?? entry
  })
  return { aliases, names }
}

function readServers(settings: LlmSettings, wanted: (string | undefined)[]): Record<string, Server> {
  const { openAiApiKey, openAiBaseUrl } = settings
  const context = contextOf(settings)
  const given = Object.entries(settings.servers ?? {})
  const servers: Record<string, Server> = Object.fromEntries(
    given.map(([name, server]) => [name, { ...(!isOpenAi(server.baseUrl) && context), ...server }])
  )
  if (openAiApiKey || openAiBaseUrl) {
    servers.openai = {
      ...(!isOpenAi(openAiBaseUrl) && context),
      ...(openAiApiKey && { apiKey: openAiApiKey }),
      ...(openAiBaseUrl && { baseUrl: openAiBaseUrl })
    }
  }
  // Asked for by name it is there, whether it runs at this moment or not.
  if (wanted.some((name) => name?.startsWith('ollama:')))
    servers.ollama ??= { ...context, baseUrl: OLLAMA_BASE_URL }
  return servers
}

function contextOf({ contextTokens }: LlmSettings): Pick<Server, 'contextTokens'> {
  return contextTokens === undefined ? {} : { contextTokens }
}

/** Only where nothing else is configured to answer, or its embeddings may be wanted beside it. */
function needsOllama({ chatModel, bedrock }: LlmSettings, servers: Record<string, Server>): boolean {
  if (servers.openai || chatModel === OFFLINE) return false
  const provider = chatModel?.slice(0, chatModel.indexOf(':')) ?? ''
  return provider === 'ollama' || !(provider in servers || (bedrock && provider === 'bedrock'))
}

/** The provider that chats embeds too, where it is known how: words go to nobody who was not chosen. */
function defaultEmbedding(
  chat: ModelName,
  servers: Record<string, Server>,
  ollama: FoundOllama | null,
  dimensions: number
): string {
  if (chat.provider === 'openai' && isOpenAi(servers.openai?.baseUrl)) return OPENAI_EMBEDDING_MODEL
  if (chat.provider !== 'ollama' || !ollama?.embeddingModel) return OFFLINE
  return (ollama.embeddingDimensions ?? dimensions) >= dimensions ? ollama.embeddingModel : OFFLINE
}

function embedderOf(
  providers: Map<string, Provider>,
  { provider, model }: ModelName,
  dimensions: number,
  onUsage: LlmSettings['onUsage']
): Embedder | null {
  if (provider === OFFLINE) return createOfflineEmbedder(dimensions)
  const serves = providers.get(provider)
  const embeds = serves?.embedder(model, dimensions)
  return serves && embeds ? createEmbedder(embeds, serves.guard, onUsage) : null
}

/** Ids are "provider:model:dimensions", and a model's name may hold colons. */
const EMBEDDER_ID = /^([^:]+):(.+):(\d{1,4})$/

function embedderFor(
  id: string,
  make: (name: ModelName, dimensions: number) => Embedder | null
): Embedder | null {
  const [, provider = '', model = '', dimensions] = EMBEDDER_ID.exec(id) ?? []
  if (!provider) return null
  const embedder = make({ provider, model }, Number(dimensions))
  // Another recipe of ours, which this version does not know any more, has another id.
  return embedder?.id === id ? embedder : null
}
