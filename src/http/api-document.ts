import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import fastifyPlugin from 'fastify-plugin'

const PUBLIC = /^\/(?:v1\/auth\/|healthz|readyz|metrics)/

/** The API's document at /openapi.json, from the routes' schemas, and a page to read it at /docs. */
export const apiDocument = fastifyPlugin(async (app) => {
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
    transform: ({ schema, url, ...rest }) => ({
      ...rest,
      url,
      schema: PUBLIC.test(url) ? { ...schema, security: [] } : schema
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
