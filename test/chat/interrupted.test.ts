import { expect, test } from 'vitest'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { callAs, gate, openStream, parseEvents, setUp } from './talk.ts'

describeEachDatabase('a turn whose runner died', (database) => {
  /** A turn that has said "Bees [1]", whose lease somebody let run out. */
  async function setUpAbandoned({ temporary = false } = {}) {
    const { step, open } = gate()
    const { house, owner, call } = await setUp(database(), ({ sources }) =>
      sources.length > 0 ? ['Bees', ' [1]', step, ' in Tromsø'] : ['Noted']
    )
    await call('POST', '/chat', { message: 'I keep bees in Tromsø' })
    const body = { message: 'Where do I keep bees?', temporary }
    const stream = await openStream(house, owner, '/chat', { body })
    const { data } = await stream.until('turn')
    await stream.until('citation')
    await runOut(data.turnId)
    return { house, owner, call, stream, open, turnId: data.turnId as string }
  }

  const runOut = (turnId: string) =>
    database().pool.query(
      `UPDATE turns SET runner_id = gen_random_uuid(), lease_until = now() - interval '1 second' WHERE id = $1`,
      [turnId]
    )
  const storedEvents = async (turnId: string) =>
    (
      await database().pool.query('SELECT id, type, data FROM turn_events WHERE turn_id = $1 ORDER BY id', [
        turnId
      ])
    ).rows

  test('ends as interrupted with the words and citations so far, for everyone who follows it', async () => {
    const { house, call, stream, turnId } = await setUpAbandoned()
    expect(await house.services.chat.interruptAbandoned(false)).toBe(1)
    const turn = (await call('GET', `/turns/${turnId}`)).data
    expect(turn).toMatchObject({
      status: 'interrupted',
      error: { code: 'PAI_CHAT_TURN_INTERRUPTED', retryable: true },
      message: { content: 'Bees [1]', citations: [{ index: 1, quote: 'I keep bees in Tromsø' }] }
    })
    const events = await stream.all()
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
    expect(events.slice(-3)).toMatchObject([
      { type: 'usage' },
      { type: 'error', data: turn.error },
      { type: 'done', data: { status: 'interrupted', messageId: turn.message.id } }
    ])
    expect(parseEvents((await call('GET', `/turns/${turnId}/events`)).text)).toEqual(events)
  })

  test('is ended once when two processes sweep at the same time', async () => {
    const { house, call, turnId } = await setUpAbandoned()
    const node = await buildTestApp(database())
    const counts = await Promise.all(
      [house, node, house, node].map(({ services }) => services.chat.interruptAbandoned(false))
    )
    expect(counts.reduce((sum, count) => sum + count)).toBe(1)
    const { conversationId } = (await call('GET', `/turns/${turnId}`)).data
    const { items } = (await call('GET', `/conversations/${conversationId}/messages`)).data
    expect(items.map(({ content }: { content: string }) => content)).toEqual([
      'Where do I keep bees?',
      'Bees [1]'
    ])
    expect((await storedEvents(turnId)).filter(({ type }) => type === 'done')).toHaveLength(1)
    await node.close()
  })

  test('and was only slow writes nothing more once the turn was taken from it', async () => {
    const { house, call, open, turnId } = await setUpAbandoned()
    await house.services.chat.interruptAbandoned(false)
    const turn = (await call('GET', `/turns/${turnId}`)).data
    const events = await storedEvents(turnId)
    const { conversationId } = turn
    const messages = (await call('GET', `/conversations/${conversationId}/messages`)).data
    open()
    await eventually(() => expect(house.services.runner.active).toBe(0))
    expect(await storedEvents(turnId)).toEqual(events)
    expect((await call('GET', `/turns/${turnId}`)).data).toEqual(turn)
    expect((await call('GET', `/conversations/${conversationId}/messages`)).data).toEqual(messages)
    expect(house.failures).toEqual([])
  })

  test('and was only slow keeps the turn when it renews its lease before it is ended', async () => {
    const { house, call, stream, open, turnId } = await setUpAbandoned()
    const { rows } = await database().pool.query('SELECT runner_id AS id FROM turns WHERE id = $1', [turnId])
    // The sweep has found the turn; at this moment its runner, `rows[0].id`, comes back.
    const { services } = await buildTestApp({
      ...database(),
      inOwner: async (ownerId, work) => {
        await database().pool.query(
          `UPDATE turns SET lease_until = now() + interval '15 seconds', runner_id = $2 WHERE id = $1`,
          [turnId, house.services.runner.id]
        )
        return database().inOwner(ownerId, work)
      }
    })
    expect(rows[0]?.id).not.toBe(house.services.runner.id)
    expect(await services.chat.interruptAbandoned(false)).toBe(0)
    open()
    await stream.until('done')
    expect((await call('GET', `/turns/${turnId}`)).data).toMatchObject({
      status: 'completed',
      message: { content: 'Bees [1] in Tromsø' }
    })
    await services.queue.close(0)
  })

  test('is left alone while its lease holds, except where no other process can be running it', async () => {
    const { house, owner, call, turnId } = await setUpAbandoned()
    await database().pool.query(
      `UPDATE turns SET lease_until = now() + interval '15 seconds' WHERE id = $1`,
      [turnId]
    )
    const node = await buildTestApp(database())
    expect(await node.services.chat.interruptAbandoned(false)).toBe(0)
    expect((await call('GET', `/turns/${turnId}`)).data.status).toBe('running')
    expect(await node.services.chat.interruptAbandoned(true)).toBe(1)
    expect((await callAs(node, owner)('GET', `/turns/${turnId}`)).data.status).toBe('interrupted')
    expect(house.failures).toEqual([])
    await node.close()
  })

  test('leaves the jobs and index rows that any turn leaves, a temporary one none', async () => {
    for (const temporary of [false, true]) {
      const { house, owner, turnId } = await setUpAbandoned({ temporary })
      await house.services.chat.interruptAbandoned(false)
      const { rows } = await database().pool.query(
        `SELECT (SELECT count(*)::int FROM pgboss.job, turns WHERE turns.id = $1
                  AND data -> 'messageIds' ? user_message_id::text) AS jobs,
                EXISTS (SELECT FROM message_terms JOIN messages USING (owner_id, id)
                  WHERE owner_id = $2 AND content = 'Where do I keep bees?') AS indexed`,
        [turnId, owner.id]
      )
      expect(rows).toEqual([temporary ? { jobs: 0, indexed: false } : { jobs: 2, indexed: true }])
    }
  })

  test('cannot hold up the others when it cannot be ended', async () => {
    const broken = await setUpAbandoned()
    const sound = await setUpAbandoned()
    await database().pool.query(`UPDATE turns SET lease_until = now() - interval '1 hour' WHERE id = $1`, [
      broken.turnId
    ])
    const fault = new Error('this one cannot be ended')
    const { services } = await buildTestApp({
      ...database(),
      inOwner: (ownerId, work) =>
        ownerId === broken.owner.id ? Promise.reject(fault) : database().inOwner(ownerId, work)
    })
    await expect(services.chat.interruptAbandoned(false)).rejects.toBe(fault)
    expect((await sound.call('GET', `/turns/${sound.turnId}`)).data.status).toBe('interrupted')
    expect(await sound.house.services.chat.interruptAbandoned(false)).toBe(1)
    await services.queue.close(0)
  })
})
