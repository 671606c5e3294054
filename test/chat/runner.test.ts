import { expect, onTestFinished, test } from 'vitest'
import { renewLeases } from '../../src/db/system.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { callAs, gate, openStream, setUp } from './talk.ts'

const INTERRUPTED = { code: 'PAI_CHAT_TURN_INTERRUPTED', message: expect.any(String), retryable: true }

describeEachDatabase('the runner', (database, kind) => {
  /** A turn that has said "Hello" and waits. */
  async function setUpWaiting() {
    const { step, open } = gate()
    const { house, owner, call, model } = await setUp(database(), ['Hello', step, ' Ada'])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    const { data } = await stream.until('turn')
    await stream.until('text-delta')
    return { house, owner, call, model, stream, open, turnId: data.turnId as string }
  }

  test('closing without grace ends its turns as interrupted, with their words, and tells who follows', async () => {
    const { house, call, stream, turnId } = await setUpWaiting()
    await house.services.runner.close(0)
    expect(house.services.runner.active).toBe(0)
    const events = await stream.all()
    expect(events.map(({ type }) => type)).toEqual(['turn', 'text-delta', 'usage', 'error', 'done'])
    expect(events.at(-2)?.data).toEqual(INTERRUPTED)
    const turn = (await call('GET', `/turns/${turnId}`)).data
    expect(turn).toMatchObject({ status: 'interrupted', message: { content: 'Hello' }, error: INTERRUPTED })
    expect(events.at(-1)?.data).toEqual({ status: 'interrupted', messageId: turn.message.id })
  })

  test('closing with grace lets a turn end by itself', async () => {
    const { house, call, open, turnId } = await setUpWaiting()
    const closing = house.services.runner.close(20_000)
    open()
    await closing
    expect((await call('GET', `/turns/${turnId}`)).data).toMatchObject({
      status: 'completed',
      message: { content: 'Hello Ada' }
    })
  })

  // On one connection, whatever holds a row holds everything.
  test.runIf(kind === 'postgres')(
    'closing, it has no ending wait for another of its owner that cannot be stored',
    async () => {
      const { house, owner, open, turnId } = await setUpWaiting()
      const other = await openStream(house, owner, '/chat', { body: { message: 'Ho' } })
      await other.until('text-delta')
      const holder = await database().pool.connect()
      onTestFinished(async () => {
        await holder.query('ROLLBACK')
        holder.release()
      })
      await holder.query('BEGIN')
      await holder.query('SELECT 1 FROM turns WHERE id = $1 FOR UPDATE', [turnId])
      const closing = house.services.runner.close(0)
      expect((await other.all()).at(-1)?.data).toMatchObject({ status: 'interrupted' })
      await eventually(() => expect(house.services.runner.active).toBe(1))
      await holder.query('ROLLBACK')
      open()
      await closing
    }
  )

  test('who waits for a whole turn has the answer before the connections are closed', async () => {
    const { house, owner, open } = await setUpWaiting()
    const asked = fetch(`${await house.listen()}/v1/chat`, {
      method: 'POST',
      headers: { ...owner.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'Hi' })
    })
    await eventually(() => expect(house.services.runner.active).toBe(2))
    const closed = house.services.runner.close(20_000).then(() => house.app.close())
    open()
    await closed
    expect(await (await asked).json()).toMatchObject({
      status: 'completed',
      message: { content: 'Hello Ada' }
    })
  })

  test('a message accepted while it closes is kept, and its turn cut off like the others', async () => {
    const { house, call } = await setUpWaiting()
    await house.services.runner.close(0)
    const { status, data } = await call('POST', '/chat', { message: 'Too late?' })
    expect(status).toBe(200)
    expect(data).toMatchObject({ status: 'interrupted', message: null, error: INTERRUPTED })
    expect((await call('GET', `/conversations/${data.conversationId}/messages`)).data.items).toMatchObject([
      { content: 'Too late?' }
    ])
  })

  test('an interrupted message can be answered again', async () => {
    const { house, owner, turnId, call, open } = await setUpWaiting()
    await house.services.runner.close(0)
    open()
    const { message } = (await call('GET', `/turns/${turnId}`)).data
    const node = await buildTestApp(database())
    const again = await callAs(node, owner)('POST', `/messages/${message.id}/regenerate`)
    expect(again.data).toMatchObject({ status: 'completed', message: { parentId: message.parentId } })
    await node.close()
  })

  test('a turn’s lease is renewed for as long as it runs', async () => {
    const { house, call, stream, open, turnId } = await setUpWaiting()
    const lease = async () => {
      const { rows } = await database().pool.query('SELECT lease_until AS until FROM turns WHERE id = $1', [
        turnId
      ])
      return rows[0]?.until as Date | null
    }
    const first = await lease()
    await eventually(async () => expect(await lease()).not.toEqual(first))
    expect((await lease())?.getTime()).toBeGreaterThan(first?.getTime() ?? 0)
    expect(await house.services.chat.interruptAbandoned(false)).toBe(0)
    open()
    await stream.all()
    expect(await lease()).toBeNull()
    expect((await call('GET', `/turns/${turnId}`)).data.status).toBe('completed')
  })

  // On one connection, whatever holds a row holds everything.
  test.runIf(kind === 'postgres')(
    'a turn that somebody has locked keeps no other’s lease from being renewed',
    async () => {
      const { house, owner, turnId } = await setUpWaiting()
      const other = await openStream(house, owner, '/chat', { body: { message: 'Ho' } })
      const otherId = (await other.until('turn')).data.turnId as string
      await other.until('text-delta')
      await database().pool.query('UPDATE turns SET lease_until = now() WHERE id = $1', [otherId])
      const holder = await database().pool.connect()
      onTestFinished(async () => {
        await holder.query('ROLLBACK')
        holder.release()
      })
      await holder.query('BEGIN')
      await holder.query('SELECT 1 FROM turns WHERE id = $1 FOR UPDATE', [turnId])
      const { id } = house.services.runner
      const kept = await renewLeases(database(), id, [turnId, otherId])
      expect([...kept.keys()].toSorted()).toEqual([turnId, otherId].toSorted())
      const { rows } = await database().pool.query(
        'SELECT lease_until > now() AS held FROM turns WHERE id = $1',
        [otherId]
      )
      expect(rows).toEqual([{ held: true }])
    }
  )

  test('renews only what it runs: a turn whose acceptance it never heard of is found as interrupted', async () => {
    const { house, call, stream, open, turnId } = await setUpWaiting()
    // Stored as this runner's, and the answer lost on the way to it.
    await database().pool.query(
      `INSERT INTO turns (owner_id, id, conversation_id, user_message_id, status, model, options, runner_id, lease_until)
       SELECT owner_id, gen_random_uuid(), conversation_id, user_message_id, 'running', model, options, runner_id, now()
         FROM turns WHERE id = $1`,
      [turnId]
    )
    const lease = async () =>
      (await database().pool.query('SELECT lease_until AS until FROM turns WHERE id = $1', [turnId])).rows[0]
        ?.until
    const first = await lease()
    await eventually(async () => expect(await lease()).not.toEqual(first))
    expect(await house.services.chat.interruptAbandoned(false)).toBe(1)
    open()
    await stream.all()
    expect((await call('GET', `/turns/${turnId}`)).data.status).toBe('completed')
  })
})
