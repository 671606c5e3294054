import { APIError } from 'openai'
import { alternateTurns, foldSystem, refusesSystem } from './alternate-turns.ts'
import { createFindWindow } from './context-window.ts'
import { promptTokens } from './estimate-usage.ts'
import { bodyOf, fetchStream } from './fetch-stream.ts'
import { createOpenAiReply } from './fold-openai-chunks.ts'
import { mapOpenAiError } from './map-openai-error.ts'
import type { ChatModel, ModelEvent, Prompt } from './model.ts'
import { isOpenAi } from './openai-address.ts'
import { toOpenAiMessages, toOpenAiTools } from './openai-messages.ts'
import { createClient, modelId, type OpenAiSettings } from './openai-server.ts'
import { putNotes } from './put-notes.ts'
import { readEventStream, type StreamedEvent } from './read-event-stream.ts'
import { seesImages } from './sees-images.ts'
import { streamReply } from './stream-reply.ts'

export function createOpenAiChatModel(settings: OpenAiSettings): ChatModel {
  const { model } = settings
  const client = createClient(settings, fetchStream)
  const id = modelId(settings)

  let takesSystem = true

  function toBody(prompt: Prompt) {
    const { maxOutputTokens } = prompt
    // OpenAI's newer models refuse the old name, which is the only one that other servers know.
    const limitName = isOpenAi(settings.baseUrl) ? 'max_completion_tokens' : 'max_tokens'
    const noted = putNotes(prompt)
    const messages = isOpenAi(settings.baseUrl) ? noted : alternateTurns(noted)
    const { system } = prompt
    return {
      model,
      messages: toOpenAiMessages(takesSystem ? { system, messages } : foldSystem({ system, messages })),
      ...toOpenAiTools(prompt),
      ...(maxOutputTokens && { [limitName]: maxOutputTokens }),
      stream: true as const,
      stream_options: { include_usage: true }
    }
  }

  async function ask(prompt: Prompt, request: AbortController): Promise<Response> {
    const call = () => client.chat.completions.create(toBody(prompt), { signal: request.signal }).asResponse()
    try {
      return await call()
    } catch (error) {
      if (!takesSystem || !refusesSystem(error)) throw error
      takesSystem = false
      return call()
    }
  }

  async function open(prompt: Prompt, request: AbortController) {
    const { pieces, isDone } = readEventStream(bodyOf(await ask(prompt, request)), readChunk)
    return { pieces, isOver: isDone }
  }

  function stream(prompt: Prompt, signal: AbortSignal): AsyncIterable<ModelEvent> {
    const reply = createOpenAiReply({ splitsThoughts: !isOpenAi(settings.baseUrl) })
    return streamReply(
      {
        id,
        reply,
        inputTokens: () => promptTokens(prompt),
        open: (request) => open(prompt, request),
        mapError: mapOpenAiError,
        timeouts: settings.timeouts,
        onUsage: settings.onUsage
      },
      signal
    )
  }

  const images = settings.images ?? seesImages(model)
  const findWindow = createFindWindow(settings)
  return {
    id,
    abilities: { images, tools: true, structured: true },
    ...(findWindow && { findWindow }),
    stream
  }
}

/** The SDK's own reader costs a good part of what a token costs, and does not tell whether the stream was done. */
function readChunk({ name, data }: StreamedEvent): unknown {
  const chunk: unknown = JSON.parse(data)
  const error = (chunk as { error?: object } | null)?.error
  if (error || name === 'error')
    throw new APIError(undefined, error ?? (chunk as object), undefined, undefined)
  return chunk
}
