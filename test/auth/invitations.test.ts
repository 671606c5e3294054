import { beforeEach, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'
import { type AccountsApp, createAccountsApp, PASSWORD, removeEveryone } from './accounts-app.ts'

describeEachDatabase('invitations', (database) => {
  let app: AccountsApp
  let token: string
  let refreshToken: string

  beforeEach(async () => {
    await removeEveryone(database())
    app = await createAccountsApp(database(), { registration: 'invite' })
    const joined = await app.join('ada@example.org')
    token = joined.accessToken
    refreshToken = joined.refreshToken
  })

  const invite = (body: object = {}, headers: Record<string, string> = {}) =>
    app.call('POST', '/invitations', { token, body, headers })
  const list = async () => (await app.call('GET', '/invitations', { token })).data.items

  test('an invitation has a code, shown once, and a time to use it in', async () => {
    const { statusCode, data } = await invite({ expiresInHours: 2 })
    expect(statusCode).toBe(201)
    expect(data).toEqual({
      id: expect.any(String),
      code: expect.stringMatching(/^inv_[\w-]{43}$/),
      expiresAt: expect.any(String)
    })
    const hours = (Date.parse(data.expiresAt) - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(1.9)
    expect(hours).toBeLessThan(2.1)
    expect(await list()).toEqual([
      { id: data.id, expiresAt: data.expiresAt, usedAt: null, createdAt: expect.any(String) }
    ])
    const { rows } = await database().pool.query('SELECT invitations::text AS row FROM invitations')
    expect(rows[0].row).not.toContain(data.code.slice(4))
    expect(rows[0].row).not.toContain(Buffer.from(data.code).toString('hex'))
  })

  test('without a wish it is good for a week, and the list says when it was used', async () => {
    const { data } = await invite()
    const hours = (Date.parse(data.expiresAt) - Date.now()) / 3_600_000
    expect(Math.round(hours)).toBe(168)
    await app.call('POST', '/auth/register', {
      body: { email: 'grace@example.org', password: PASSWORD, invitation: data.code }
    })
    expect((await list())[0].usedAt).toEqual(expect.any(String))
  })

  test.each([{ expiresInHours: 0 }, { expiresInHours: 721 }, { expiresInHours: '2' }, { role: 'admin' }])(
    '%j is refused',
    async (body) => {
      const { statusCode, data } = await invite(body)
      expect(statusCode).toBe(400)
      expect(data.code).toBe('PAI_VALIDATION')
    }
  )

  test('a retry shows the same code, which is not stored, and makes one invitation', async () => {
    const headers = { 'idempotency-key': 'for Grace' }
    const [first, second] = [await invite({}, headers), await invite({}, headers)]
    expect(second.data).toEqual(first.data)
    expect(await list()).toHaveLength(1)
    const { rows } = await database().pool.query('SELECT idempotency_keys::text AS row FROM idempotency_keys')
    expect(rows[0].row).not.toContain(first.data.code.slice(4))
    const joined = await app.call('POST', '/auth/register', {
      body: { email: 'grace@example.org', password: PASSWORD, invitation: second.data.code }
    })
    expect(joined.statusCode).toBe(201)
  })

  test('only administrators invite', async () => {
    const { data: invited } = await invite()
    const { data: member } = await app.call('POST', '/auth/register', {
      body: { email: 'grace@example.org', password: PASSWORD, invitation: invited.code }
    })
    for (const [method, path] of [
      ['GET', '/invitations'],
      ['POST', '/invitations'],
      ['DELETE', `/invitations/${invited.id}`]
    ] as const) {
      const { statusCode, data } = await app.call(method, path, {
        token: member.accessToken,
        ...(method === 'POST' ? { body: {} } : {})
      })
      expect([statusCode, data.code]).toEqual([403, 'PAI_AUTH_ADMINISTRATOR_REQUIRED'])
    }
  })

  test('an invitation can be withdrawn, once', async () => {
    const { data } = await invite()
    const withdraw = () => app.call('DELETE', `/invitations/${data.id}`, { token })
    expect((await withdraw()).statusCode).toBe(204)
    expect(await list()).toEqual([])
    const again = await withdraw()
    expect([again.statusCode, again.data.code]).toEqual([404, 'PAI_AUTH_INVITATION_NOT_FOUND'])
  })

  test('another administrator’s invitation is not theirs to withdraw', async () => {
    const { data: invited } = await invite()
    const { data: other } = await app.call('POST', '/auth/register', {
      body: { email: 'grace@example.org', password: PASSWORD, invitation: invited.code }
    })
    await database().pool.query(`UPDATE users SET role = 'admin'`)
    const renewed = await app.call('POST', '/auth/refresh', { body: { refreshToken: other.refreshToken } })
    const { statusCode } = await app.call('DELETE', `/invitations/${invited.id}`, {
      token: renewed.data.accessToken
    })
    expect(statusCode).toBe(404)
    expect(await list()).toHaveLength(1)
  })

  test('an access token whose session has ended invites nobody', async () => {
    await app.call('POST', '/auth/logout', { body: { refreshToken } })
    const { statusCode, data } = await invite()
    expect([statusCode, data.code]).toEqual([401, 'PAI_AUTH_TOKEN_INVALID'])
  })
})
