import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { abortedWhenGone } from '../http/abort.ts'
import { textsTokens } from '../llm/estimate-usage.ts'
import type { Embedder } from '../llm/model.ts'
import { OpenAiModelNotFound, ParameterUnsupported } from './errors.ts'
import { PAI } from './models.ts'
import { EmbeddingsBody } from './schemas.ts'

export interface OpenAiEmbeddingsOptions {
  embedder: Pick<Embedder, 'id' | 'dimensions'>
  /** Embeds for an owner, who pays for it. */
  embed: (ownerId: string, texts: string[], signal: AbortSignal) => Promise<number[][]>
}

/** OpenAI's embeddings, by the embedder that PAI searches with. */
export const openAiEmbeddingRoutes: FastifyPluginAsyncTypebox<OpenAiEmbeddingsOptions> = async (
  app,
  { embedder, embed }
) => {
  app.post('/embeddings', { schema: { hide: true, body: EmbeddingsBody } }, async ({ body, user }, reply) => {
    const { model, input, encoding_format: format = 'float', dimensions = embedder.dimensions } = body
    if (model !== PAI && model !== embedder.id) throw new OpenAiModelNotFound(model)
    if (dimensions !== embedder.dimensions) {
      const reason = `This model gives vectors of ${embedder.dimensions} dimensions`
      throw Object.assign(new ParameterUnsupported(reason, 'dimensions'), { param: 'dimensions' })
    }
    const texts = [input].flat()
    const vectors = await embed(user.id, texts, abortedWhenGone(reply))
    const tokens = textsTokens(texts)
    return {
      object: 'list',
      model,
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: format === 'base64' ? toBase64(vector) : vector
      })),
      usage: { prompt_tokens: tokens, total_tokens: tokens }
    }
  })
}

/** Little-endian 32-bit floats, as OpenAI's clients read them. */
function toBase64(vector: number[]): string {
  const buffer = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) buffer.writeFloatLE(value, index * 4)
  return buffer.toString('base64')
}
