import type { FastifyInstance } from 'fastify'
import openapiTS, { astToString, COMMENT_HEADER, type OpenAPI3 } from 'openapi-typescript'

/** Where the SDK keeps the types of the API. */
export const API_TYPES = new URL('../../clients/sdk/src/schema.gen.ts', import.meta.url)

/** The types of everything the API takes and answers, from its own document. */
export async function typesOf(app: FastifyInstance): Promise<string> {
  await app.ready()
  // A copy: the generator changes what it reads.
  const document = structuredClone(app.swagger()) as unknown as OpenAPI3
  return `${COMMENT_HEADER}${astToString(await openapiTS(document))}`
}
