import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deriveKey } from '../../src/auth/secrets.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { type Operation, operationsOf, requestFor, sampleOf } from './requests.ts'
import { tablesOf } from './tables.ts'

/** What `buildTestApp` signs with. */
const KEY = deriveKey('a secret of the tests, long enough to pass', 'access-token')
const NOW = Math.floor(Date.now() / 1000)

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

function sign(
  payload: object,
  { header = { alg: 'HS256', typ: 'JWT' }, key = KEY, hash = 'sha256' } = {}
): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`
}

describeEachDatabase('credentials', (database) => {
  let house: TestApp
  let ada: TestOwner
  let secured: Operation[]

  beforeAll(async () => {
    house = await buildTestApp(database())
    ada = await house.register()
    secured = operationsOf(house.app).filter((operation) => operation.secured)
  })
  afterAll(() => house.close())

  const claims = () => JSON.parse(Buffer.from(ada.accessToken.split('.')[1] ?? '', 'base64url').toString())

  test('nothing behind sign-in answers to credentials that are missing, forged or expired', async () => {
    const right = claims()
    const [header, payload, signature = ''] = ada.accessToken.split('.')
    const forged = {
      'none at all': undefined,
      'an empty header': '',
      'a scheme alone': 'Bearer',
      'a scheme and a space': 'Bearer ',
      'another scheme': `Basic ${Buffer.from('ada:bees').toString('base64')}`,
      'a token without its scheme': ada.accessToken,
      'two tokens': `Bearer ${ada.accessToken} ${ada.accessToken}`,
      'an expired token': `Bearer ${sign({ ...right, iat: NOW - 2_000, exp: NOW - 1_000 })}`,
      'a token without an end': `Bearer ${sign({ ...right, exp: undefined })}`,
      'a token of another key': `Bearer ${sign(right, { key: deriveKey('another secret', 'access-token') })}`,
      'a token of the secret itself': `Bearer ${sign(right, { key: Buffer.from('a secret of the tests, long enough to pass') })}`,
      'a token of an empty key': `Bearer ${sign(right, { key: Buffer.alloc(0) })}`,
      'an unsigned token': `Bearer ${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`,
      'no signature': `Bearer ${header}.${payload}.`,
      'another hash': `Bearer ${sign(right, { header: { alg: 'HS512', typ: 'JWT' }, hash: 'sha512' })}`,
      'a changed owner': `Bearer ${header}.${encode({ ...right, sub: crypto.randomUUID() })}.${signature}`,
      'a changed role': `Bearer ${header}.${encode({ ...right, role: 'admin', x: 1 })}.${signature}`,
      'a cut signature': `Bearer ${header}.${payload}.${signature.slice(0, -2)}`,
      'another issuer': `Bearer ${sign({ ...right, iss: 'somebody' })}`,
      'another audience': `Bearer ${sign({ ...right, aud: 'somebody' })}`,
      'a token of another kind': `Bearer ${sign({ ...right, type: 'refresh' })}`,
      'an owner that is no id': `Bearer ${sign({ ...right, sub: "' OR true --" })}`,
      'an API key nobody has': `Bearer pai_${'a'.repeat(43)}`,
      'half of an API key': 'Bearer pai_a',
      'an API key with a NUL': `Bearer pai_${'a'.repeat(42)}%00`,
      'text that is no token': 'Bearer bees.in.Tromsø',
      'a long token': `Bearer ${'a'.repeat(8_000)}`
    }
    const before = await tablesOf(database())
    const faults: string[] = []
    for (const operation of secured) {
      for (const [what, authorization] of Object.entries(forged)) {
        const request = requestFor(operation)
        const response = await house.app.inject({
          ...request,
          headers: { ...request.headers, ...(authorization === undefined ? {} : { authorization }) }
        })
        const { code } = response.json()
        const isRefused = response.statusCode === 401 && /^PAI_AUTH_(REQUIRED|TOKEN_\w+)$/.test(code)
        if (!isRefused) faults.push(`${operation.name} with ${what} answers ${response.statusCode} ${code}`)
        if (response.headers['www-authenticate'] !== 'Bearer')
          faults.push(`${operation.name} does not say how`)
      }
    }
    expect(faults).toEqual([])
    expect(secured.length).toBeGreaterThanOrEqual(25)
    expect(await tablesOf(database())).toEqual(before)
  })

  test('the tokens above are refused for what is wrong with them, since one that is right passes', async () => {
    const response = await house.app.inject({
      url: '/v1/me',
      headers: { authorization: `Bearer ${sign(claims())}` }
    })
    expect(response.statusCode).toBe(200)
  })

  test('only what needs nobody is open, and a query string signs nobody in', async () => {
    const open = operationsOf(house.app).filter((operation) => !operation.secured)
    expect(open.map(({ path }) => path).filter((path) => !path.startsWith('/v1/auth/'))).toEqual([
      '/healthz',
      '/readyz',
      '/metrics'
    ])
    const response = await house.app.inject(`/v1/me?access_token=${ada.accessToken}&token=${ada.accessToken}`)
    expect(response.statusCode).toBe(401)
  })

  test('a refusal comes before the body is looked at, so it tells a stranger nothing of it', async () => {
    for (const operation of secured.filter(({ body }) => body)) {
      const payload = { ...(sampleOf(operation.body ?? {}) as object), unknown: 1 }
      const response = await house.app.inject(requestFor(operation, { payload }))
      expect(response.json(), operation.name).toMatchObject({ status: 401, code: 'PAI_AUTH_REQUIRED' })
    }
  })

  test('a key reaches only what its scopes say', async () => {
    const { json } = await house.app.inject({
      method: 'POST',
      url: '/v1/api-keys',
      headers: ada.headers,
      payload: { name: 'reader', scopes: ['memory:read'] }
    })
    const headers = { authorization: `Bearer ${json().key}` }
    const reached: string[] = []
    for (const operation of secured) {
      const request = requestFor(operation)
      const response = await house.app.inject({ ...request, headers: { ...request.headers, ...headers } })
      if (response.statusCode !== 403) reached.push(operation.name)
    }
    expect(reached.toSorted()).toEqual([
      'GET /v1/consolidations',
      'GET /v1/consolidations/{id}',
      'GET /v1/embeddings',
      'GET /v1/me',
      'GET /v1/memories',
      'GET /v1/memories/{id}',
      'GET /v1/memories/{id}/history',
      'GET /v1/memories/{id}/why',
      'GET /v1/memory-clusters',
      'GET /v1/memory-conflicts',
      'GET /v1/memory-extractions',
      'GET /v1/memory-proposals',
      'GET /v1/memory-purges',
      'GET /v1/messages/{id}/memories',
      'GET /v1/models',
      'GET /v1/profile',
      'POST /v1/memories/search',
      'POST /v1/recall'
    ])
  })
})
