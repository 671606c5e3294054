import { beforeEach, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'
import { type AccountsApp, createAccountsApp, PASSWORD, removeEveryone } from './accounts-app.ts'

describeEachDatabase('renewing a session', (database) => {
  let app: AccountsApp
  let first: string
  let ownerId: string

  beforeEach(async () => {
    await removeEveryone(database())
    app = await createAccountsApp(database())
    const joined = await app.join('ada@example.org')
    first = joined.refreshToken
    ownerId = joined.user.id
  })

  const refresh = (refreshToken: string) => app.call('POST', '/auth/refresh', { body: { refreshToken } })
  const renew = async (refreshToken: string): Promise<string> => {
    const { statusCode, data } = await refresh(refreshToken)
    expect(statusCode).toBe(200)
    return data.refreshToken
  }
  /** Lets time pass for tokens that were spent. */
  const later = (seconds: number) =>
    database().pool.query(`UPDATE refresh_tokens SET used_at = used_at - $1 * interval '1 second'`, [seconds])
  const tokenCount = async () =>
    (await database().pool.query('SELECT count(*)::int AS count FROM refresh_tokens')).rows[0].count

  async function expectEnded(refreshToken: string) {
    const { statusCode, data } = await refresh(refreshToken)
    expect(statusCode).toBe(401)
    expect(data.code).toBe('PAI_AUTH_REFRESH_INVALID')
  }

  test('each renewal gives the next token and an access token that works', async () => {
    const { data } = await refresh(first)
    expect(data).toMatchObject({ user: { id: ownerId }, expiresIn: 900 })
    expect(data.refreshToken).toMatch(/^pair_[\w-]{43}$/)
    expect(data.refreshToken).not.toBe(first)
    expect((await app.call('GET', '/me', { token: data.accessToken })).statusCode).toBe(200)
    const third = await renew(await renew(data.refreshToken))
    expect(new Set([first, data.refreshToken, third]).size).toBe(3)
  })

  test('a token sent twice within ten seconds gets the same successor', async () => {
    const second = await renew(first)
    await later(9)
    expect(await renew(first)).toBe(second)
    expect(await tokenCount()).toBe(2)
    expect(await renew(second)).toMatch(/^pair_/)
  })

  test('many renewals at once with one token agree on one successor', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => refresh(first)))
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ data }) => data.refreshToken)).size).toBe(1)
    expect(await tokenCount()).toBe(2)
  })

  test('a spent token after ten seconds ends the session, for whoever has its successor too', async () => {
    const second = await renew(first)
    await later(11)
    await expectEnded(first)
    await expectEnded(second)
    await expectEnded(first)
  })

  test('only the last spent token may come again: the one before it ends the session', async () => {
    const second = await renew(first)
    const third = await renew(second)
    await expectEnded(first)
    await expectEnded(third)
    await expectEnded(second)
  })

  test('the end of one session leaves the others', async () => {
    const { data: other } = await app.call('POST', '/auth/login', {
      body: { email: 'ada@example.org', password: PASSWORD }
    })
    const second = await renew(first)
    await later(11)
    await expectEnded(first)
    await expectEnded(second)
    await renew(other.refreshToken)
  })

  test('a token is good for thirty days', async () => {
    const { rows } = await database().pool.query(
      `SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int AS days FROM refresh_tokens`
    )
    expect(rows).toEqual([{ days: 30 }])
    await database().pool.query(`UPDATE refresh_tokens SET expires_at = now() - interval '1 second'`)
    await expectEnded(first)
  })

  test('a successor has thirty days of its own, and tokens past theirs are dropped', async () => {
    const second = await renew(first)
    await database().pool.query(
      `UPDATE refresh_tokens SET expires_at = now() - interval '1 second' WHERE used_at IS NOT NULL`
    )
    await renew(second)
    expect(await tokenCount()).toBe(2)
    await expectEnded(first)
  })

  test('a renewal carries the account as it is now', async () => {
    await database().pool.query(`UPDATE users SET role = 'member', name = 'Ada L.'`)
    const { data } = await refresh(first)
    expect(data.user).toMatchObject({ role: 'member', name: 'Ada L.' })
    const { statusCode } = await app.call('GET', '/invitations', { token: data.accessToken })
    expect(statusCode).toBe(403)
  })

  test('what is no refresh token is refused', async () => {
    const { accessToken } = (await refresh(first)).data
    for (const token of [
      'pair_',
      `pair_${'A'.repeat(43)}`,
      `${first} `,
      first.toLowerCase(),
      accessToken.slice(0, 200)
    ])
      await expectEnded(token)
    const missing = await app.call('POST', '/auth/refresh', { body: {} })
    expect(missing.statusCode).toBe(401)
    expect(missing.data.code).toBe('PAI_AUTH_REFRESH_INVALID')
    for (const refreshToken of [null, 1, [first], '', { $ne: null }]) {
      const { statusCode, data } = await app.call('POST', '/auth/refresh', { body: { refreshToken } })
      expect(statusCode).toBe(400)
      expect(data.code).toBe('PAI_VALIDATION')
    }
    expect((await app.call('POST', `/auth/refresh?refreshToken=${first}`, { body: {} })).statusCode).toBe(401)
  })

  test('signing out ends the session, with any of its tokens, and says so however often', async () => {
    const second = await renew(first)
    for (const refreshToken of [first, first, second, 'pair_unknown']) {
      const { statusCode, body } = await app.call('POST', '/auth/logout', { body: { refreshToken } })
      expect(statusCode).toBe(204)
      expect(body).toBe('')
    }
    await expectEnded(second)
  })

  test('signing out leaves other sessions', async () => {
    const { data: other } = await app.call('POST', '/auth/login', {
      body: { email: 'ada@example.org', password: PASSWORD }
    })
    await app.call('POST', '/auth/logout', { body: { refreshToken: first } })
    await expectEnded(first)
    await renew(other.refreshToken)
  })
})
