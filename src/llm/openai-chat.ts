import { Stream } from 'openai/core/streaming'
import { ModelFailed, ModelTimeout } from './errors.ts'
import { createOpenAiReply, readOpenAiUsage } from './fold-openai-chunks.ts'
import { mapOpenAiError } from './map-openai-error.ts'
import type { ChatModel, ModelEvent, Prompt } from './model.ts'
import { isOpenAi } from './openai-address.ts'
import { toOpenAiMessages, toOpenAiTools } from './openai-messages.ts'
import { createClient, modelId, type OpenAiSettings } from './openai-server.ts'
import { seesImages } from './sees-images.ts'
import { createSilence, MODEL_TIMEOUTS } from './silence.ts'
import { watchForDone } from './watch-for-done.ts'

export function createOpenAiChatModel(settings: OpenAiSettings): ChatModel {
  const { model, timeouts = MODEL_TIMEOUTS, onUsage } = settings
  const client = createClient(settings)
  const id = modelId(settings)

  function toBody(prompt: Prompt) {
    const { maxOutputTokens } = prompt
    // OpenAI's newer models refuse the old name, which is the only one that other servers know.
    const limitName = isOpenAi(settings.baseUrl) ? 'max_completion_tokens' : 'max_tokens'
    return {
      model,
      messages: toOpenAiMessages(prompt),
      ...toOpenAiTools(prompt),
      ...(maxOutputTokens && { [limitName]: maxOutputTokens }),
      stream: true as const,
      stream_options: { include_usage: true }
    }
  }

  async function* stream(prompt: Prompt, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    const reply = createOpenAiReply({ splitsThoughts: !isOpenAi(settings.baseUrl) })
    // Aborted by the caller, by a silence, or by whoever reads this leaving early.
    const request = new AbortController()
    const silence = createSilence(() => request.abort())
    const abort = () => request.abort()
    let isDone = () => false
    signal.addEventListener('abort', abort, { once: true })
    try {
      silence.startTimer(timeouts.firstTokenMs)
      const response = await client.chat.completions
        .create(toBody(prompt), { signal: request.signal })
        .asResponse()
      const watched = watchForDone(response)
      isDone = watched.isDone
      for await (const chunk of Stream.fromSSEResponse<unknown>(watched.response, request, client)) {
        const { events, isProgress } = reply.add(chunk)
        // A chunk that brings nothing is no sign of life: some servers send them for ever.
        if (!isProgress) continue
        silence.stopTimer()
        for (const event of events) {
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
      const usage = reply.usage ?? (reply.finishReason && readOpenAiUsage(undefined))
      if (usage) onUsage?.({ model: id, kind: 'chat', usage })
    }
    yield* reply.end()
  }

  const images = settings.images ?? seesImages(model)
  return { id, abilities: { images, tools: true, structured: true }, stream }
}
