import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Page } from '../http/schemas.ts'
import type { Llm } from '../llm/model.ts'

const Model = Type.Object({
  /** Provider and model: what a chat may name. */
  id: Type.String(),
  /** Short names it answers to as well. */
  aliases: Type.Array(Type.String()),
  /** True for the one that answers where nobody names another. */
  default: Type.Boolean(),
  /** True where no language model is connected and replies are quotes from memory. */
  offline: Type.Boolean(),
  /** Whether it works on this machine or in its network, so that nothing said to it leaves the house. */
  nearby: Type.Boolean(),
  /** Whether it sees images. */
  images: Type.Boolean(),
  tools: Type.Boolean(),
  /** Whether it can be held to a shape. */
  structured: Type.Boolean(),
  /** False while its provider fails too often to be asked. */
  available: Type.Boolean(),
  /** What makes vectors here, whichever model answers. */
  embedder: Type.Object({ id: Type.String(), dimensions: Type.Integer() })
})

/** Which models may be chosen here, the default one first. */
export const modelRoutes: FastifyPluginAsyncTypebox<{ llm: Llm }> = async (app, { llm }) => {
  const { id, dimensions } = llm.embedder

  app.get(
    '/models',
    {
      schema: { tags: ['models'], summary: 'List the models to choose from', response: { 200: Page(Model) } }
    },
    async () => {
      const resting = new Set(
        llm.providers().flatMap(({ provider, circuit }) => (circuit === 'open' ? [provider] : []))
      )
      const items = llm.models().map((model) => ({
        ...model,
        default: model.id === llm.chat.id,
        available: !resting.has(model.id.split(':', 1)[0] ?? ''),
        embedder: { id, dimensions }
      }))
      return { items, nextCursor: null }
    }
  )
}
