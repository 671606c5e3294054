import { randomUUID } from 'node:crypto'
import fastifyRateLimit from '@fastify/rate-limit'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { accountRoutes } from './auth/account-routes.ts'
import { requireScope } from './auth/authenticate.ts'
import { limitRefusals } from './auth/limit-refusals.ts'
import { authRoutes } from './auth/routes.ts'
import { attachmentRoutes } from './chat/attachment-routes.ts'
import { conversationRoutes } from './chat/conversation-routes.ts'
import { importRoutes } from './chat/import-routes.ts'
import { chatRoutes } from './chat/routes.ts'
import { socketRoutes } from './chat/socket-routes.ts'
import { consolidationReadRoutes, consolidationWriteRoutes } from './consolidation/routes.ts'
import { apiDocument } from './http/api-document.ts'
import { errorHandler } from './http/error-handler.ts'
import { healthRoutes } from './http/health.ts'
import { refuseOtherHosts } from './http/hosts.ts'
import { metricsRoutes } from './http/metrics.ts'
import { rateLimitOptions } from './http/rate-limit.ts'
import { refuseUnstorableText } from './http/text.ts'
import { traceRequests } from './http/trace-requests.ts'
import { createValidatorCompiler } from './http/validation.ts'
import { webApp } from './http/web-app.ts'
import { webSockets } from './http/web-sockets.ts'
import { embeddingRoutes } from './memory/recall/embedding-routes.ts'
import { reviewReadRoutes, reviewWriteRoutes } from './memory/review/review-routes.ts'
import { rightsReadRoutes, rightsWriteRoutes } from './memory/rights-routes.ts'
import { memoryReadRoutes, memoryWriteRoutes } from './memory/routes.ts'
import { modelRoutes } from './models/routes.ts'
import { openAiRoutes } from './openai/routes.ts'
import type { Services } from './services.ts'
import { conversationExportRoutes, exportRoutes, importFileRoutes } from './transfer/routes.ts'
import { usageRoutes } from './usage/routes.ts'

export interface AppOptions {
  logger?: FastifyBaseLogger
  /** Requests a minute; null: unlimited. */
  rateLimit: number | null
  /** Whether only this machine can reach the service: /metrics then answers without credentials. */
  loopback: boolean
  /** Addresses and networks of the proxies in front, whose word for the caller's address and protocol is taken. */
  trustedProxies?: string[] | undefined
  /** Whether a request may say which trace it belongs to. */
  trustsTraces?: boolean
}

/** A megabyte holds the longest message many times over. */
const BODY_LIMIT = 1_048_576
/** Time for the whole of a request to arrive, the largest import included; an answer may take as long as it likes. */
const REQUEST_TIMEOUT_MS = 120_000
/** Longer than a load balancer keeps an idle connection, which else sends a request on one that is just being closed here. */
const KEEP_ALIVE_MS = 305_000

/** The HTTP surface: the table of contents of the API. */
export function buildApp(
  services: Services,
  { logger, rateLimit, loopback, trustedProxies, trustsTraces = false }: AppOptions
): FastifyInstance {
  const { accounts, chat, database, queue, recall, llm } = services
  const { purge, hiding, isUnread, now } = services
  const rights = { database, queue, purge, hiding, isUnread, now }
  const app = Fastify({
    ...(logger ? { loggerInstance: logger } : {}),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...(trustedProxies ? { trustProxy: trustedProxies } : {}),
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
  traceRequests(app, trustsTraces)
  // Every body is JSON: a form or plain text from another site is refused by its type alone.
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    reply.header('referrer-policy', 'no-referrer')
    done()
  })
  if (loopback) app.addHook('onRequest', refuseOtherHosts)
  app.addHook('preValidation', ({ body, query, params }, _reply, done) => {
    refuseUnstorableText(body, 'body')
    refuseUnstorableText(query, 'query')
    refuseUnstorableText(params, 'params')
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request
    request.log.info(
      { method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'answered'
    )
    done()
  })

  if (rateLimit !== null)
    app.register(fastifyRateLimit, rateLimitOptions(rateLimit, services.requestCounts?.Store ?? null))
  const { authenticate, countRefusal } = limitRefusals(app, accounts.authenticate, rateLimit)
  app.register(webSockets)
  app.register(apiDocument)
  app.register(healthRoutes, { checkReady: services.checkReady, isStopping: services.isStopping })
  app.register(metricsRoutes, {
    loopback,
    authenticate,
    activeTurns: () => services.runner.active,
    queueAge: services.queueAge,
    others: services.usage.meters.register
  })
  app.register(webApp)

  app.register(authRoutes, { prefix: '/v1', ...accounts, rateLimit: rateLimit !== null })

  app.register(socketRoutes, {
    prefix: '/v1',
    ...chat,
    authenticate: accounts.authenticate,
    onSignedOut: accounts.onSignedOut,
    requireScope: requireScope('chat'),
    rateLimit
  })

  app.register(openAiRoutes, {
    prefix: '/openai/v1',
    ...chat,
    models: { list: llm.models },
    embeddings: { embedder: llm.embedder, embed: services.embedFor },
    authenticate,
    countRefusal,
    onSignedOut: accounts.onSignedOut,
    requireScope: requireScope('chat')
  })

  // Whatever is registered in here cannot be reached without a user, routes not written yet included.
  app.register(
    async function signedInRoutes(signedIn) {
      signedIn.decorateRequest('user')
      signedIn.addHook('onRequest', async (request, reply) => {
        request.user = await authenticate(request, reply)
      })
      signedIn.addHook('onError', async (request, _reply, { statusCode }) => {
        if (statusCode === 403) await countRefusal(request)
      })
      signedIn.register(accountRoutes, {
        ...accounts,
        model: llm.chat.id,
        offline: llm.offline,
        rateLimit: rateLimit !== null
      })
      signedIn.register(modelRoutes, { llm })
      signedIn.register(async function spending(scope) {
        scope.addHook('onRequest', requireScope('account'))
        scope.register(usageRoutes, { readUsage: services.usage.readUsage })
      })
      signedIn.register(async function chatting(scope) {
        scope.addHook('onRequest', requireScope('chat'))
        scope.register(chatRoutes, { ...chat, onSignedOut: accounts.onSignedOut })
        scope.register(conversationRoutes, {
          database,
          forgetTold: services.forgetTold,
          hiding: services.hiding,
          searchConversations: chat.searchConversations,
          chatModel: llm.chatModel
        })
        scope.register(attachmentRoutes, { database })
        scope.register(conversationExportRoutes, {
          database,
          loadConversation: services.loadConversation,
          readCurrentProfile: services.readCurrentProfile,
          hiding: services.hiding,
          now: services.now
        })
        scope.register(importRoutes, {
          database,
          importConversation: chat.importConversation,
          findFileImport: services.findFileImport
        })
      })
      signedIn.register(async function takingAlong(scope) {
        scope.addHook('onRequest', requireScope('chat'))
        scope.addHook('onRequest', requireScope('memory:read'))
        scope.register(exportRoutes, {
          database,
          readCurrentProfile: services.readCurrentProfile,
          hiding: services.hiding,
          now: services.now
        })
        scope.register(async function bringingIn(inner) {
          inner.addHook('onRequest', requireScope('memory:write'))
          inner.register(importFileRoutes, { importFrom: services.importFrom })
        })
      })
      signedIn.register(async function readingMemory(scope) {
        scope.addHook('onRequest', requireScope('memory:read'))
        scope.register(memoryReadRoutes, { database, queue, recall })
        scope.register(embeddingRoutes, { database, embedders: services.embedders })
        scope.register(reviewReadRoutes, { database, queue, now: services.now })
        scope.register(rightsReadRoutes, rights)
        scope.register(consolidationReadRoutes, { database, ...services.consolidation })
      })
      signedIn.register(async function writingMemory(scope) {
        scope.addHook('onRequest', requireScope('memory:write'))
        scope.register(memoryWriteRoutes, { database, queue, recall })
        scope.register(reviewWriteRoutes, { database, queue, now: services.now })
        scope.register(rightsWriteRoutes, rights)
        scope.register(consolidationWriteRoutes, { database, ...services.consolidation })
      })
    },
    { prefix: '/v1' }
  )
  return app
}
