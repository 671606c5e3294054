import type { BatchEmbedder } from './embed-in-batches.ts'
import { ModelFailed, ModelTimeout } from './errors.ts'
import { readOpenAiUsage } from './fold-openai-chunks.ts'
import { mapOpenAiError } from './map-openai-error.ts'
import { createClient, modelId, type OpenAiSettings } from './openai-server.ts'
import { MODEL_TIMEOUTS, withinTime } from './silence.ts'

const BATCH = { texts: 256, characters: 200_000 }

export function createOpenAiEmbedder(settings: OpenAiSettings & { dimensions: number }): BatchEmbedder {
  const client = createClient(settings)
  const { model, dimensions, timeouts = MODEL_TIMEOUTS } = settings
  const id = `${modelId(settings)}:${dimensions}`
  // Others refuse the parameter: their vectors are cut here.
  const canShorten = /(?:^|\/)text-embedding-3/.test(model)

  async function ask(texts: string[], signal: AbortSignal) {
    const { data, usage } = await client.embeddings.create(
      { model, input: texts, encoding_format: 'float', ...(canShorten && { dimensions }) },
      { signal, timeout: timeouts.embeddingMs }
    )
    if (!Array.isArray(data)) throw new ModelFailed(id)
    const vectors = data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => embedding)
    return { vectors, inputTokens: readOpenAiUsage(usage).inputTokens }
  }

  return {
    id,
    model,
    dimensions,
    batch: BATCH,
    async embedBatch(texts, signal) {
      const onTooLong = () => new ModelTimeout(id)
      try {
        return await withinTime(timeouts.embeddingMs, signal, onTooLong, (signal) => ask(texts, signal))
      } catch (error) {
        signal.throwIfAborted()
        throw mapOpenAiError(error, id)
      }
    }
  }
}
