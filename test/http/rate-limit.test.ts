import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { randomSecret } from '../../src/auth/secrets.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { openTestDatabase } from '../support/database.ts'

const LIMIT = 5
/** Of the right shape, and nobody's. */
const unknownKey = () => randomSecret('pai_')

describe('the rate limit', () => {
  let opened: Awaited<ReturnType<typeof openTestDatabase>>
  let house: TestApp
  let ada: TestOwner
  let bob: TestOwner
  /** A new one for each test, which has counted nothing yet. */
  let app: FastifyInstance

  beforeAll(async () => {
    opened = await openTestDatabase('embedded')
    house = await buildTestApp(opened.database)
    ada = await house.register()
    bob = await house.register()
  })
  afterAll(async () => {
    await house.close()
    await opened.close()
  })
  beforeEach(() => {
    app = buildApp(house.services, { rateLimit: LIMIT, loopback: true })
    return () => app.close()
  })

  const me = ({ headers }: TestOwner, more: InjectOptions = {}) =>
    app.inject({ url: '/v1/me', headers, ...more })
  async function useUp(request: () => Promise<{ statusCode: number }>): Promise<void> {
    for (let count = 0; count < LIMIT; count++) expect((await request()).statusCode).not.toBe(429)
  }

  test('says with each answer how much is left, and in the end when to come back', async () => {
    for (let left = LIMIT - 1; left >= 0; left--) {
      const { statusCode, headers } = await me(ada)
      expect(statusCode).toBe(200)
      expect(headers).toMatchObject({ 'ratelimit-limit': String(LIMIT), 'ratelimit-remaining': String(left) })
      expect(Number(headers['ratelimit-reset'])).toBeGreaterThan(0)
    }
    const refused = await me(ada)
    expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(refused.json()).toMatchObject({
      status: 429,
      code: 'PAI_RATE_LIMITED',
      requestId: refused.headers['x-request-id']
    })
    const wait = Number(refused.headers['retry-after'])
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(60)
    expect(refused.headers).toMatchObject({ 'ratelimit-limit': String(LIMIT), 'ratelimit-remaining': '0' })
  })

  test('counts an owner wherever they call from, and not the people at the same address', async () => {
    await useUp(() => me(ada))
    expect((await me(ada, { remoteAddress: '203.0.113.9' })).statusCode).toBe(429)
    expect((await me(bob)).statusCode).toBe(200)
  })

  test('counts an owner by whatever credentials they come', async () => {
    const key = await house.app.inject({
      method: 'POST',
      url: '/v1/api-keys',
      headers: ada.headers,
      payload: { name: 'script' }
    })
    await useUp(() => me({ ...ada, headers: { authorization: `Bearer ${key.json().key}` } }))
    expect((await me(ada)).statusCode).toBe(429)
  })

  test('counts an address where nobody is signed in', async () => {
    const from = (remoteAddress: string) =>
      app.inject({ method: 'POST', url: '/v1/auth/logout', payload: {}, remoteAddress })
    await useUp(() => from('203.0.113.9'))
    expect((await from('203.0.113.9')).json()).toMatchObject({ code: 'PAI_RATE_LIMITED' })
    expect((await from('203.0.113.10')).statusCode).toBe(204)
    expect((await me(ada, { remoteAddress: '203.0.113.9' })).statusCode).toBe(200)
  })

  test('counts an IPv6 network as one address, since one customer has it all', async () => {
    const from = (remoteAddress: string) =>
      app.inject({ method: 'POST', url: '/v1/auth/logout', payload: {}, remoteAddress })
    let host = 1
    await useUp(() => from(`2001:db8:1:2::${(host++).toString(16)}`))
    expect((await from('2001:db8:1:2:ffff::1')).statusCode).toBe(429)
    expect((await from('2001:db8:1:3::1')).statusCode).toBe(204)
  })

  test('counts a request whose body is refused before it is read', async () => {
    const broken = () =>
      app.inject({
        method: 'POST',
        url: '/v1/memories',
        headers: { ...ada.headers, 'content-type': 'application/json' },
        payload: '{"text": '
      })
    await useUp(broken)
    expect((await broken()).statusCode).toBe(429)
  })

  test('counts by address what is refused at sign-in, and then looks no key up any more', async () => {
    const lookups = vi.spyOn(opened.database, 'inSystem')
    onTestFinished(() => lookups.mockRestore())
    const knock = (remoteAddress: string, url = '/v1/me') =>
      app.inject({ url, remoteAddress, headers: { authorization: `Bearer ${unknownKey()}` } })
    await useUp(() => knock('203.0.113.9'))
    expect(lookups).toHaveBeenCalledTimes(LIMIT)
    const refused = await knock('203.0.113.9')
    expect(refused.json()).toMatchObject({ status: 429, code: 'PAI_RATE_LIMITED' })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await knock('203.0.113.9', '/metrics')).statusCode).toBe(429)
    expect(lookups).toHaveBeenCalledTimes(LIMIT)
    expect((await knock('203.0.113.10')).statusCode).toBe(401)
    // Somebody who is signed in at the same address goes on.
    expect((await me(ada, { remoteAddress: '203.0.113.9' })).statusCode).toBe(200)
  })

  test('counts a forged token, and a key that is good for something else', async () => {
    const forged = () => app.inject({ url: '/v1/me', headers: { authorization: 'Bearer forged' } })
    await useUp(forged)
    expect((await forged()).statusCode).toBe(429)

    const made = await house.app.inject({
      method: 'POST',
      url: '/v1/api-keys',
      headers: bob.headers,
      payload: { name: 'script', scopes: ['memory:read'] }
    })
    const headers = { authorization: `Bearer ${made.json().key}` }
    const overreach = () => app.inject({ url: '/v1/conversations', headers, remoteAddress: '203.0.113.11' })
    for (let count = 0; count < LIMIT; count++) expect((await overreach()).statusCode).toBe(403)
    expect((await overreach()).statusCode).toBe(429)
    const asOpenAi = () => app.inject({ url: '/openai/v1/models', headers, remoteAddress: '203.0.113.12' })
    for (let count = 0; count < LIMIT; count++) expect((await asOpenAi()).statusCode).toBe(403)
    expect((await asOpenAi()).statusCode).toBe(429)
  })

  test('leaves out what a load balancer and a monitor ask all the time', async () => {
    for (const url of ['/healthz', '/readyz', '/metrics', '/openapi.json']) {
      for (let count = 0; count <= LIMIT; count++) expect((await app.inject(url)).statusCode, url).toBe(200)
    }
  })

  test('does nothing where it is off', async () => {
    for (let count = 0; count <= LIMIT; count++) {
      const response = await house.app.inject({ url: '/v1/me', headers: bob.headers })
      expect(response.statusCode).toBe(200)
      expect(response.headers).not.toHaveProperty('ratelimit-limit')
    }
  })
})

test('several processes count their callers together', async () => {
  const opened = await openTestDatabase('postgres')
  const [one, other] = [await buildTestApp(opened.database), await buildTestApp(opened.database)]
  const limit = 300
  const [here, there] = [one, other].map(({ services }) =>
    buildApp(services, { rateLimit: limit, loopback: true })
  )
  const askAs = (owner: TestOwner) => async (app?: FastifyInstance) =>
    (await app?.inject({ url: '/v1/me', headers: owner.headers }))?.statusCode
  const minute = () => Math.floor(Date.now() / 60_000)
  // The counts begin anew with each minute: where one ended in the middle, nothing was learnt.
  for (let began = Number.NaN; began !== minute(); ) {
    began = minute()
    const ask = askAs(await one.register())
    for (let count = 0; count < limit; count++) expect(await ask(here)).toBe(200)
    let tries = 0
    await vi.waitFor(
      async () => {
        tries++
        if (began === minute()) expect(await ask(there)).toBe(429)
      },
      { timeout: 10_000, interval: 50 }
    )
    expect(tries).toBeLessThan(limit / 2)
  }
  await Promise.all([here?.close(), there?.close()])
  await other.close()
  await one.close()
  await opened.close()
})

test('guesses are counted one by one: asking several processes at once gains none', async () => {
  const opened = await openTestDatabase('postgres')
  const houses = [await buildTestApp(opened.database), await buildTestApp(opened.database)]
  const apps = houses.map(({ services }) => buildApp(services, { rateLimit: 300, loopback: true }))
  const minute = () => Math.floor(Date.now() / 60_000)
  // The counts begin anew with each minute: where one ended in the middle, nothing was learnt.
  for (let round = 0, began = Number.NaN; began !== minute(); round++) {
    began = minute()
    const guess = (app: FastifyInstance) =>
      app.inject({
        method: 'POST',
        url: '/v1/auth/refresh',
        payload: { refreshToken: randomSecret('pai_') },
        remoteAddress: `203.0.113.${round}`
      })
    const answers = await Promise.all(Array.from({ length: 25 }, () => apps.map(guess)).flat())
    const counts = Map.groupBy(answers, ({ statusCode }) => statusCode)
    if (began === minute()) expect([counts.get(401)?.length, counts.get(429)?.length]).toEqual([20, 30])
  }
  for (const app of apps) await app.close()
  for (const house of houses.toReversed()) await house.close()
  await opened.close()
})
