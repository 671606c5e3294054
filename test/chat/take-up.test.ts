import { expect, test } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { gate, openStream, setUp } from './talk.ts'

describeEachDatabase('a turn whose acceptance was not heard of', (database) => {
  const key = { 'idempotency-key': 'again' }

  /** The database, where the answer to each first statement of a kind is what `onCommit` makes of it. */
  function answering(name: 'oneInOwner' | 'inOwner', onCommit: () => Promise<void>): Database {
    const { [name]: real } = database()
    let armed = true
    const first = async (...asked: unknown[]) => {
      const isFirst = armed
      const answer = await (real as (...asked: unknown[]) => Promise<unknown>)(...asked)
      const isAcceptance = isFirst && (await isStored())
      if (isAcceptance) {
        armed = false
        await onCommit()
      }
      return answer
    }
    return { ...database(), [name]: first } as Database
  }

  const isStored = async () =>
    (await database().pool.query("SELECT FROM turns WHERE status = 'running'")).rows.length > 0

  const lose = async () => {
    throw new Error('Connection terminated unexpectedly')
  }

  const count = async () =>
    (await database().pool.query('SELECT count(*)::int AS turns FROM turns')).rows[0]?.turns as number

  test('its retry runs it, and however many retries there are, it runs once', async () => {
    const before = await count()
    const { call, model } = await setUp(answering('oneInOwner', lose))
    const body = { message: 'Hi' }
    expect((await call('POST', '/chat', body, key)).status).toBe(503)
    const answers = await Promise.all(Array.from({ length: 5 }, () => call('POST', '/chat', body, key)))
    for (const { data } of answers)
      expect(data).toMatchObject({ status: 'completed', message: { content: 'Hello Ada' } })
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(model.asked).toHaveLength(1)
    expect((await count()) - before).toBe(1)
  })

  test('in a conversation that is there, and asked for once more, the same', async () => {
    const { call: begin, owner } = await setUp(database())
    const { conversationId, message } = (await begin('POST', '/chat', { message: 'Hi' })).data
    const places = [
      ['/chat', { conversationId, message: 'And?' }],
      [`/messages/${message.id}/regenerate`, undefined]
    ] as const
    for (const [path, body] of places) {
      const { house, model } = await setUp(answering('inOwner', lose))
      const ask = () =>
        house.app.inject({
          method: 'POST',
          url: `/v1${path}`,
          headers: { ...owner.headers, 'idempotency-key': path },
          ...(body && { payload: body })
        })
      expect((await ask()).statusCode).toBe(503)
      expect((await ask()).json()).toMatchObject({ status: 'completed', message: { content: 'Hello Ada' } })
      expect(model.asked).toHaveLength(1)
    }
  })

  test('one that is about to be heard of is left to its first request', async () => {
    const { step, open } = gate()
    const { house, owner, call, model } = await setUp(answering('oneInOwner', async () => void (await step)))
    const body = { message: 'Hi' }
    const first = call('POST', '/chat', body, key)
    await eventually(async () => expect(await isStored()).toBe(true))
    const second = await openStream(house, owner, '/chat', { body, headers: key })
    await second.until('turn')
    expect(model.asked).toHaveLength(0)
    open()
    expect((await first).data).toMatchObject({ status: 'completed', message: { content: 'Hello Ada' } })
    expect((await second.all()).at(-1)?.type).toBe('done')
    expect(model.asked).toHaveLength(1)
  })
})
