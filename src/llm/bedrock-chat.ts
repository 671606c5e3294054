import type { Bedrock } from './bedrock.ts'
import { toConverseMessages, toConverseTools } from './bedrock-messages.ts'
import { ModelFailed } from './errors.ts'
import { promptTokens } from './estimate-usage.ts'
import { createConverseReply } from './fold-converse-events.ts'
import { mapBedrockError } from './map-bedrock-error.ts'
import type { ChatModel, ModelEvent, Prompt } from './model.ts'
import { seesImages } from './sees-images.ts'
import { streamReply } from './stream-reply.ts'

export function createBedrockChatModel(bedrock: Bedrock, model: string): ChatModel {
  const id = `bedrock:${model}`

  async function open(prompt: Prompt, request: AbortController) {
    const { sdk, client } = await bedrock.open()
    const command = new sdk.ConverseStreamCommand({
      modelId: model,
      ...toConverseMessages(prompt),
      ...toConverseTools(prompt),
      ...(prompt.maxOutputTokens && { inferenceConfig: { maxTokens: prompt.maxOutputTokens } })
    })
    const { stream } = await client.send(command, { abortSignal: request.signal })
    if (!stream) throw new ModelFailed(id)
    return stream
  }

  function stream(prompt: Prompt, signal: AbortSignal): AsyncIterable<ModelEvent> {
    const reply = createConverseReply()
    return streamReply(
      {
        id,
        reply,
        inputTokens: () => promptTokens(prompt),
        // What it took comes last.
        open: async (request) => ({
          pieces: singly(await open(prompt, request)),
          isOver: () => reply.usage !== null
        }),
        mapError: mapBedrockError,
        timeouts: bedrock.timeouts,
        onUsage: bedrock.onUsage
      },
      signal
    )
  }

  return { id, abilities: { images: seesImages(model), tools: true, structured: true }, stream }
}

async function* singly<T>(chunks: AsyncIterable<T>): AsyncGenerator<T[]> {
  for await (const chunk of chunks) yield [chunk]
}
