import type { Bedrock } from './bedrock.ts'
import type { BatchEmbedder } from './embed-in-batches.ts'
import { EmbeddingTooShort, ModelFailed, ModelTimeout } from './errors.ts'
import { mapBedrockError } from './map-bedrock-error.ts'
import { MODEL_TIMEOUTS, withinTime } from './silence.ts'

/** Titan takes one text a call; so many calls are under way at once. */
const AT_ONCE = 8
const LENGTHS = [256, 512, 1024]

interface Made {
  vector: number[]
  tokens: number
}

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

  /** Those that are made are kept, and paid for: one that fails is asked for again by itself. */
  async function embedAll(texts: string[], made: Map<number, Made>, signal: AbortSignal): Promise<void> {
    const calls = texts.map(async (text, place) => void made.set(place, await embedText(text, signal)))
    const failed = (await Promise.allSettled(calls)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  return {
    id,
    model,
    dimensions,
    batch: { texts: AT_ONCE, characters: Number.MAX_SAFE_INTEGER },
    async embedBatch(texts, signal) {
      if (!length) throw new EmbeddingTooShort(model, LENGTHS.at(-1) ?? 0, dimensions)
      const onTooLong = () => new ModelTimeout(id)
      const made = new Map<number, Made>()
      let failure: unknown
      try {
        await withinTime(timeouts.embeddingMs, signal, onTooLong, (signal) => embedAll(texts, made, signal))
      } catch (error) {
        failure = signal.aborted ? signal.reason : mapBedrockError(error, id)
      }
      return {
        vectors: texts.map((_, place) => made.get(place)?.vector ?? null),
        inputTokens: [...made.values()].reduce((sum, { tokens }) => sum + tokens, 0),
        ...(failure !== undefined && { failure })
      }
    }
  }
}

function readVector(body: string, model: string): Made {
  const { embedding, inputTextTokenCount } = JSON.parse(body) as Record<string, unknown>
  if (!Array.isArray(embedding)) throw new ModelFailed(model)
  return { vector: embedding, tokens: Number(inputTextTokenCount) || 0 }
}
