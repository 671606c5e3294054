import { beforeEach, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'
import { type AccountsApp, createAccountsApp, removeEveryone } from './accounts-app.ts'

describeEachDatabase('API keys', (database) => {
  let app: AccountsApp
  let token: string
  let ownerId: string
  let refreshToken: string

  beforeEach(async () => {
    await removeEveryone(database())
    app = await createAccountsApp(database())
    const joined = await app.join('ada@example.org')
    token = joined.accessToken
    refreshToken = joined.refreshToken
    ownerId = joined.user.id
  })

  const make = (body: object, idempotencyKey?: string) =>
    app.call('POST', '/api-keys', {
      token,
      body,
      ...(idempotencyKey ? { headers: { 'idempotency-key': idempotencyKey } } : {})
    })
  const list = async (query = '') => (await app.call('GET', `/api-keys${query}`, { token })).data

  test('a key is shown once, with all scopes but the account’s unless told otherwise', async () => {
    const { statusCode, data } = await make({ name: ' laptop ' })
    expect(statusCode).toBe(201)
    expect(data).toEqual({
      id: expect.any(String),
      key: expect.stringMatching(/^pai_[\w-]{43}$/),
      name: 'laptop',
      prefix: data.key.slice(0, 10),
      scopes: ['chat', 'memory:read', 'memory:write'],
      expiresAt: null,
      lastUsedAt: null,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/)
    })
    const { key, ...listed } = data
    expect(await list()).toEqual({ items: [listed], nextCursor: null })
    const { rows } = await database().pool.query('SELECT api_keys::text AS row FROM api_keys')
    expect(rows).toHaveLength(1)
    expect(rows[0].row).not.toContain(key.slice(10))
    expect(rows[0].row).not.toContain(Buffer.from(key).toString('hex'))
  })

  test('keys differ', async () => {
    const keys = await Promise.all([1, 2, 3].map(async () => (await make({ name: 'one' })).data.key))
    expect(new Set(keys).size).toBe(3)
  })

  test('scopes and an expiry are kept as asked for', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
    const { data } = await make({ name: 'reader', scopes: ['memory:read', 'account'], expiresAt })
    expect(data).toMatchObject({ scopes: ['memory:read', 'account'], expiresAt })
  })

  test.each([
    [{}, 'PAI_VALIDATION'],
    [{ name: ' ' }, 'PAI_VALIDATION'],
    [{ name: 'x', scopes: [] }, 'PAI_VALIDATION'],
    [{ name: 'x', scopes: ['everything'] }, 'PAI_VALIDATION'],
    [{ name: 'x', scopes: ['chat', 'chat'] }, 'PAI_VALIDATION'],
    [{ name: 'x', expiresAt: 'tomorrow' }, 'PAI_VALIDATION'],
    [{ name: 'x', expiresAt: null }, 'PAI_VALIDATION'],
    [{ name: 'x', key: 'pai_mine' }, 'PAI_VALIDATION'],
    [{ name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, 'PAI_AUTH_EXPIRY_INVALID'],
    [{ name: 'x', expiresAt: '2099-12-31T23:59:60Z' }, 'PAI_VALIDATION']
  ])('%j is refused', async (body, code) => {
    const { statusCode, data } = await make(body)
    expect(statusCode).toBe(400)
    expect(data.code).toBe(code)
    expect((await list()).items).toEqual([])
  })

  test('lists are newest first, in pages', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await make({ name })
    const names: string[] = []
    let query = '?limit=2'
    for (let pages = 0; pages < 3; pages++) {
      const { items, nextCursor } = await list(query)
      names.push(...items.map(({ name }: { name: string }) => name))
      expect(nextCursor === null).toBe(pages === 2)
      query = `?limit=2&cursor=${nextCursor}`
    }
    expect(names).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect((await list('?cursor=nonsense')).code).toBe('PAI_CURSOR_INVALID')
    expect((await list('?limit=0')).code).toBe('PAI_VALIDATION')
  })

  test('other people’s keys are neither seen nor revoked', async () => {
    const { data: mine } = await make({ name: 'mine' })
    const eve = (await app.join('eve@example.org')).accessToken
    expect((await app.call('GET', '/api-keys', { token: eve })).data.items).toEqual([])
    const { statusCode, data } = await app.call('DELETE', `/api-keys/${mine.id}`, { token: eve })
    expect(statusCode).toBe(404)
    expect(data.code).toBe('PAI_AUTH_API_KEY_NOT_FOUND')
    expect((await app.call('GET', '/me', { token: mine.key })).data.id).toBe(ownerId)
  })

  test('a revoked key is gone at once, and cannot be revoked again', async () => {
    const { data } = await make({ name: 'mine' })
    const remove = () => app.call('DELETE', `/api-keys/${data.id}`, { token })
    expect((await remove()).statusCode).toBe(204)
    expect((await app.call('GET', '/me', { token: data.key })).statusCode).toBe(401)
    expect((await remove()).statusCode).toBe(404)
    expect((await app.call('DELETE', '/api-keys/not-an-id', { token })).statusCode).toBe(400)
  })

  test('a retry with the same Idempotency-Key shows the same key, though it is not stored', async () => {
    const first = await make({ name: 'laptop', scopes: ['chat'] }, 'try-1')
    const second = await make({ scopes: ['chat'], name: 'laptop' }, 'try-1')
    expect(second.statusCode).toBe(201)
    expect(second.data).toEqual(first.data)
    expect((await app.call('GET', '/me', { token: second.data.key })).data.id).toBe(ownerId)
    expect((await list()).items).toHaveLength(1)
    const { rows } = await database().pool.query('SELECT idempotency_keys::text AS row FROM idempotency_keys')
    expect(rows).toHaveLength(1)
    expect(rows[0].row).toContain('laptop')
    expect(rows[0].row).not.toContain(first.data.key.slice(10))

    const other = await make({ name: 'phone' }, 'try-1')
    expect(other.statusCode).toBe(422)
    expect(other.data.code).toBe('PAI_IDEMPOTENCY_KEY_REUSED')
    const next = await make({ name: 'laptop', scopes: ['chat'] }, 'try-2')
    expect(next.data.key).not.toBe(first.data.key)
  })

  test('retries at once make one key', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => make({ name: 'laptop' }, 'at once')))
    expect(new Set(answers.map(({ data }) => data.key)).size).toBe(1)
    expect((await list()).items).toHaveLength(1)
  })

  test('two people with one Idempotency-Key get keys of their own', async () => {
    const first = await make({ name: 'laptop' }, 'the same')
    token = (await app.join('grace@example.org')).accessToken
    const second = await make({ name: 'laptop' }, 'the same')
    expect(second.statusCode).toBe(201)
    expect(second.data.key).not.toBe(first.data.key)
  })

  test('an access token whose session has ended makes no key', async () => {
    await app.call('POST', '/auth/logout', { body: { refreshToken } })
    const { statusCode, data } = await make({ name: 'for later' })
    expect(statusCode).toBe(401)
    expect(data.code).toBe('PAI_AUTH_TOKEN_INVALID')
    expect((await database().pool.query('SELECT name FROM api_keys')).rows).toEqual([])
  })
})
