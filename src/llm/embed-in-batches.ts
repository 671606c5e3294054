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
  embedBatch(texts: string[], signal: AbortSignal): Promise<EmbeddedBatch>
}

export interface EmbeddedBatch {
  /** null where one failed, of a provider that makes them one by one. */
  vectors: (number[] | null)[]
  /** What those that were made took. */
  inputTokens: number
  /** Why the others failed. */
  failure?: unknown
}

interface Waiting {
  index: number
  text: string
}

/** An embedder for any number of any texts. What fails is tried again by the batch: the others are paid for already. */
export function createEmbedder(provider: BatchEmbedder, guard: Guard, onUsage?: OnUsage): Embedder {
  const { id, model, dimensions } = provider

  const note = (usage: Usage) => onUsage?.({ model: id, kind: 'embedding', usage })
  const estimate = (texts: string[]) => estimateUsage(textsTokens(texts), 0)

  async function embedBatch(batch: Waiting[], signal: AbortSignal): Promise<number[][]> {
    const made = new Map<Waiting, number[]>()
    let isTooMany = false
    await guard.run(id, signal, async () => {
      const missing = batch.filter((one) => !made.has(one))
      const answer = await ask(missing, signal)
      for (const [place, vector] of answer.vectors.entries()) {
        const one = missing[place]
        if (one && vector) made.set(one, vector)
      }
      isTooMany = answer.vectors.length > missing.length
      if (answer.failure) throw answer.failure
    })
    if (isTooMany) throw new ModelFailed(id)
    return batch.map((one) => fitVector(made.get(one)))
  }

  /** Notes what was taken: those that were made are paid for, whatever became of the others. */
  async function ask(batch: Waiting[], signal: AbortSignal): Promise<EmbeddedBatch> {
    const texts = batch.map(({ text }) => text)
    const answer = await provider
      .embedBatch(texts, signal)
      .catch((failure): EmbeddedBatch => ({ vectors: [], inputTokens: 0, failure }))
    const { vectors, inputTokens, failure } = answer
    const isMade = (_text: string, place: number) => Boolean(vectors[place])
    const made = failure ? texts.filter(isMade) : texts
    if (made.length > 0)
      note(usageOr({ inputTokens, outputTokens: 0, cachedTokens: 0 }, () => estimate(made)))
    const left = texts.filter((text, place) => !isMade(text, place))
    if (failure && left.length > 0 && wasLeft(failure, signal)) note(estimate(left))
    return answer
  }

  function fitVector(vector: number[] | undefined): number[] {
    if (!vector) throw new ModelFailed(id)
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
