import type { Bedrock } from './bedrock.ts'
import { toConverseMessages, toConverseTools } from './bedrock-messages.ts'
import { ModelFailed, ModelTimeout } from './errors.ts'
import { createConverseReply, readConverseUsage } from './fold-converse-events.ts'
import { mapBedrockError } from './map-bedrock-error.ts'
import type { ChatModel, ModelEvent, Prompt } from './model.ts'
import { seesImages } from './sees-images.ts'
import { createSilence, MODEL_TIMEOUTS } from './silence.ts'

export function createBedrockChatModel(bedrock: Bedrock, model: string): ChatModel {
  const { timeouts = MODEL_TIMEOUTS, onUsage } = bedrock
  const id = `bedrock:${model}`

  async function* stream(prompt: Prompt, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    const reply = createConverseReply()
    // Aborted by the caller, by a silence, or by whoever reads this leaving early.
    const request = new AbortController()
    const silence = createSilence(() => request.abort())
    const abort = () => request.abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      silence.startTimer(timeouts.firstTokenMs)
      const { sdk, client } = await bedrock.open()
      const command = new sdk.ConverseStreamCommand({
        modelId: model,
        ...toConverseMessages(prompt),
        ...toConverseTools(prompt),
        ...(prompt.maxOutputTokens && { inferenceConfig: { maxTokens: prompt.maxOutputTokens } })
      })
      const answer = await client.send(command, { abortSignal: request.signal })
      for await (const event of answer.stream ?? []) {
        const { events, isProgress } = reply.add(event)
        if (!isProgress) continue
        silence.stopTimer()
        for (const event of events) {
          yield event
          signal.throwIfAborted()
        }
        silence.startTimer(reply.finishReason ? timeouts.afterFinishMs : timeouts.betweenTokensMs)
      }
      signal.throwIfAborted()
      if (!reply.finishReason) throw new ModelFailed(id)
    } catch (error) {
      signal.throwIfAborted()
      if (!reply.finishReason) throw silence.wasTooLong() ? new ModelTimeout(id) : mapBedrockError(error, id)
    } finally {
      silence.stopTimer()
      signal.removeEventListener('abort', abort)
      if (!reply.usage) request.abort()
      const usage = reply.usage ?? (reply.finishReason && readConverseUsage(undefined))
      if (usage) onUsage?.({ model: id, kind: 'chat', usage })
    }
    yield* reply.end()
  }

  return { id, abilities: { images: seesImages(model), tools: true, structured: true }, stream }
}
