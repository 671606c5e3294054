import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { measure } from '../telemetry/measure.ts'
import { MetricsForbidden } from './errors.ts'

export interface MetricsOptions {
  loopback: boolean
  /** Who asks; only an administrator may from elsewhere. */
  authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<{ role: string }>
  activeTurns: () => number
  /** For how many seconds the oldest job has waited. */
  queueAge: () => Promise<number>
  /** What is measured elsewhere. */
  others: Registry
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/

/** /metrics in Prometheus' format, and the measuring of every request. */
const routes: FastifyPluginAsync<MetricsOptions> = async (
  app,
  { loopback, authenticate, activeTurns, queueAge, others }
) => {
  const register = new Registry()
  const stopCollecting = collectDefaultMetrics({ register })
  const duration = new Histogram({
    name: 'pai_http_request_duration_seconds',
    help: 'Time to answer a request, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [register]
  })
  new Gauge({
    name: 'pai_active_turns',
    help: 'Turns this process is running',
    registers: [register],
    collect() {
      this.set(activeTurns())
    }
  })
  new Gauge({
    name: 'pai_queue_age_seconds',
    help: 'For how long the oldest job has waited that could run',
    registers: [register],
    async collect() {
      // A database that is away must not take the other figures along.
      this.set(await queueAge().catch(() => Number.NaN))
    }
  })
  app.addHook('onClose', async () => stopCollecting)
  app.addHook('onResponse', ({ method, routeOptions }, { statusCode, elapsedTime }, done) => {
    // Addresses nobody serves share one label: their number must not be the caller's to choose.
    duration.labels(method, routeOptions.url ?? 'none', String(statusCode)).observe(elapsedTime / 1000)
    if (statusCode >= 500) measure('Errors', 1)
    done()
  })

  app.get(
    '/metrics',
    {
      config: { rateLimit: false },
      schema: { tags: ['operation'], summary: 'Prometheus metrics', produces: ['text/plain'] }
    },
    async (request, reply) => {
      if (!(loopback && isLocal(request)) && (await authenticate(request, reply)).role !== 'admin') {
        throw new MetricsForbidden()
      }
      const all = Registry.merge([register, others])
      return reply.type(all.contentType).send(await all.metrics())
    }
  )
}

/** A caller on this machine, and not a proxy on it that speaks for somebody else. */
function isLocal({ socket, headers }: FastifyRequest): boolean {
  return (
    LOOPBACK.test(socket.remoteAddress ?? '') && !('x-forwarded-for' in headers || 'forwarded' in headers)
  )
}

/** Measures every route, so its hook must reach out of its own scope. */
export const metricsRoutes = fastifyPlugin(routes)
