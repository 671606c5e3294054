import type { Bedrock } from './bedrock.ts'
import { toConverseMessages, toConverseTools } from './bedrock-messages.ts'
import { ModelFailed } from './errors.ts'
import { promptTokens } from './estimate-usage.ts'
import { createConverseReply } from './fold-converse-events.ts'
import { mapBedrockError } from './map-bedrock-error.ts'
import type { ChatModel, ImageLimit, ModelEvent, Prompt } from './model.ts'
import { seesImages } from './sees-images.ts'
import { streamReply } from './stream-reply.ts'

/** Of the Converse API, whatever the model. */
const IMAGES: ImageLimit = { count: 20, bytes: 3.75 * 1_048_576 }

export function createBedrockChatModel(bedrock: Bedrock, model: string): ChatModel {
  const id = `bedrock:${model}`
  let caches = takesCachePoints(model)

  async function ask(prompt: Prompt, request: AbortController, withCache: boolean) {
    const { sdk, client } = await bedrock.open()
    const command = new sdk.ConverseStreamCommand({
      modelId: model,
      ...toConverseMessages(prompt, withCache),
      ...toConverseTools(prompt),
      ...(prompt.maxOutputTokens && { inferenceConfig: { maxTokens: prompt.maxOutputTokens } })
    })
    const { stream } = await client.send(command, { abortSignal: request.signal })
    if (!stream) throw new ModelFailed(id)
    return stream
  }

  async function open(prompt: Prompt, request: AbortController) {
    try {
      return await ask(prompt, request, caches)
    } catch (error) {
      // Not in every region, nor through every profile, does a model that caches take what it takes elsewhere.
      if (!caches || !refusesCachePoints(error)) throw error
      caches = false
      return ask(prompt, request, false)
    }
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

  const images = seesImages(model)
  const abilities = { images, ...(images && { imageLimit: IMAGES }), tools: true, structured: true }
  return { id, abilities, stream }
}

/** Models that keep what they are told to; others refuse a prompt that says so. */
const CACHING =
  /anthropic\.claude-(?:3-5-haiku|3-5-sonnet-20241022|3-7|(?:opus|sonnet|haiku|fable)-|[4-9])|amazon\.nova-(?:micro|lite|pro|premier|2-lite)/

function takesCachePoints(model: string): boolean {
  return CACHING.test(model)
}

function refusesCachePoints(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const isRefusal = error.name === 'ValidationException' || error.name === 'AccessDeniedException'
  return isRefusal && /cach(?:e|ing)/i.test(error.message)
}

async function* singly<T>(chunks: AsyncIterable<T>): AsyncGenerator<T[]> {
  for await (const chunk of chunks) yield [chunk]
}
