import { expect, onTestFinished, test } from 'vitest'
import { connectPostgres } from '../../src/db/postgres.ts'
import { buildTestApp } from '../support/app.ts'
import {
  createServerDatabase,
  describeEachDatabase,
  hasDatabase,
  openTestDatabase
} from '../support/database.ts'

describeEachDatabase('health', (database) => {
  test('a service that can serve says so, to anybody, with an id for the request', async () => {
    const { app, close } = await buildTestApp(database())
    onTestFinished(close)
    const ids = new Set<unknown>()
    for (const url of ['/healthz', '/readyz']) {
      const response = await app.inject({ url, headers: { 'x-request-id': 'chosen by the caller' } })
      expect(response.statusCode).toBe(200)
      expect(response.json()).toEqual({ status: 'ok' })
      ids.add(response.headers['x-request-id'])
      expect(response.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer'
      })
    }
    expect(ids.size).toBe(2)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  })

  test('a service that is about to end is alive and not ready, and answers still', async () => {
    const { app, services, close } = await buildTestApp(database())
    onTestFinished(close)
    services.beginStopping()
    const response = await app.inject('/readyz')
    expect(response.json()).toMatchObject({ status: 503, code: 'PAI_SERVICE_STOPPING' })
    for (const url of ['/healthz', '/openapi.json']) expect((await app.inject(url)).statusCode).toBe(200)
  })

  test('an answer that refuses has the same headers', async () => {
    const { app, close } = await buildTestApp(database())
    onTestFinished(close)
    for (const url of ['/v1/me', '/v1/nothing']) {
      const { headers, body } = await app.inject(url)
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
      expect(headers['x-request-id']).toBe(JSON.parse(body).requestId)
    }
  })
})

test.skipIf(!hasDatabase('postgres'))(
  'a service whose server is gone is alive and not ready, and says when to ask again',
  async () => {
    const { url, drop } = await createServerDatabase()
    const database = connectPostgres(url)
    const { app, close } = await buildTestApp(database)
    onTestFinished(async () => {
      await close()
      await database.close()
    })
    expect((await app.inject('/readyz')).statusCode).toBe(200)
    await drop()
    const response = await app.inject('/readyz')
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({ status: 503, code: 'PAI_DATABASE_UNAVAILABLE' })
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
    expect(response.body).not.toContain(new URL(url).pathname.slice(1))
    expect((await app.inject('/healthz')).statusCode).toBe(200)
  }
)

test('a service whose embedded database is gone is alive and not ready', async () => {
  const { database, close } = await openTestDatabase('embedded')
  const house = await buildTestApp(database)
  const { app, services } = house
  expect((await app.inject('/readyz')).statusCode).toBe(200)
  await services.queue.close(1_000)
  await close()
  const response = await app.inject('/readyz')
  expect(response.json()).toMatchObject({ status: 503, code: 'PAI_DATABASE_UNAVAILABLE' })
  expect((await app.inject('/healthz')).statusCode).toBe(200)
  await app.close()
})
