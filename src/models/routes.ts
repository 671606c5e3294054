import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Page } from '../http/schemas.ts'
import type { Llm } from '../llm/model.ts'

const Model = Type.Object({
  id: Type.String(),
  /** True where no language model is connected and replies are quotes from memory. */
  offline: Type.Boolean(),
  embedder: Type.Object({ id: Type.String(), dimensions: Type.Integer() })
})

/** Which models answer here. */
export const modelRoutes: FastifyPluginAsyncTypebox<{ llm: Llm }> = async (app, { llm }) => {
  const { id, dimensions } = llm.embedder
  const page = {
    items: [{ id: llm.chat.id, offline: llm.offline, embedder: { id, dimensions } }],
    nextCursor: null
  }

  app.get(
    '/models',
    { schema: { tags: ['models'], summary: 'List the models that answer', response: { 200: Page(Model) } } },
    async () => page
  )
}
