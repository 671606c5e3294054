import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createAuthenticate } from '../../src/auth/authenticate.ts'
import type { Database } from '../../src/db/client.ts'
import { describeEachDatabase } from '../support/database.ts'
import { type AccountsApp, createAccountsApp, removeEveryone } from './accounts-app.ts'

const CLAIMS = {
  ownerId: '019a0000-0000-7000-8000-000000000001',
  sessionId: '019a0000-0000-7000-8000-000000000002',
  role: 'member',
  issuedAt: 1_780_000_000
} as const

/** Nothing here may be asked. */
const noDatabase = new Proxy({} as Database, {
  get: () => {
    throw new Error('The database was asked')
  }
})

describe('reading the Authorization header', () => {
  const seen: string[] = []
  const authenticate = createAuthenticate({
    revocations: { has: () => false, isLive: async () => true },
    database: noDatabase,
    verifyAccessToken(token) {
      seen.push(token)
      return CLAIMS
    }
  })
  beforeEach(() => {
    seen.length = 0
  })

  test('an access token is enough, and nobody else is asked', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(await authenticate(`${scheme} a.b.c`)).toEqual({
        id: CLAIMS.ownerId,
        role: 'member',
        sessionId: CLAIMS.sessionId,
        apiKeyId: null,
        scopes: ['chat', 'memory:read', 'memory:write', 'account']
      })
    expect(seen).toEqual(['a.b.c', 'a.b.c', 'a.b.c'])
  })

  test.each([undefined, '', 'Basic YWRhOmJlZXM=', 'a.b.c', 'pai_x', 'BearerX a.b.c'])(
    '%j is nobody',
    async (authorization) => {
      await expect(authenticate(authorization)).rejects.toMatchObject({
        code: 'PAI_AUTH_REQUIRED',
        statusCode: 401
      })
    }
  )

  test.each(['Bearer', 'Bearer ', 'Bearer  a.b.c', 'Bearer a.b.c ', 'Bearer a.b.c, Bearer d.e.f'])(
    '%j is no credential',
    async (authorization) => {
      await expect(authenticate(authorization)).rejects.toMatchObject({ code: 'PAI_AUTH_TOKEN_INVALID' })
      expect(seen).toEqual([])
    }
  )

  test('what cannot be an API key is not looked up', async () => {
    for (const key of ['pai_', 'pai_short', `pai_${'A'.repeat(44)}`, `pai_${'%'.repeat(43)}`])
      await expect(authenticate(`Bearer ${key}`)).rejects.toMatchObject({ code: 'PAI_AUTH_TOKEN_INVALID' })
  })
})

describeEachDatabase('credentials', (database) => {
  let app: AccountsApp
  let token: string
  let ownerId: string

  beforeEach(async () => {
    await removeEveryone(database())
    app = await createAccountsApp(database())
    const joined = await app.join('ada@example.org')
    token = joined.accessToken
    ownerId = joined.user.id
  })

  const makeKey = async (body: object = {}) => {
    const { statusCode, data } = await app.call('POST', '/api-keys', {
      token,
      body: { name: 'a key', ...body }
    })
    expect(statusCode).toBe(201)
    return data
  }

  test('a request without credentials, or with wrong ones, is told how to sign in', async () => {
    const { app: fastify } = app
    for (const [authorization, code] of [
      [undefined, 'PAI_AUTH_REQUIRED'],
      ['Bearer nonsense', 'PAI_AUTH_TOKEN_INVALID']
    ] as const) {
      const response = await fastify.inject({
        url: `/v1/me?access_token=${token}&token=${token}`,
        headers: { ...(authorization ? { authorization } : {}), cookie: `access_token=${token}` }
      })
      expect(response.statusCode).toBe(401)
      expect(response.json().code).toBe(code)
      expect(response.headers['www-authenticate']).toMatch(/^Bearer/)
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/)
    }
  })

  test('an API key is its owner, with the scopes it was given', async () => {
    const { id, key } = await makeKey({ scopes: ['memory:read'] })
    expect(await app.accounts.authenticate(`Bearer ${key}`)).toEqual({
      id: ownerId,
      role: 'admin',
      sessionId: null,
      apiKeyId: id,
      scopes: ['memory:read']
    })
  })

  test('a key works until it expires', async () => {
    const { id, key } = await makeKey({ expiresAt: new Date(Date.now() + 60_000).toISOString() })
    expect((await app.call('GET', '/me', { token: key })).statusCode).toBe(200)
    await database().pool.query(
      `UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1`,
      [id]
    )
    const { statusCode, data } = await app.call('GET', '/me', { token: key })
    expect(statusCode).toBe(401)
    expect(data.code).toBe('PAI_AUTH_TOKEN_EXPIRED')
  })

  test('a key that is changed, revoked or made up is refused', async () => {
    const { id, key } = await makeKey()
    await app.call('DELETE', `/api-keys/${id}`, { token })
    const { key: other } = await makeKey()
    const changed = other.slice(0, -2) + (other.endsWith('AA') ? 'BB' : 'AA')
    for (const wrong of [key, changed, `pai_${'A'.repeat(43)}`, other.replace('pai_', 'PAI_')]) {
      const { statusCode, data } = await app.call('GET', '/me', { token: wrong })
      expect(statusCode).toBe(401)
      expect(data.code).toBe('PAI_AUTH_TOKEN_INVALID')
    }
    expect((await app.call('GET', '/me', { token: other })).statusCode).toBe(200)
  })

  test('a scope opens what it names and nothing else', async () => {
    const { key: reading } = await makeKey({ scopes: ['memory:read'] })
    const { key: chatting } = await makeKey({ scopes: ['chat'] })
    expect((await app.call('GET', '/chats', { token: chatting })).statusCode).toBe(200)
    const refused = await app.call('GET', '/chats', { token: reading })
    expect(refused.statusCode).toBe(403)
    expect(refused.data.code).toBe('PAI_AUTH_SCOPE')
  })

  test('the use of a key is noted, at most once a minute, and no request waits for it', async () => {
    const { id, key } = await makeKey()
    const lastUsedAt = async () => (await app.call('GET', '/api-keys', { token })).data.items[0].lastUsedAt
    expect(await lastUsedAt()).toBeNull()
    const noted = vi.spyOn(database(), 'inOwner')
    const authenticate = createAuthenticate({
      revocations: { has: () => false, isLive: async () => true },
      database: database(),
      verifyAccessToken: () => CLAIMS
    })
    await Promise.all(Array.from({ length: 5 }, () => authenticate(`Bearer ${key}`)))
    expect(noted).toHaveBeenCalledTimes(1)
    noted.mockRestore()
    await vi.waitFor(async () => expect(await lastUsedAt()).not.toBeNull())

    // Another process, which has noted nothing yet, leaves a note younger than a minute as it is.
    const first = await lastUsedAt()
    const elsewhere = await createAccountsApp(database())
    const finished = vi.spyOn(database(), 'inOwner')
    await elsewhere.accounts.authenticate(`Bearer ${key}`)
    await finished.mock.results[0]?.value
    finished.mockRestore()
    expect(await lastUsedAt()).toBe(first)
    await database().pool.query(
      `UPDATE api_keys SET last_used_at = now() - interval '61 seconds' WHERE id = $1`,
      [id]
    )
    const old = await lastUsedAt()
    const third = await createAccountsApp(database())
    await third.accounts.authenticate(`Bearer ${key}`)
    await vi.waitFor(async () => expect((await lastUsedAt()) > old).toBe(true))
  })

  test('a request does not fail when its key’s use cannot be noted', async () => {
    const { id, key } = await makeKey()
    const authenticate = createAuthenticate({
      revocations: { has: () => false, isLive: async () => true },
      database: { ...database(), inOwner: () => Promise.reject(new Error('disk full')) },
      verifyAccessToken: () => CLAIMS
    })
    expect((await authenticate(`Bearer ${key}`)).apiKeyId).toBe(id)
  })
})
