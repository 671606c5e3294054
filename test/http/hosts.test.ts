import { get, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { openTestDatabase } from '../support/database.ts'

describe('the name a request is made to', () => {
  let opened: Awaited<ReturnType<typeof openTestDatabase>>
  let house: TestApp

  beforeAll(async () => {
    opened = await openTestDatabase('embedded')
    house = await buildTestApp(opened.database)
  })
  afterAll(async () => {
    await house.close()
    await opened.close()
  })

  function build(options: { loopback: boolean }) {
    const app = buildApp(house.services, { rateLimit: null, ...options })
    onTestFinished(() => app.close())
    return async (host: string, url = '/healthz') => {
      const response = await app.inject({ url, headers: { host } })
      return response.statusCode === 421 ? response.json().code : response.statusCode
    }
  }

  test('is this machine’s own where only this machine can reach PAI', async () => {
    const ask = build({ loopback: true })
    for (const host of [
      'localhost',
      'localhost:3000',
      'LOCALHOST',
      '127.0.0.1:3000',
      '127.8.8.8',
      '[::1]:3000'
    ])
      expect(await ask(host), host).toBe(200)
    const others = [
      'evil.example',
      'localhost.evil.example:3000',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      '[::2]'
    ]
    for (const host of others) {
      for (const url of ['/healthz', '/v1/me', '/openapi.json', '/docs/', '/', '/nowhere'])
        expect(await ask(host, url), `${host} ${url}`).toBe('PAI_HOST_REFUSED')
    }
  })

  test('is checked of a request on the wire too', async () => {
    const url = await house.listen()
    const response = await new Promise<IncomingMessage>((resolve) =>
      get(`${url}/healthz`, { headers: { host: 'evil.example' } }, resolve)
    )
    response.resume()
    expect(response.statusCode).toBe(421)
  })

  test('has two minutes to say all it wants to, and no limit on the answer', () => {
    const app = buildApp(house.services, { rateLimit: null, loopback: true })
    onTestFinished(() => app.close())
    expect(app.server).toMatchObject({ requestTimeout: 120_000, timeout: 0 })
  })

  test('may be any where others can reach PAI', async () => {
    expect(await build({ loopback: false })('pai.example.org')).toBe(200)
  })
})
