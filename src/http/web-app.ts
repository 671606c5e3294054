import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastifyPlugin from 'fastify-plugin'
import { RouteNotFound } from './errors.ts'

const BUILT = join(import.meta.dirname, '..', '..', 'clients', 'web', 'dist')
/** Nothing is loaded from anywhere else, and nothing inline runs: what a model or a document says stays text. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'"
].join('; ')
/** What is no page of the web app, even where nothing answers there. */
const NOT_A_PAGE = /^\/(?:v1|openai|mcp|docs|healthz|readyz|metrics|openapi\.json|assets)(?:\/|$)/

/** The web app, where it has been built. Any address that is no other route's is one of its pages. */
export const webApp = fastifyPlugin<{ root?: string }>(async (app, { root = BUILT }) => {
  const built = existsSync(join(root, 'index.html'))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '/'
    const wantsPage = request.method === 'GET' && request.headers.accept?.includes('text/html')
    if (!built || !wantsPage || NOT_A_PAGE.test(path)) throw new RouteNotFound()
    return reply.sendFile('index.html')
  })
  if (!built) return
  await app.register(fastifyStatic, {
    root,
    // Built files carry their content's hash in their name; the page that names them does not.
    setHeaders(reply, path) {
      const immutable = path.startsWith(join(root, 'assets'))
      reply.header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
      reply.header('content-security-policy', POLICY)
      reply.header('x-frame-options', 'DENY')
      reply.header('cross-origin-opener-policy', 'same-origin')
    },
    cacheControl: false,
    schemaHide: true
  })
})
