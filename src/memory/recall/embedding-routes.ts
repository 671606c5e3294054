import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Database } from '../../db/client.ts'
import { Nullable } from '../../http/schemas.ts'
import type { Embedders } from './embedders.ts'
import { readProgress } from './vector-models.ts'

const Progress = Type.Object({
  /** The model whose vectors searches use. */
  model: Type.String(),
  /** The one that is being built beside it. */
  nextModel: Nullable(Type.String()),
  /** Memories and messages that have a vector of the model that is built, or else of the one in use; of how many. */
  done: Type.Integer(),
  total: Type.Integer()
})

export interface EmbeddingRoutesOptions {
  database: Database
  embedders: Embedders
}

/** Which model finds what the owner said, and how far the change to another has come. */
export const embeddingRoutes: FastifyPluginAsyncTypebox<EmbeddingRoutesOptions> = async (
  app,
  { database, embedders }
) => {
  app.get(
    '/embeddings',
    {
      schema: {
        tags: ['memory'],
        summary: 'Which embedding model searches use, and how far a change of it has come',
        response: { 200: Progress }
      }
    },
    async (request) => {
      const { id: ownerId } = request.user
      return database.inOwner(ownerId, async (tx) => {
        const { model } = await embedders.readSettings(tx, ownerId, [])
        return readProgress(tx, ownerId, model ?? embedders.current.id)
      })
    }
  )
}
