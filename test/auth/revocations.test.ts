import { expect, onTestFinished, test, vi } from 'vitest'
import { callAs, gate, openStream } from '../chat/talk.ts'
import { buildTestApp, scriptedModel, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

describeEachDatabase('what ends a session', (database) => {
  /** Two processes on one database, and somebody who is signed in. */
  async function setUp(script: Parameters<typeof scriptedModel>[0] = ['Hello']) {
    const chat = scriptedModel(script)
    const one = await buildTestApp(database(), { llm: { chat } })
    const other = await buildTestApp(database(), { llm: { chat } })
    const email = `${crypto.randomUUID()}@example.org`
    const password = 'bees in Tromsø'
    const registered = await one.app.inject({
      method: 'POST',
      url: '/v1/auth/register',
      payload: { email, password, name: 'Ada' }
    })
    const { user, accessToken, refreshToken } = registered.json()
    const owner = { id: user.id, accessToken, headers: { authorization: `Bearer ${accessToken}` } }
    const signOut = (house: TestApp) =>
      house.app.inject({ method: 'POST', url: '/v1/auth/logout', payload: { refreshToken } })
    const close = async () => {
      await other.close()
      await one.close()
    }
    return { one, other, owner, password, refreshToken, signOut, close }
  }

  test('signed out on one node, its access token is refused there at once, and everywhere within a second', async () => {
    const { one, other, owner, signOut, close } = await setUp()
    expect((await callAs(other, owner)('GET', '/me')).status).toBe(200)
    expect((await signOut(one)).statusCode).toBe(204)
    expect((await callAs(one, owner)('GET', '/me')).data.code).toBe('PAI_AUTH_TOKEN_INVALID')
    const ended = performance.now()
    await eventually(async () => expect((await callAs(other, owner)('GET', '/me')).status).toBe(401))
    expect(performance.now() - ended).toBeLessThan(1_000)
    await close()
  })

  test('a node that starts later knows it too', async () => {
    const { one, owner, signOut, close } = await setUp()
    await signOut(one)
    const later = await buildTestApp(database())
    expect((await callAs(later, owner)('GET', '/me')).status).toBe(401)
    await later.close()
    await close()
  })

  test('it stays ended when the clock is set ahead and back', async () => {
    const { one, owner, signOut, close } = await setUp()
    const another = await setUp()
    const { refreshToken } = another
    await signOut(one)
    onTestFinished(() => void vi.useRealTimers())
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    // What is old is forgotten when something new is to be kept in mind.
    await one.app.inject({ method: 'POST', url: '/v1/auth/logout', payload: { refreshToken } })
    vi.useRealTimers()
    expect((await callAs(one, owner)('GET', '/me')).status).toBe(401)
    await another.close()
    await close()
  })

  test('an open stream ends with the session that reads it, and the turn goes on', async () => {
    const { step, open } = gate()
    const { one, other, owner, signOut, close } = await setUp(['Hello', step, ' Ada'])
    const stream = await openStream(one, owner, '/chat', { body: { message: 'Hi' } })
    await stream.until('text-delta')
    await signOut(other)
    expect((await stream.all()).map(({ type }) => type)).toEqual(['turn', 'text-delta'])
    expect(one.services.runner.active).toBe(1)
    open()
    await eventually(() => expect(one.services.runner.active).toBe(0))
    await close()
  })

  test('a key that is revoked ends the streams it reads', async () => {
    const { step, open } = gate()
    const { one, other, owner, close } = await setUp(['Hello', step])
    const { id, key } = (await callAs(other, owner)('POST', '/api-keys', { name: 'reader' })).data
    const byKey = { ...owner, headers: { authorization: `Bearer ${key}` } }
    const stream = await openStream(one, byKey, '/chat', { body: { message: 'Hi' } })
    await stream.until('text-delta')
    expect((await callAs(other, owner)('DELETE', `/api-keys/${id}`)).status).toBe(204)
    expect((await stream.all()).map(({ type }) => type)).toEqual(['turn', 'text-delta'])
    open()
    await close()
  })

  test('who begins to wait after the credentials ended is called back as well, unless they have let go', async () => {
    const { one, owner, close } = await setUp()
    const { id } = (await callAs(one, owner)('POST', '/api-keys', { name: 'late' })).data
    const credentials = { id: owner.id, role: 'user', sessionId: null, apiKeyId: id, scopes: [] } as const
    const called: string[] = []
    const { onSignedOut } = one.services.accounts
    onSignedOut(credentials, () => called.push('before'))
    await callAs(one, owner)('DELETE', `/api-keys/${id}`)
    await eventually(() => expect(called).toEqual(['before']))
    onSignedOut(credentials, () => called.push('left'))()
    onSignedOut(credentials, () => called.push('after'))
    await eventually(() => expect(called).toEqual(['before', 'after']))
    await close()
  })

  test('a removed account is refused on every node', async () => {
    const first = await setUp()
    const { one, other, owner, password, close } = await setUp()
    const removed = await callAs(one, owner)('DELETE', '/me', { password })
    expect(removed.status).toBe(204)
    await eventually(async () => expect((await callAs(other, owner)('GET', '/memories')).status).toBe(401))
    await close()
    await first.close()
  })
})
