import { beforeEach, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'
import { fillEveryTable, ownedTables } from '../support/every-table.ts'
import { type AccountsApp, createAccountsApp, PASSWORD, removeEveryone } from './accounts-app.ts'

describeEachDatabase('the account', (database) => {
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

  const change = (body: object) => app.call('PATCH', '/me', { token, body })

  test('says who is signed in and which model answers', async () => {
    const { statusCode, data } = await app.call('GET', '/me', { token })
    expect(statusCode).toBe(200)
    expect(data).toEqual({
      id: ownerId,
      email: 'ada@example.org',
      name: 'ada',
      role: 'admin',
      timezone: 'UTC',
      locale: 'en',
      instructions: '',
      memoryPaused: false,
      monthlyBudget: null,
      model: 'offline',
      offline: true
    })
  })

  test('keeps what is changed and leaves the rest', async () => {
    const { statusCode, data } = await change({
      name: ' Ada L. ',
      timezone: 'Europe/Oslo',
      locale: 'NB-no',
      instructions: 'Be brief.',
      memoryPaused: true
    })
    expect(statusCode).toBe(200)
    const expected = {
      name: 'Ada L.',
      timezone: 'Europe/Oslo',
      locale: 'nb-NO',
      instructions: 'Be brief.',
      memoryPaused: true
    }
    expect(data).toMatchObject({ ...expected, model: 'offline' })
    await change({ instructions: '' })
    expect((await app.call('GET', '/me', { token })).data).toMatchObject({ ...expected, instructions: '' })
  })

  test('changes nobody else’s', async () => {
    const grace = await app.join('grace@example.org')
    await change({ name: 'Only Ada' })
    expect((await app.call('GET', '/me', { token: grace.accessToken })).data.name).toBe('grace')
  })

  test.each([
    [{ timezone: 'Europe/Atlantis' }, 'PAI_AUTH_TIMEZONE_INVALID'],
    [{ timezone: '+02:00' }, 'PAI_AUTH_TIMEZONE_INVALID'],
    [{ locale: 'not a language' }, 'PAI_AUTH_LOCALE_INVALID'],
    [{ locale: 'en_US' }, 'PAI_AUTH_LOCALE_INVALID'],
    [{}, 'PAI_VALIDATION'],
    [{ role: 'member' }, 'PAI_VALIDATION'],
    [{ email: 'eve@example.org' }, 'PAI_VALIDATION'],
    [{ name: '' }, 'PAI_VALIDATION'],
    [{ instructions: 'x'.repeat(8_001) }, 'PAI_VALIDATION'],
    [{ memoryPaused: 'yes' }, 'PAI_VALIDATION']
  ])('refuses %j', async (body, code) => {
    const before = (await app.call('GET', '/me', { token })).data
    const { statusCode, data } = await change({ ...body })
    expect(statusCode).toBe(400)
    expect(data.code).toBe(code)
    expect((await app.call('GET', '/me', { token })).data).toEqual(before)
  })

  test.each(['UTC', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata', 'Europe/Kyiv'])(
    'takes the time zone %s',
    async (timezone) => {
      expect((await change({ timezone })).data.timezone).toBe(timezone)
    }
  )

  test('is removed with everything it has, and nothing of others', async () => {
    const member = await app.join('grace@example.org')
    const leave = { token: member.accessToken, body: { password: PASSWORD } }
    const tables = await ownedTables(database())
    await fillEveryTable(database(), tables, member.user.id)
    await fillEveryTable(database(), tables, ownerId)
    const countRows = async (owner: string) => {
      const counts = tables.map(
        ({ name, ownerColumn }) =>
          `SELECT '${name}' AS name, count(*)::int AS count FROM ${name} WHERE ${ownerColumn} = $1`
      )
      return (await database().pool.query(counts.join(' UNION ALL '), [owner])).rows
    }
    const others = await countRows(ownerId)
    expect((await countRows(member.user.id)).filter(({ count }) => count === 0)).toEqual([])

    const { statusCode, body } = await app.call('DELETE', '/me', leave)
    expect(statusCode).toBe(204)
    expect(body).toBe('')
    expect((await countRows(member.user.id)).filter(({ count }) => count > 0)).toEqual([])
    expect(await countRows(ownerId)).toEqual(others)

    const again = await app.call('POST', '/auth/login', {
      body: { email: 'grace@example.org', password: PASSWORD }
    })
    expect(again.data.code).toBe('PAI_AUTH_CREDENTIALS_WRONG')
    const refresh = await app.call('POST', '/auth/refresh', { body: { refreshToken: member.refreshToken } })
    expect(refresh.data.code).toBe('PAI_AUTH_REFRESH_INVALID')
  })

  test('its access token is no use for the account any more once it is removed', async () => {
    await app.call('DELETE', '/me', { token, body: { password: PASSWORD } })
    const calls = await Promise.all([
      app.call('GET', '/me', { token }),
      change({ name: 'A ghost' }),
      app.call('DELETE', '/me', { token, body: { password: PASSWORD } }),
      app.call('POST', '/api-keys', { token, body: { name: 'a key' } }),
      app.call('POST', '/invitations', { token, body: {} })
    ])
    expect(calls.map(({ statusCode, data }) => [statusCode, data.code])).toEqual(
      Array(5).fill([401, 'PAI_AUTH_TOKEN_INVALID'])
    )
  })

  test('is not removed without its password', async () => {
    for (const [body, status, code] of [
      [{ password: 'not it' }, 403, 'PAI_AUTH_PASSWORD_WRONG'],
      [{}, 400, 'PAI_VALIDATION'],
      [{ password: null }, 400, 'PAI_VALIDATION']
    ] as const) {
      const { statusCode, data } = await app.call('DELETE', '/me', { token, body })
      expect(statusCode).toBe(status)
      expect(data.code).toBe(code)
    }
    expect((await app.call('GET', '/me', { token })).statusCode).toBe(200)
  })

  test('the last administrator stays while there are others, and may go when alone', async () => {
    const member = await app.join('grace@example.org')
    const leave = { token, body: { password: PASSWORD } }
    const refused = await app.call('DELETE', '/me', leave)
    expect(refused.statusCode).toBe(409)
    expect(refused.data.code).toBe('PAI_AUTH_LAST_ADMINISTRATOR')
    await app.call('DELETE', '/me', { ...leave, token: member.accessToken })
    expect((await app.call('DELETE', '/me', leave)).statusCode).toBe(204)
    expect((await app.join('new@example.org')).user.role).toBe('admin')
  })

  test('a last administrator who goes while somebody comes leaves no server without one', async () => {
    const [gone, joined] = await Promise.all([
      app.call('DELETE', '/me', { token, body: { password: PASSWORD } }),
      app.call('POST', '/auth/register', { body: { email: 'grace@example.org', password: PASSWORD } })
    ])
    expect(joined.statusCode).toBe(201)
    expect([204, 409]).toContain(gone.statusCode)
    const { rows } = await database().pool.query(
      `SELECT count(*)::int AS count FROM users WHERE role = 'admin'`
    )
    expect(rows).toEqual([{ count: 1 }])
  })

  test('a key may look, and changes the account only with that scope', async () => {
    const make = async (scopes?: string[]) =>
      (await app.call('POST', '/api-keys', { token, body: { name: 'a key', ...(scopes ? { scopes } : {}) } }))
        .data.key
    const plain = await make()
    expect((await app.call('GET', '/me', { token: plain })).data.id).toBe(ownerId)
    for (const [method, path] of [
      ['PATCH', '/me'],
      ['DELETE', '/me'],
      ['GET', '/api-keys'],
      ['POST', '/api-keys'],
      ['DELETE', `/api-keys/${ownerId}`],
      ['GET', '/invitations'],
      ['POST', '/invitations'],
      ['DELETE', `/invitations/${ownerId}`]
    ] as const) {
      const { statusCode, data } = await app.call(method, path, {
        token: plain,
        ...(method === 'GET' ? {} : { body: {} })
      })
      expect([method, path, statusCode, data.code]).toEqual([method, path, 403, 'PAI_AUTH_SCOPE'])
    }

    const powerful = await make(['account'])
    expect((await app.call('PATCH', '/me', { token: powerful, body: { name: 'Ada' } })).statusCode).toBe(200)
    expect((await app.call('POST', '/invitations', { token: powerful, body: {} })).statusCode).toBe(201)
    for (const [method, path, body] of [
      ['POST', '/api-keys', { name: 'another' }],
      ['DELETE', '/me', { password: PASSWORD }]
    ] as const) {
      const { statusCode, data } = await app.call(method, path, { token: powerful, body })
      expect([statusCode, data.code]).toEqual([403, 'PAI_AUTH_SESSION_REQUIRED'])
    }
  })
})
