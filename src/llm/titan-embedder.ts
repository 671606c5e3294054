import type { Bedrock } from './bedrock.ts'
import type { BatchEmbedder } from './embed-in-batches.ts'
import { EmbeddingTooShort, ModelFailed, ModelTimeout } from './errors.ts'
import { mapBedrockError } from './map-bedrock-error.ts'
import { MODEL_TIMEOUTS, withinTime } from './silence.ts'

/** Titan takes one text a call; so many calls are under way at once. */
const AT_ONCE = 8
const LENGTHS = [256, 512, 1024]

export function isTitan(model: string): boolean {
  return model.includes('amazon.titan-embed-text-v2')
}

/** Titan's text embeddings, version 2, at the shortest length that is long enough. */
export function createTitanEmbedder(bedrock: Bedrock, model: string, dimensions: number): BatchEmbedder {
  const { timeouts = MODEL_TIMEOUTS } = bedrock
  const id = `bedrock:${model}:${dimensions}`
  const length = LENGTHS.find((length) => length >= dimensions)

  async function embedText(text: string, signal: AbortSignal) {
    const { sdk, client } = await bedrock.open()
    const body = JSON.stringify({ inputText: text, dimensions: length, normalize: true })
    const command = new sdk.InvokeModelCommand({ modelId: model, contentType: 'application/json', body })
    const answer = await client.send(command, { abortSignal: signal })
    return readVector(answer.body.transformToString(), id)
  }

  async function embedAll(texts: string[], signal: AbortSignal) {
    // One that fails takes the others along: they are asked for again together.
    const group = new AbortController()
    const all = AbortSignal.any([signal, group.signal])
    try {
      const made = await Promise.all(texts.map((text) => embedText(text, all)))
      const inputTokens = made.reduce((sum, { tokens }) => sum + tokens, 0)
      return { vectors: made.map(({ vector }) => vector), inputTokens }
    } finally {
      group.abort()
    }
  }

  return {
    id,
    model,
    dimensions,
    batch: { texts: AT_ONCE, characters: Number.MAX_SAFE_INTEGER },
    async embedBatch(texts, signal) {
      if (!length) throw new EmbeddingTooShort(model, LENGTHS.at(-1) ?? 0, dimensions)
      const onTooLong = () => new ModelTimeout(id)
      try {
        return await withinTime(timeouts.embeddingMs, signal, onTooLong, (signal) => embedAll(texts, signal))
      } catch (error) {
        signal.throwIfAborted()
        throw mapBedrockError(error, id)
      }
    }
  }
}

function readVector(body: string, model: string): { vector: number[]; tokens: number } {
  const { embedding, inputTextTokenCount } = JSON.parse(body) as Record<string, unknown>
  if (!Array.isArray(embedding)) throw new ModelFailed(model)
  return { vector: embedding, tokens: Number(inputTextTokenCount) || 0 }
}
