import Fastify, { type FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { AuthRequired } from '../../src/auth/errors.ts'
import { errorHandler } from '../../src/http/error-handler.ts'
import { metricsRoutes } from '../../src/http/metrics.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'

/** Metrics where an administrator's token and a member's are known. */
async function serve(loopback: boolean): Promise<FastifyInstance> {
  const app = Fastify({ exposeHeadRoutes: false })
  onTestFinished(() => app.close())
  app.setErrorHandler(errorHandler)
  await app.register(metricsRoutes, {
    loopback,
    activeTurns: () => 3,
    queueAge: async () => 7,
    others: new Registry(),
    async authenticate({ headers: { authorization } }) {
      if (!authorization) throw new AuthRequired()
      return { role: authorization.slice('Bearer '.length) }
    }
  })
  app.get('/v1/memories/:id', async () => 'one')
  return app
}

const codeOf = async (
  app: FastifyInstance,
  request: { remoteAddress?: string; headers?: Record<string, string> }
) => {
  const response = await app.inject({ url: '/metrics', ...request })
  return response.statusCode === 200 ? 'shown' : response.json().code
}

test('on loopback whoever is on this machine reads the metrics, over IPv4 and IPv6', async () => {
  const app = await serve(true)
  for (const remoteAddress of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    expect(await codeOf(app, { remoteAddress }), remoteAddress).toBe('shown')
  }
  for (const remoteAddress of ['192.168.1.7', '::2', '::ffff:10.0.0.1', '1.127.0.0', '2001:db8::127.0.0.1']) {
    expect(await codeOf(app, { remoteAddress }), remoteAddress).toBe('PAI_AUTH_REQUIRED')
  }
})

test('a proxy on this machine speaks for somebody else', async () => {
  const app = await serve(true)
  for (const header of ['x-forwarded-for', 'X-Forwarded-For', 'forwarded']) {
    expect(await codeOf(app, { headers: { [header]: '127.0.0.1' } }), header).toBe('PAI_AUTH_REQUIRED')
    const headers = { [header]: '127.0.0.1', authorization: 'Bearer admin' }
    expect(await codeOf(app, { headers })).toBe('shown')
  }
})

test('where others can reach the service, only an administrator reads them', async () => {
  const app = await serve(false)
  expect(await codeOf(app, {})).toBe('PAI_AUTH_REQUIRED')
  expect(await codeOf(app, { headers: { authorization: 'Bearer member' } })).toBe('PAI_METRICS_FORBIDDEN')
  expect(await codeOf(app, { headers: { authorization: 'Bearer admin' } })).toBe('shown')
})

test('every answer is measured by its route, so that a stranger cannot make up labels', async () => {
  const app = await serve(true)
  for (const url of ['/v1/memories/1', '/v1/memories/2', '/nothing-1', '/nothing-2']) await app.inject(url)
  const { body, headers } = await app.inject('/metrics')
  expect(headers['content-type']).toMatch(/^text\/plain; version=/)
  expect(body).toContain(
    'pai_http_request_duration_seconds_count{method="GET",route="/v1/memories/:id",status="200"} 2'
  )
  expect(body).toContain('pai_http_request_duration_seconds_count{method="GET",route="none",status="404"} 2')
  expect(body).not.toMatch(/nothing|memories\/\d/)
  expect(body).toContain('pai_active_turns 3')
  expect(body).toContain('process_resident_memory_bytes')
})

describeEachDatabase('metrics of the whole service', (database) => {
  test('the first account reads them with its token, the second does not', async () => {
    const { app, register, close } = await buildTestApp(database())
    onTestFinished(close)
    const [administrator, member] = [await register(), await register()]
    const away = { remoteAddress: '203.0.113.9' }
    expect(await codeOf(app, away)).toBe('PAI_AUTH_REQUIRED')
    expect(await codeOf(app, { ...away, headers: administrator.headers })).toBe('shown')
    expect(await codeOf(app, { ...away, headers: member.headers })).toBe('PAI_METRICS_FORBIDDEN')
    expect(await codeOf(app, { ...away, headers: { authorization: 'Bearer forged' } })).toBe(
      'PAI_AUTH_TOKEN_INVALID'
    )
  })
})
