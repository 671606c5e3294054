import { codeOf, ModelNoImages } from './errors.ts'
import { fitImages } from './fit-images.ts'
import type { Guard } from './guard.ts'
import type { ChatModel, Embedder, ModelEvent, Prompt, StructuredModel } from './model.ts'

export interface Guarded<T> {
  model: T
  guard: Guard
}

/** What another model may mend. Where the model that was asked for refuses a request, it is not gone round. */
const MENDABLE = new Set([
  'PAI_MODEL_PROVIDER_DOWN',
  'PAI_MODEL_UNREACHABLE',
  'PAI_MODEL_TIMEOUT',
  'PAI_MODEL_FAILED',
  'PAI_MODEL_RATE_LIMITED',
  'PAI_MODEL_OUT_OF_QUOTA'
])

/** The first of these models, and the next where one cannot answer: until the first word, never after it. */
export function createChatModel(models: [Guarded<ChatModel>, ...Guarded<ChatModel>[]]): ChatModel {
  const { id, abilities, findWindow } = models[0].model

  async function* stream(prompt: Prompt, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const hasImages = prompt.messages.some((message) => message.role === 'user' && message.images?.length)
    if (hasImages && !abilities?.images) throw new ModelNoImages(id)
    const fitted = new Map([[models[0].model, fitImages(prompt, models[0].model)]])
    const fitting = hasImages ? models.filter(({ model }) => model.abilities?.images) : models
    const { answer, by } = await askInOrder(fitting, signal, async (model) => {
      const events = model
        .stream(fitted.get(model) ?? fitImages(prompt, model), signal)
        [Symbol.asyncIterator]()
      return { events, next: await events.next() }
    })
    const { events } = answer
    let { next } = answer
    try {
      yield { type: 'start', model: by.model.id }
      while (!next.done) {
        yield next.value
        next = await events.next()
      }
    } catch (error) {
      if (!signal.aborted) by.guard.note(error)
      throw error
    } finally {
      await events.return?.()
    }
  }

  return { id, ...(abilities && { abilities }), ...(findWindow && { findWindow }), stream }
}

/** The same for answers of a given shape. */
export function createStructuredModel(
  models: [Guarded<StructuredModel>, ...Guarded<StructuredModel>[]]
): StructuredModel {
  return {
    id: models[0].model.id,
    async complete(request, signal) {
      const { answer } = await askInOrder(models, signal, (model) => model.complete(request, signal))
      return answer
    }
  }
}

/** No other embedder can take its place: its vectors are compared with those it made before. */
export function createEmbedder({ model, guard }: Guarded<Embedder>): Embedder {
  return {
    ...model,
    embed: (texts, signal) => guard.run(model.id, signal, () => model.embed(texts, signal))
  }
}

async function askInOrder<M extends { id: string }, T>(
  models: Guarded<M>[],
  signal: AbortSignal,
  ask: (model: M) => Promise<T>
): Promise<{ answer: T; by: Guarded<M> }> {
  let failure: unknown
  for (const [place, by] of models.entries()) {
    try {
      const hasOthers = place < models.length - 1
      return { answer: await by.guard.run(by.model.id, signal, () => ask(by.model), hasOthers), by }
    } catch (error) {
      signal.throwIfAborted()
      // Of several failures the first one tells most: it is of the model that was asked for.
      failure ??= error
      // What a stand-in refuses, for its key, its window or its budget, says nothing of the next one.
      if (place === 0 && !MENDABLE.has(codeOf(error))) break
    }
  }
  throw failure
}
