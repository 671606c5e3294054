import { hash } from '@node-rs/argon2'
import { beforeEach, expect, test } from 'vitest'
import { createAccessTokens } from '../../src/auth/access-tokens.ts'
import { createPasswords } from '../../src/auth/passwords.ts'
import { createSignIn } from '../../src/auth/sign-in.ts'
import { findPasswordHash, replacePasswordHash } from '../../src/auth/store.ts'
import { describeEachDatabase } from '../support/database.ts'
import { createAccountsApp, PASSWORD, removeEveryone, SECRET } from './accounts-app.ts'

describeEachDatabase('signing in', (database) => {
  beforeEach(() => removeEveryone(database()))

  test('the right password opens a session of its own each time', async () => {
    const { call, join } = await createAccountsApp(database())
    const { user, refreshToken } = await join('ada@example.org')
    const { statusCode, data } = await call('POST', '/auth/login', {
      body: { email: ' Ada@Example.org', password: PASSWORD }
    })
    expect(statusCode).toBe(200)
    expect(data).toMatchObject({ user, expiresIn: 900, refreshToken: expect.stringMatching(/^pair_/) })
    expect(data.refreshToken).not.toBe(refreshToken)
    expect((await call('GET', '/me', { token: data.accessToken })).data.id).toBe(user.id)
  })

  test('a wrong password and an unknown address get one and the same answer', async () => {
    const { call, join } = await createAccountsApp(database())
    await join('ada@example.org')
    const answers = await Promise.all(
      [
        { email: 'ada@example.org', password: 'not it' },
        { email: 'nobody@example.org', password: PASSWORD }
      ].map((body) => call('POST', '/auth/login', { body }))
    )
    for (const { statusCode, data, headers } of answers) {
      expect(statusCode).toBe(401)
      expect(data.code).toBe('PAI_AUTH_CREDENTIALS_WRONG')
      expect(headers['www-authenticate']).toMatch(/^Bearer/)
    }
    const [wrong, unknown] = answers.map(({ data }) => ({ ...data, requestId: '' }))
    expect(wrong).toEqual(unknown)
  })

  test('an unknown address costs a password check like a known one', async () => {
    const { join } = await createAccountsApp(database())
    await join('ada@example.org')
    const checked: (string | undefined)[] = []
    const passwords = createPasswords()
    const signIn = createSignIn({
      database: database(),
      accessTokens: await createAccessTokens(SECRET),
      passwords: {
        ...passwords,
        verify(known, password) {
          checked.push(known)
          return passwords.verify(known, password)
        }
      }
    })
    await expect(signIn({ email: 'nobody@example.org', password: PASSWORD })).rejects.toThrow()
    await expect(signIn({ email: 'ada@example.org', password: 'not it' })).rejects.toThrow()
    expect(checked).toEqual([undefined, expect.stringMatching(/^\$argon2id\$/)])
  })

  test('a password hashed more cheaply is hashed anew, and still works', async () => {
    const { call, join } = await createAccountsApp(database())
    await join('ada@example.org')
    const cheap = await hash(PASSWORD, { memoryCost: 8_192, timeCost: 1, parallelism: 1 })
    await database().pool.query('UPDATE users SET password_hash = $1', [cheap])
    const body = { email: 'ada@example.org', password: PASSWORD }
    expect((await call('POST', '/auth/login', { body: { ...body, password: 'no' } })).statusCode).toBe(401)
    const stored = async () =>
      (await database().pool.query('SELECT password_hash FROM users')).rows[0].password_hash
    expect(await stored()).toBe(cheap)
    expect((await call('POST', '/auth/login', { body })).statusCode).toBe(200)
    const renewed = await stored()
    expect(renewed).toContain('m=19456,t=2,p=1')
    expect((await call('POST', '/auth/login', { body })).statusCode).toBe(200)
    expect(await stored()).toBe(renewed)
  })

  test('hashing anew does not bring back a password that was changed meanwhile', async () => {
    const { join } = await createAccountsApp(database())
    const { user } = await join('ada@example.org')
    await database().inOwner(user.id, async (tx) => {
      const changed = await findPasswordHash(tx, user.id)
      await replacePasswordHash(tx, user.id, 'the hash before', 'the old password, hashed anew')
      expect(await findPasswordHash(tx, user.id)).toBe(changed)
    })
  })

  test('sessions that ended long ago are swept away', async () => {
    const { call, join } = await createAccountsApp(database())
    await join('ada@example.org')
    await database().pool.query(`UPDATE refresh_tokens SET expires_at = now() - interval '1 second'`)
    const body = { email: 'ada@example.org', password: PASSWORD }
    await call('POST', '/auth/login', { body })
    await call('POST', '/auth/login', { body })
    const { rows } = await database().pool.query(
      'SELECT (SELECT count(*)::int FROM sessions) AS sessions, (SELECT count(*)::int FROM refresh_tokens) AS tokens'
    )
    expect(rows[0]).toEqual({ sessions: 2, tokens: 2 })
  })
})
