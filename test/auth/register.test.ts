import { beforeEach, expect, test, vi } from 'vitest'
import { spendInvitation } from '../../src/auth/store.ts'
import { describeEachDatabase } from '../support/database.ts'
import { createAccountsApp, PASSWORD, removeEveryone } from './accounts-app.ts'

const ELSEWHERE = { loopback: false, bootstrapToken: 'the-token-in-the-log' }

describeEachDatabase('registering', (database, kind) => {
  beforeEach(() => removeEveryone(database()))

  const rolesOf = async () =>
    (await database().pool.query('SELECT role FROM users ORDER BY role')).rows.map(({ role }) => role)
  const account = (name: string, more: object = {}) => ({
    email: `${name}@example.org`,
    password: PASSWORD,
    ...more
  })

  test('the first account on this machine is the administrator, and others are members', async () => {
    const { call } = await createAccountsApp(database())
    const first = await call('POST', '/auth/register', { body: account('ada', { name: ' Ada ' }) })
    expect(first.statusCode).toBe(201)
    expect(first.data).toEqual({
      user: { id: expect.any(String), email: 'ada@example.org', name: 'Ada', role: 'admin' },
      accessToken: expect.any(String),
      refreshToken: expect.stringMatching(/^pair_[\w-]{43}$/),
      expiresIn: 900
    })
    const second = await call('POST', '/auth/register', { body: account('grace') })
    expect(second.data.user).toMatchObject({ role: 'member', name: 'grace' })
    const me = await call('GET', '/me', { token: second.data.accessToken })
    expect(me.data.email).toBe('grace@example.org')
  })

  test.each(['open', 'invite', 'closed'] as const)(
    'on this machine the first account needs nothing where registration is %s',
    async (registration) => {
      const { call } = await createAccountsApp(database(), { registration })
      const { data } = await call('POST', '/auth/register', { body: account('ada') })
      expect(data.user.role).toBe('admin')
    }
  )

  test('elsewhere the first account needs the token in the log, in every mode', async () => {
    for (const registration of ['open', 'invite', 'closed'] as const) {
      await removeEveryone(database())
      const { call } = await createAccountsApp(database(), { ...ELSEWHERE, registration })
      const without = await call('POST', '/auth/register', { body: account('ada') })
      expect(without.statusCode).toBe(403)
      expect(without.data.code).toBe('PAI_AUTH_INVITATION_REQUIRED')
      const wrong = await call('POST', '/auth/register', { body: account('ada', { invitation: 'a-guess' }) })
      expect(wrong.data.code).toBe('PAI_AUTH_INVITATION_INVALID')
      expect(await rolesOf()).toEqual([])
      const right = await call('POST', '/auth/register', {
        body: account('ada', { invitation: ELSEWHERE.bootstrapToken })
      })
      expect(right.data.user.role).toBe('admin')
    }
  })

  test('elsewhere, without a token to compare with, nobody becomes the administrator', async () => {
    const { call } = await createAccountsApp(database(), { loopback: false, bootstrapToken: null })
    const { data } = await call('POST', '/auth/register', { body: account('ada', { invitation: 'null' }) })
    expect(data.code).toBe('PAI_AUTH_INVITATION_INVALID')
  })

  test('the token in the log is no invitation once there is an account', async () => {
    const { call } = await createAccountsApp(database(), { ...ELSEWHERE, registration: 'invite' })
    const invitation = ELSEWHERE.bootstrapToken
    await call('POST', '/auth/register', { body: account('ada', { invitation }) })
    const { data } = await call('POST', '/auth/register', { body: account('eve', { invitation }) })
    expect(data.code).toBe('PAI_AUTH_INVITATION_INVALID')
  })

  test('of many first registrations at once one is the administrator', async () => {
    const { call } = await createAccountsApp(database())
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        call('POST', '/auth/register', { body: account(`first-${index}`) })
      )
    )
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(6).fill(201))
    expect(await rolesOf()).toEqual(['admin', ...Array(5).fill('member')])
  })

  test('a closed server takes nobody else', async () => {
    const { call, join } = await createAccountsApp(database(), { registration: 'closed' })
    await join('ada@example.org')
    const { statusCode, data } = await call('POST', '/auth/register', { body: account('eve') })
    expect(statusCode).toBe(403)
    expect(data.code).toBe('PAI_AUTH_REGISTRATION_CLOSED')
  })

  test('an invitation admits one person, once', async () => {
    const { call, join } = await createAccountsApp(database(), { registration: 'invite' })
    const { accessToken: token } = await join('ada@example.org')
    const { data: invited } = await call('POST', '/invitations', { body: {}, token })
    const without = await call('POST', '/auth/register', { body: account('grace') })
    expect(without.data.code).toBe('PAI_AUTH_INVITATION_REQUIRED')
    const body = account('grace', { invitation: invited.code })
    const { statusCode, data } = await call('POST', '/auth/register', { body })
    expect(statusCode).toBe(201)
    expect(data.user.role).toBe('member')
    const again = await call('POST', '/auth/register', {
      body: account('eve', { invitation: invited.code })
    })
    expect(again.data.code).toBe('PAI_AUTH_INVITATION_INVALID')
  })

  test('of several who use one invitation at once, one gets in', async () => {
    const { call, join } = await createAccountsApp(database(), { registration: 'invite' })
    const { accessToken: token } = await join('ada@example.org')
    const { data: invited } = await call('POST', '/invitations', { body: {}, token })
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        call('POST', '/auth/register', { body: account(`guest-${index}`, { invitation: invited.code }) })
      )
    )
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 403, 403, 403, 403])
    expect(await rolesOf()).toEqual(['admin', 'member'])
  })

  test('an invitation that is expired, withdrawn or made up admits nobody', async () => {
    const { call, join } = await createAccountsApp(database(), { registration: 'invite' })
    const { accessToken: token } = await join('ada@example.org')
    const expired = (await call('POST', '/invitations', { body: {}, token })).data
    await database().pool.query(`UPDATE invitations SET expires_at = now() - interval '1 second'`)
    const withdrawn = (await call('POST', '/invitations', { body: {}, token })).data
    await call('DELETE', `/invitations/${withdrawn.id}`, { token })
    for (const code of [expired.code, withdrawn.code, 'inv_made-up']) {
      const { data } = await call('POST', '/auth/register', { body: account('eve', { invitation: code }) })
      expect(data.code).toBe('PAI_AUTH_INVITATION_INVALID')
    }
  })

  test('an invitation is spent once, in its time, by its owner', async () => {
    const { call, join } = await createAccountsApp(database(), { registration: 'invite' })
    const { accessToken: token, user } = await join('ada@example.org')
    const { data: good } = await call('POST', '/invitations', { body: {}, token })
    const { data: late } = await call('POST', '/invitations', { body: {}, token })
    await database().pool.query(
      `UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1`,
      [late.id]
    )
    const spend = (ownerId: string, id: string) =>
      database().inOwner(ownerId, (tx) => spendInvitation(tx, ownerId, id))
    expect(await spend(good.id, good.id)).toBe(false)
    expect(await spend(user.id, late.id)).toBe(false)
    expect(await spend(user.id, good.id)).toBe(true)
    expect(await spend(user.id, good.id)).toBe(false)
  })

  // The embedded database does one transaction at a time.
  test.skipIf(kind === 'embedded')('an invitation withdrawn at the last moment admits nobody', async () => {
    const { call, join } = await createAccountsApp(database(), { registration: 'invite' })
    const { accessToken: token } = await join('ada@example.org')
    const { data: invited } = await call('POST', '/invitations', { body: {}, token })
    const withdrawing = await database().pool.connect()
    await withdrawing.query('BEGIN')
    await withdrawing.query('DELETE FROM invitations')
    const registering = call('POST', '/auth/register', {
      body: account('eve', { invitation: invited.code })
    })
    await vi.waitFor(async () => {
      const { rows } = await database().pool.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      )
      expect(rows).toHaveLength(1)
    }, 10_000)
    await withdrawing.query('COMMIT')
    withdrawing.release()
    expect((await registering).data.code).toBe('PAI_AUTH_INVITATION_INVALID')
    expect(await rolesOf()).toEqual(['admin'])
  })

  test('a registration that fails does not use up its invitation', async () => {
    const { call, join } = await createAccountsApp(database(), { registration: 'invite' })
    const { accessToken: token } = await join('ada@example.org')
    const { data: invited } = await call('POST', '/invitations', { body: {}, token })
    const taken = await call('POST', '/auth/register', {
      body: account('ada', { invitation: invited.code })
    })
    expect(taken.statusCode).toBe(409)
    const free = await call('POST', '/auth/register', {
      body: account('grace', { invitation: invited.code })
    })
    expect(free.statusCode).toBe(201)
  })

  test('an address has one account, however it is typed', async () => {
    const { call, join } = await createAccountsApp(database())
    await join('ada@example.org')
    const { statusCode, data } = await call('POST', '/auth/register', {
      body: { email: '  ADA@Example.ORG ', password: PASSWORD }
    })
    expect(statusCode).toBe(409)
    expect(data.code).toBe('PAI_AUTH_EMAIL_TAKEN')
  })

  test('of two with one address at once, one gets it', async () => {
    const { call, join } = await createAccountsApp(database())
    await join('ada@example.org')
    const answers = await Promise.all(
      [1, 2, 3].map(() => call('POST', '/auth/register', { body: account('grace') }))
    )
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409, 409])
  })

  test('the longest password works whole', async () => {
    const { call } = await createAccountsApp(database())
    const password = 'ø'.repeat(256)
    const { statusCode } = await call('POST', '/auth/register', { body: account('ada', { password }) })
    expect(statusCode).toBe(201)
    const short = await call('POST', '/auth/login', { body: account('ada', { password: 'ø'.repeat(255) }) })
    expect(short.statusCode).toBe(401)
    expect((await call('POST', '/auth/login', { body: account('ada', { password }) })).statusCode).toBe(200)
  })

  test('neither the password nor a token is in the database', async () => {
    const { join } = await createAccountsApp(database())
    const { refreshToken } = await join('ada@example.org')
    const { rows } = await database().pool.query(
      'SELECT users::text, refresh_tokens::text FROM users, refresh_tokens'
    )
    const dump = JSON.stringify(rows)
    expect(dump).toContain('$argon2id$')
    expect(dump).not.toContain(PASSWORD)
    expect(dump).not.toContain(refreshToken)
    expect(dump).not.toContain(Buffer.from(refreshToken).toString('hex'))
  })
})
