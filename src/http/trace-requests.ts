import type { FastifyInstance, FastifyRequest } from 'fastify'
import { beginSpan, inside, isTracing, type Span } from '../telemetry/traced.ts'

/** Asked every few seconds by what watches over the service. */
const PROBES = new Set(['/healthz', '/readyz', '/metrics'])

/**
 * Has every request be a span, by its route's template. A caller's own trace is gone on from only where callers are trusted
 * with it: a stranger could have every request taken, or put them all into one trace.
 */
export function traceRequests(app: FastifyInstance, trustsCallers: boolean): void {
  if (!isTracing()) return
  const spans = new WeakMap<FastifyRequest, Span>()

  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers } = request
    const route = request.routeOptions.url ?? 'none'
    if (PROBES.has(route)) return done()
    const span = beginSpan({
      name: `${method} ${route}`,
      kind: 'server',
      facts: { 'http.request.method': method, 'http.route': route },
      parent: trustsCallers ? headers.traceparent : null
    })
    spans.set(request, span)
    // One whose caller has left is never answered.
    reply.raw.once('close', () => end(span, reply.raw.statusCode))
    inside(span, done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request)
    if (!span) return done()
    end(span, reply.statusCode)
    // The line that the log says of it names its trace.
    inside(span, done)
  })
}

function end(span: Span, status: number): void {
  span.note({ 'http.response.status_code': status })
  span.end(status >= 500 ? String(status) : undefined)
}
