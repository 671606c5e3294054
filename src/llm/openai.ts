import OpenAI, { APIError } from 'openai'
import { Stream } from 'openai/core/streaming'
import { EmbeddingTooShort, ModelFailed, ModelRefused, ModelTimeout, ModelUnreadable } from './errors.ts'
import { createOpenAiReply, readOpenAiUsage } from './fold-openai-chunks.ts'
import { mapOpenAiError } from './map-openai-error.ts'
import type { ChatModel, Embedder, ModelEvent, Prompt, StructuredModel, StructuredRequest } from './model.ts'
import { emptyTextVector, toUnitVector } from './unit-vector.ts'
import { watchForDone } from './watch-for-done.ts'

const OPENAI_BASE_URL = 'https://api.openai.com/v1'

export interface OpenAiSettings {
  apiKey: string
  /** Any server that speaks the same API. */
  baseUrl?: string
  model: string
  /** Who answers, for the model's id. */
  provider?: string
}

export interface StreamTimeouts {
  firstTokenMs: number
  betweenTokensMs: number
  /** How long the usage may follow the last word: the reply is whole without it. */
  afterFinishMs: number
}

const STREAM_TIMEOUTS: StreamTimeouts = {
  firstTokenMs: 30_000,
  betweenTokensMs: 60_000,
  afterFinishMs: 2_000
}
const STRUCTURED_TIMEOUT_MS = 60_000
const EMBEDDING_TIMEOUT_MS = 30_000
const RETRIES = 2
const MAX_BATCH_TEXTS = 256
const MAX_BATCH_CHARACTERS = 200_000
/** The models take 8,191 tokens, and a token is never less than a byte. */
const MAX_TEXT_BYTES = 8_191

export function createOpenAiChatModel(settings: OpenAiSettings, timeouts = STREAM_TIMEOUTS): ChatModel {
  const client = createClient(settings)
  const id = modelId(settings)

  async function* stream(prompt: Prompt, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    const reply = createOpenAiReply()
    // Aborted by the caller, by a silence, or by whoever reads this leaving early.
    const request = new AbortController()
    const silence = createSilence(() => request.abort())
    const abort = () => request.abort()
    let isDone = () => false
    signal.addEventListener('abort', abort, { once: true })
    try {
      silence.startTimer(timeouts.firstTokenMs)
      const response = await client.chat.completions
        .create(
          {
            model: settings.model,
            messages: toMessages(prompt),
            stream: true,
            stream_options: { include_usage: true }
          },
          { signal: request.signal, maxRetries: 0 }
        )
        .asResponse()
      const watched = watchForDone(response)
      isDone = watched.isDone
      for await (const chunk of Stream.fromSSEResponse<unknown>(watched.response, request, client)) {
        silence.stopTimer()
        for (const event of reply.add(chunk)) {
          yield event
          signal.throwIfAborted()
        }
        silence.startTimer(reply.finishReason ? timeouts.afterFinishMs : timeouts.betweenTokensMs)
      }
      // The SDK ends quietly on an abort, and where the connection ends.
      signal.throwIfAborted()
      if (!reply.finishReason && !isDone()) throw new ModelFailed(id)
    } catch (error) {
      signal.throwIfAborted()
      if (!reply.finishReason) throw silence.wasTooLong() ? new ModelTimeout(id) : mapOpenAiError(error, id)
    } finally {
      silence.stopTimer()
      signal.removeEventListener('abort', abort)
      if (!isDone()) request.abort()
    }
    yield* reply.end()
  }

  return { id, stream }
}

export function createOpenAiStructuredModel(settings: OpenAiSettings): StructuredModel {
  const client = createClient(settings)
  const id = modelId(settings)
  let knowsSchemas = true

  async function ask(request: StructuredRequest, withSchema: boolean, signal: AbortSignal) {
    const completion = await client.chat.completions.create(
      {
        model: settings.model,
        messages: [
          { role: 'system', content: withSchema ? request.system.toWellFormed() : describeSchema(request) },
          { role: 'user', content: request.user.toWellFormed() }
        ],
        response_format: withSchema
          ? { type: 'json_schema', json_schema: { name: request.name, schema: request.schema, strict: true } }
          : { type: 'json_object' }
      },
      { signal, maxRetries: RETRIES, timeout: STRUCTURED_TIMEOUT_MS }
    )
    const choice = completion.choices[0]
    if (choice?.message.refusal || choice?.finish_reason === 'content_filter') throw new ModelRefused(id)
    return { value: parseJson(choice?.message.content ?? '', id), usage: readOpenAiUsage(completion.usage) }
  }

  return {
    id,
    async complete(request, signal) {
      signal.throwIfAborted()
      try {
        if (!knowsSchemas) return await ask(request, false, signal)
        try {
          return await ask(request, true, signal)
        } catch (error) {
          if (!(error instanceof APIError && error.status === 400)) throw error
          const answer = await ask(request, false, signal)
          // Only now is it known that the schema was the fault and not the request.
          knowsSchemas = false
          return answer
        }
      } catch (error) {
        signal.throwIfAborted()
        throw mapOpenAiError(error, id)
      }
    }
  }
}

export function createOpenAiEmbedder(settings: OpenAiSettings & { dimensions: number }): Embedder {
  const client = createClient(settings)
  const { model, dimensions } = settings
  const id = `${modelId(settings)}:${dimensions}`
  const canShorten = /(?:^|\/)text-embedding-3/.test(model)

  async function embedBatch(texts: string[], signal: AbortSignal): Promise<number[][]> {
    const { data } = await client.embeddings.create(
      { model, input: texts, encoding_format: 'float', ...(canShorten && { dimensions }) },
      { signal, maxRetries: RETRIES, timeout: EMBEDDING_TIMEOUT_MS }
    )
    if (data.length !== texts.length) throw new ModelFailed(id)
    return data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => fitVector(embedding))
  }

  function fitVector(vector: number[]): number[] {
    if (vector.length < dimensions) throw new EmbeddingTooShort(model, vector.length, dimensions)
    const fitted = toUnitVector(vector.slice(0, dimensions))
    if (!fitted) throw new ModelFailed(id)
    return fitted
  }

  return {
    id,
    dimensions,
    semantic: true,
    async embed(texts, signal) {
      signal.throwIfAborted()
      // A text without words is refused by some servers, and one such text would fail its whole batch.
      const vectors = texts.map((text) => (text.trim() ? null : emptyTextVector(dimensions)))
      const waiting = texts.flatMap((text, index) => (vectors[index] ? [] : { index, text: clipText(text) }))
      try {
        for (const batch of splitIntoBatches(waiting)) {
          const made = await embedBatch(
            batch.map(({ text }) => text),
            signal
          )
          for (const [place, { index }] of batch.entries()) vectors[index] = made[place] ?? null
        }
      } catch (error) {
        signal.throwIfAborted()
        throw mapOpenAiError(error, id)
      }
      return vectors.filter((vector) => vector !== null)
    }
  }
}

/** Everything the SDK would read from the environment is given here: its log level could print prompts. */
function createClient({ apiKey, baseUrl }: OpenAiSettings): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL: baseUrl ?? OPENAI_BASE_URL,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: 'off'
  })
}

function modelId({ provider = 'openai', model }: OpenAiSettings): string {
  return `${provider}:${model}`
}

function toMessages(prompt: Prompt) {
  const messages = prompt.messages.map(({ role, content }) => ({ role, content: content.toWellFormed() }))
  return prompt.system
    ? [{ role: 'system' as const, content: prompt.system.toWellFormed() }, ...messages]
    : messages
}

/** Calls back when nothing arrives for too long, and remembers that it did. */
function createSilence(onTooLong: () => void) {
  let timer: NodeJS.Timeout | undefined
  let tooLong = false
  return {
    startTimer(limitMs: number) {
      clearTimeout(timer)
      timer = setTimeout(() => {
        tooLong = true
        onTooLong()
      }, limitMs)
    },
    stopTimer: () => clearTimeout(timer),
    wasTooLong: () => tooLong
  }
}

function describeSchema({ system, schema }: StructuredRequest): string {
  const order = 'Answer with one JSON object and nothing else. It follows this JSON Schema:'
  return `${system.toWellFormed()}\n\n${order}\n${JSON.stringify(schema)}`
}

/** Servers that do not hold the model to JSON often let it put a fence around. */
function parseJson(content: string, model: string): unknown {
  try {
    return JSON.parse(content.replace(/^\s*```(?:json)?/, '').replace(/```\s*$/, ''))
  } catch {
    // Without its cause, which quotes the answer.
    throw new ModelUnreadable(model)
  }
}

function clipText(text: string): string {
  const wellFormed = text.toWellFormed()
  if (Buffer.byteLength(wellFormed) <= MAX_TEXT_BYTES) return wellFormed
  // As a stream, the decoder keeps a character that was cut in two to itself.
  return new TextDecoder().decode(Buffer.from(wellFormed).subarray(0, MAX_TEXT_BYTES), { stream: true })
}

function splitIntoBatches(items: Array<{ index: number; text: string }>) {
  const batches: Array<typeof items> = []
  let characters = 0
  for (const item of items) {
    const batch = batches.at(-1)
    characters += item.text.length
    if (batch && batch.length < MAX_BATCH_TEXTS && characters <= MAX_BATCH_CHARACTERS) batch.push(item)
    else {
      batches.push([item])
      characters = item.text.length
    }
  }
  return batches
}
