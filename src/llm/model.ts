/** The seam to language models. Nothing here knows a vendor; providers beside this file implement it. */

export interface PromptImage {
  /** image/png, image/jpeg, image/gif or image/webp. */
  mediaType: string
  data: Uint8Array
}

export type PromptMessage =
  | { role: 'user'; content: string; images?: PromptImage[] }
  | { role: 'assistant'; content: string; toolCalls?: ToolCall[] }
  /** What a tool gave for the call of that id. */
  | { role: 'tool'; callId: string; content: string; isError?: boolean }

/** Something the model may ask to have done. */
export interface PromptTool {
  /** Letters, digits, underscores and hyphens, at most 64. */
  name: string
  description: string
  /** JSON Schema of its arguments, an object. */
  schema: Record<string, unknown>
}

/** Something recalled that the reply may quote; `index` is the number it is cited by: `[1]`. */
export interface PromptSource {
  index: number
  kind: 'memory' | 'message' | 'passage'
  /** Who said a message; the owner when it is left out. */
  role?: 'user' | 'assistant'
  id: string
  text: string
  /** When it was said or recorded, ISO 8601. */
  at: string
  /** That day where the owner is, such as 2026-03-01; that of UTC when it is left out. */
  day?: string
  /** What is 'unconfirmed' PAI has only inferred, what is 'conflicting' a memory denies, what is 'superseded' holds no more. */
  status?: string
  /** 0 to 1, higher is a better match. */
  score: number
}

export interface Prompt {
  /** Instructions, and what is known of the owner and of the conversation: what a language model reads first. */
  system: string
  /** Oldest first; the last one is the user's, or what a tool gave. */
  messages: PromptMessage[]
  /** The sources, rendered: they change with every message, so a model reads them last, before the words to answer. */
  notes?: string
  tools?: PromptTool[]
  /** At most this much is written; absent: what the model can. */
  maxOutputTokens?: number
  /** The same sources as data, for a model that quotes instead of writing. */
  sources: PromptSource[]
}

export interface Usage {
  inputTokens: number
  outputTokens: number
  /** Those of the input that the provider had in its cache. */
  cachedTokens: number
  /** Those of the output that were thought and not said, where the provider tells. */
  reasoningTokens?: number
  /** Set where the provider told nothing, or was left before it did: then these are estimates. */
  estimated?: true
}

export interface ToolCall {
  callId: string
  name: string
  /** JSON text as the model wrote it. */
  arguments: string
}

export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other'

export type ModelEvent =
  /** Who answers, before its first word: not always the model that was asked, see `fall-back.ts`. */
  | { type: 'start'; model: string }
  | { type: 'text-delta'; text: string }
  | { type: 'reasoning-delta'; text: string }
  | { type: 'tool-call'; call: ToolCall }
  | { type: 'finish'; reason: FinishReason; usage: Usage }

/** How many images a model takes at once, and how large each may be. */
export interface ImageLimit {
  count: number
  bytes: number
}

/** What a model can do. */
export interface Abilities {
  /** Whether it sees the images of a message. */
  images: boolean
  /** Absent: as many and as large ones as PAI keeps. */
  imageLimit?: ImageLimit
  tools: boolean
  /** Whether it can be held to a shape. */
  structured: boolean
}

export interface ChatModel {
  /** Provider and model, e.g. "openai:gpt-5-mini". Stored with every turn. */
  readonly id: string
  /** Absent: nothing but words. */
  readonly abilities?: Abilities
  /** How many tokens it reads and writes together, null where nobody tells; absent: more than any prompt holds. */
  readonly findWindow?: (signal: AbortSignal) => Promise<number | null>
  /** Streams one reply and ends with one `finish`. Fails by throwing (see `errors.ts`), never by an event. */
  stream(prompt: Prompt, signal: AbortSignal): AsyncIterable<ModelEvent>
}

export interface StructuredRequest {
  system: string
  user: string
  /** A name for the shape, letters and underscores. */
  name: string
  /** JSON Schema of the answer; every object closed, every property required. */
  schema: Record<string, unknown>
}

/** A model that can answer with JSON of a given shape. Absent in offline mode, where rules do the work. */
export interface StructuredModel {
  readonly id: string
  /** The parsed answer, not yet validated: callers check it against their schema. */
  complete(request: StructuredRequest, signal: AbortSignal): Promise<{ value: unknown; usage: Usage }>
}

export interface Embedder {
  /** Provider, model and dimensions, e.g. "openai:text-embedding-3-small:512". Stored with every vector. */
  readonly id: string
  readonly dimensions: number
  /** Whether it knows meaning, or only the words themselves: then it tells little that looking words up does not. */
  readonly semantic: boolean
  /** Set where it works in this process: it is then never away, and may be used inside a transaction. */
  readonly local?: true
  /** Unit vectors in the order of `texts`. Batching is its own business. */
  embed(texts: string[], signal: AbortSignal): Promise<number[][]>
}

/** A model that may be chosen by name. */
export interface ModelInfo extends Abilities {
  id: string
  /** Other names it answers to. */
  aliases: string[]
  /** True for the one that quotes from memory, where no language model is. */
  offline: boolean
  /** Whether it works on this machine or in its network, so that nothing said to it leaves the house. */
  nearby: boolean
}

export interface ProviderState {
  provider: string
  /** `open`: it failed too often of late, and is left alone for a while; `half-open`: one call tries it. */
  circuit: 'closed' | 'open' | 'half-open'
  /** Whether it works on this machine or in its network. */
  nearby: boolean
}

/** What this deployment answers with. */
export interface Llm {
  /** The deployment's own choice. */
  chat: ChatModel
  /** null in offline mode. */
  structured: StructuredModel | null
  embedder: Embedder
  /** The embedder of a stored id, where the same provider serves it; null where it cannot be had. */
  embedderFor(id: string): Embedder | null
  /** True when no model is at hand and replies are quotes from memory. */
  offline: boolean
  /** The chat model of an id or an alias in `models()`; throws `ModelUnknown` for any other. */
  chatModel(name: string): ChatModel
  /**
   * Who answers in place of a model that has left `models()`, by the name it had there: the deployment's own, where nothing
   * that was said goes to somebody else for it; throws `ModelGone` where it would.
   */
  inPlaceOf(name: string): ChatModel
  /** Every model that may be chosen, the deployment's own first. */
  models(): ModelInfo[]
  /** How the providers of these models are. */
  providers(): ProviderState[]
}
