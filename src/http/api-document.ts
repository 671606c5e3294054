import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifySchema } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { Problem } from './schemas.ts'

const PUBLIC = /^\/(?:v1\/auth\/|healthz|readyz)/

/** The API's document at /openapi.json, from the routes' schemas, and a page to read it at /docs. */
export const apiDocument = fastifyPlugin(async (app) => {
  app.addSchema(Problem)
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'PAI',
        version: '1.0.0',
        description:
          'A personal AI assistant that remembers. Errors are RFC 9457 problems with a stable `code`. Lists are newest first and page by `cursor` and `limit`.',
        license: { name: 'MIT', identifier: 'MIT' }
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An access token, or an API key `pai_…`' }
        }
      },
      security: [{ bearer: [] }]
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) },
    transform: ({ schema, url, ...rest }) => ({
      ...rest,
      url,
      schema: { ...schema, ...securityOf(url), response: { ...answerOf(schema), ...REFUSAL } }
    })
  })
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { docExpansion: 'list', deepLinking: true },
    theme: { title: 'PAI API' }
  })
  app.get('/openapi.json', { config: { rateLimit: false }, schema: { hide: true } }, async () =>
    app.swagger()
  )
})

/** Any call may be refused, and always in the same shape. */
const REFUSAL = {
  default: {
    description: 'A problem',
    content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } }
  }
}

function securityOf(url: string): Pick<FastifySchema, 'security'> {
  if (PUBLIC.test(url)) return { security: [] }
  // On loopback nobody needs to sign in for it.
  return url === '/metrics' ? { security: [{}, { bearer: [] }] } : {}
}

/** What a call answers; of one that sends text of its own, only the type is known. */
function answerOf({ response, produces = [] }: FastifySchema = {}): object {
  if (response) return response
  const content = Object.fromEntries(produces.map((type) => [type, { schema: { type: 'string' } }]))
  return { 200: { description: 'Text', content } }
}
