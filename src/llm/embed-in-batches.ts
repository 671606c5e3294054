import { EmbeddingTooShort, ModelFailed } from './errors.ts'
import { estimateUsage, textsTokens, usageOr, wasLeft } from './estimate-usage.ts'
import type { Guard } from './guard.ts'
import type { Embedder, Usage } from './model.ts'
import { emptyTextVector, toUnitVector } from './unit-vector.ts'
import type { OnUsage } from './usage-meter.ts'

/** The models take 8,191 tokens, and a token is never less than a byte. */
const MAX_TEXT_BYTES = 8_191

/** What a provider has to do of an embedder: some texts at a time, each with words and not too long. */
export interface BatchEmbedder {
  readonly id: string
  readonly model: string
  readonly dimensions: number
  /** What one call takes. */
  readonly batch: { texts: number; characters: number }
  /** Vectors in the order of `texts`, at least `dimensions` long. */
  embedBatch(texts: string[], signal: AbortSignal): Promise<{ vectors: number[][]; inputTokens: number }>
}

interface Waiting {
  index: number
  text: string
}

/** An embedder for any number of any texts. What fails is tried again by the batch: the others are paid for already. */
export function createEmbedder(provider: BatchEmbedder, guard: Guard, onUsage?: OnUsage): Embedder {
  const { id, model, dimensions } = provider

  async function embedBatch(batch: Waiting[], signal: AbortSignal): Promise<number[][]> {
    const texts = batch.map(({ text }) => text)
    const note = (usage: Usage) => onUsage?.({ model: id, kind: 'embedding', usage })
    const estimate = () => estimateUsage(textsTokens(texts), 0)
    const { vectors, inputTokens } = await guard.run(id, signal, () =>
      provider.embedBatch(texts, signal).catch((error) => {
        if (wasLeft(error, signal)) note(estimate())
        throw error
      })
    )
    note(usageOr({ inputTokens, outputTokens: 0, cachedTokens: 0 }, estimate))
    if (vectors.length !== texts.length) throw new ModelFailed(id)
    return vectors.map(fitVector)
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
      for (const batch of splitIntoBatches(waiting, provider.batch)) {
        const made = await embedBatch(batch, signal)
        for (const [place, { index }] of batch.entries()) vectors[index] = made[place] ?? null
      }
      return vectors.filter((vector) => vector !== null)
    }
  }
}

function clipText(text: string): string {
  const wellFormed = text.toWellFormed()
  if (Buffer.byteLength(wellFormed) <= MAX_TEXT_BYTES) return wellFormed
  // As a stream, the decoder keeps a character that was cut in two to itself.
  return new TextDecoder().decode(Buffer.from(wellFormed).subarray(0, MAX_TEXT_BYTES), { stream: true })
}

function splitIntoBatches(items: Waiting[], most: BatchEmbedder['batch']): Waiting[][] {
  const batches: Waiting[][] = []
  let characters = 0
  for (const item of items) {
    const batch = batches.at(-1)
    characters += item.text.length
    if (batch && batch.length < most.texts && characters <= most.characters) batch.push(item)
    else {
      batches.push([item])
      characters = item.text.length
    }
  }
  return batches
}
