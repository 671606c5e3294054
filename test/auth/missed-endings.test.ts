import { expect, test, vi } from 'vitest'
import { createRevocations } from '../../src/auth/revocations.ts'
import { randomSecret } from '../../src/auth/secrets.ts'
import { createSession, revokeSession } from '../../src/auth/session-store.ts'
import { createApiKey, removeAccount, removeApiKey } from '../../src/auth/store.ts'
import type { Bus } from '../../src/db/bus.ts'
import type { Database } from '../../src/db/client.ts'
import { callAs, gate, openStream } from '../chat/talk.ts'
import { buildTestApp, scriptedModel } from '../support/app.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

describeEachDatabase('what ended while nobody could be told', (database, kind) => {
  /** A process that hears of nothing, an owner with two sessions and a key, and when which of them was seen to end. */
  async function setUp() {
    const owner = await createOwner(database())
    const [one, other, key] = await database().inOwner(owner, async (tx) => {
      const id = crypto.randomUUID()
      const keyHash = Buffer.from(randomSecret('pai_'))
      await createApiKey(tx, owner, { id, name: '', prefix: '', keyHash, scopes: [], expiresAt: null })
      return [await createSession(tx, owner), await createSession(tx, owner), id] as const
    })
    let reconnected = () => {}
    const deaf: Bus = {
      telling: () => ({ channel: '', payload: '' }),
      async tell() {},
      hear() {},
      onReconnect(again) {
        reconnected = again
      },
      async close() {}
    }
    const readInOwner = vi.fn(database().readInOwner)
    const on: Database = { ...database(), readInOwner: readInOwner as Database['readInOwner'] }
    const revocations = await createRevocations(on, deaf)
    const ended: string[] = []
    const watch = (name: string, sessionId: string | null, apiKeyId: string | null) =>
      revocations.onEnd({ id: owner, sessionId, apiKeyId }, () => ended.push(name))
    const release = [watch('one', one, null), watch('other', other, null), watch('key', null, key)]
    const isLive = (sessionId: string, age: number) =>
      revocations.isLive({
        ownerId: owner,
        sessionId,
        role: 'member',
        issuedAt: Math.floor(Date.now() / 1_000) - age
      })
    return { owner, one, other, key, ended, release, isLive, readInOwner, reconnect: () => reconnected() }
  }

  test('ends for those who wait, once it can be seen: keys, sessions and whole accounts', async () => {
    const { owner, one, key, ended, reconnect } = await setUp()
    await database().inOwner(owner, (tx) => removeApiKey(tx, owner, key))
    expect(ended).toEqual([])
    reconnect()
    await eventually(() => expect(ended).toEqual(['key']))
    await database().inOwner(owner, (tx) => revokeSession(tx, owner, one))
    reconnect()
    await eventually(() => expect(new Set(ended)).toEqual(new Set(['key', 'one'])))
    await database().inOwner(owner, (tx) => removeAccount(tx, owner))
    reconnect()
    await eventually(() => expect(new Set(ended)).toEqual(new Set(['key', 'one', 'other'])))
  })

  test('is looked for again where the database did not answer, and not for who has left', async () => {
    const { owner, key, ended, release, readInOwner, reconnect } = await setUp()
    await database().inOwner(owner, (tx) => removeAccount(tx, owner))
    release[0]?.()
    release[1]?.()
    readInOwner.mockRejectedValueOnce(new Error('The database is away'))
    reconnect()
    await eventually(() => expect(ended).toEqual(['key']))
    expect(key).toBeTruthy()
  })

  test('is asked for once with each older access token, and never with one issued since', async () => {
    const { owner, one, other, isLive, readInOwner, reconnect } = await setUp()
    readInOwner.mockClear()
    expect([await isLive(one, 60), await isLive(one, 60), await isLive(one, -60)]).toEqual([true, true, true])
    expect(readInOwner).toHaveBeenCalledTimes(1)
    await database().inOwner(owner, (tx) => removeAccount(tx, owner))
    // Nothing was missed, as far as anyone knows.
    expect(await isLive(one, 60)).toBe(true)
    reconnect()
    expect([await isLive(one, 60), await isLive(other, 60)]).toEqual([false, false])
  })

  test('a process that starts later refuses the tokens of an account that is gone', async () => {
    const house = await buildTestApp(database())
    const admin = await house.register()
    const owner = await house.register()
    await callAs(house, owner)('DELETE', '/me', { password: 'bees in Tromsø' })
    const later = await buildTestApp(database())
    expect((await callAs(later, owner)('GET', '/models')).data.code).toBe('PAI_AUTH_TOKEN_INVALID')
    expect((await callAs(later, admin)('GET', '/models')).status).toBe(200)
    await later.close()
    await house.close()
  })

  test.skipIf(kind === 'embedded')('reaches a node whose connection to listen was broken', async () => {
    const { step, open } = gate()
    const chat = scriptedModel(['Hello', step])
    const house = await buildTestApp(database(), { llm: { chat } })
    const owner = await house.register()
    const { id, key } = (await callAs(house, owner)('POST', '/api-keys', { name: 'reader' })).data
    const byKey = { ...owner, headers: { authorization: `Bearer ${key}` } }
    const stream = await openStream(house, byKey, '/chat', { body: { message: 'Hi' } })
    await stream.until('text-delta')
    // Removed by a node that is gone, while this one heard nothing.
    await database().pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'pai listen'`
    )
    await database().pool.query('DELETE FROM api_keys WHERE id = $1', [id])
    expect((await stream.all()).map(({ type }) => type)).toEqual(['turn', 'text-delta'])
    open()
    await house.close()
  })
})
