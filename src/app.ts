import { randomUUID } from 'node:crypto'
import fastifyRateLimit from '@fastify/rate-limit'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { accountRoutes } from './auth/account-routes.ts'
import { requireScope } from './auth/authenticate.ts'
import { authRoutes } from './auth/routes.ts'
import { conversationRoutes } from './chat/conversation-routes.ts'
import { importRoutes } from './chat/import-routes.ts'
import { chatRoutes } from './chat/routes.ts'
import { apiDocument } from './http/api-document.ts'
import { errorHandler } from './http/error-handler.ts'
import { healthRoutes } from './http/health.ts'
import { metricsRoutes } from './http/metrics.ts'
import { rateLimitOptions } from './http/rate-limit.ts'
import { refuseUnstorableText } from './http/text.ts'
import { createValidatorCompiler } from './http/validation.ts'
import { webApp } from './http/web-app.ts'
import { memoryReadRoutes, memoryWriteRoutes } from './memory/routes.ts'
import { modelRoutes } from './models/routes.ts'
import type { Services } from './services.ts'

export interface AppOptions {
  logger?: FastifyBaseLogger
  /** Requests a minute; null: unlimited. */
  rateLimit: number | null
  /** Whether /metrics answers a caller on this machine without credentials. */
  loopback: boolean
}

/** A megabyte holds the longest message many times over. */
const BODY_LIMIT = 1_048_576

/** The HTTP surface: the table of contents of the API. */
export function buildApp(services: Services, { logger, rateLimit, loopback }: AppOptions): FastifyInstance {
  const { accounts, chat, database, queue, recall, llm } = services
  const app = Fastify({
    ...(logger ? { loggerInstance: logger } : {}),
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    // What the router itself refuses, such as an address it cannot decode.
    frameworkErrors: errorHandler,
    genReqId: () => randomUUID(),
    logController: new LogController({ disableRequestLogging: true }),
    // HEAD routes would double every entry of the API's document.
    exposeHeadRoutes: false
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.setValidatorCompiler(createValidatorCompiler())
  app.setErrorHandler(errorHandler)
  // Every body is JSON: a form or plain text from another site is refused by its type alone.
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
  })
  app.addHook('preValidation', async ({ body, query, params }) => {
    refuseUnstorableText(body, 'body')
    refuseUnstorableText(query, 'query')
    refuseUnstorableText(params, 'params')
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    request.log.info(
      { method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'answered'
    )
  })

  if (rateLimit !== null) app.register(fastifyRateLimit, rateLimitOptions(rateLimit))
  app.register(apiDocument)
  app.register(healthRoutes, { checkReady: services.checkReady })
  app.register(metricsRoutes, {
    loopback,
    authenticate: accounts.authenticate,
    activeTurns: () => services.runner.active
  })
  app.register(webApp)

  app.register(authRoutes, { prefix: '/v1', ...accounts, rateLimit: rateLimit !== null })

  // Whatever is registered in here cannot be reached without a user, routes not written yet included.
  app.register(
    async function signedInRoutes(signedIn) {
      signedIn.decorateRequest('user')
      signedIn.addHook('onRequest', async (request) => {
        request.user = await accounts.authenticate(request.headers.authorization)
      })
      signedIn.register(accountRoutes, {
        ...accounts,
        model: llm.chat.id,
        offline: llm.offline,
        rateLimit: rateLimit !== null
      })
      signedIn.register(modelRoutes, { llm })
      signedIn.register(async function chatting(scope) {
        scope.addHook('onRequest', requireScope('chat'))
        scope.register(chatRoutes, chat)
        scope.register(conversationRoutes, { database })
        scope.register(importRoutes, { database, importConversation: chat.importConversation })
      })
      signedIn.register(async function readingMemory(scope) {
        scope.addHook('onRequest', requireScope('memory:read'))
        scope.register(memoryReadRoutes, { database, queue, recall })
      })
      signedIn.register(async function writingMemory(scope) {
        scope.addHook('onRequest', requireScope('memory:write'))
        scope.register(memoryWriteRoutes, { database, queue, recall })
      })
    },
    { prefix: '/v1' }
  )
  return app
}
