import { expect, onTestFinished, test } from 'vitest'
import { deleteExpired } from '../../src/db/system.ts'
import { setUp } from '../chat/talk.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

describeEachDatabase('what is past its time', (database) => {
  const count = async (table: string) =>
    (await database().pool.query(`SELECT count(*)::int AS rows FROM ${table}`)).rows[0]?.rows as number

  test('a key stands for its request for a day, and for another one after that', async () => {
    const { call, house } = await setUp(database())
    const ask = async () =>
      (await call('POST', '/chat', { message: 'Hi' }, { 'idempotency-key': 'day' })).data.turnId
    const age = (hours: number) =>
      database().pool.query("UPDATE idempotency_keys SET created_at = now() - $1 * interval '1 hour'", [
        hours
      ])
    const tidy = () => house.services.jobs['house.delete-expired']({}, new AbortController().signal)
    const first = await ask()
    await age(23.9)
    await tidy()
    expect(await ask()).toBe(first)
    await age(24.1)
    await tidy()
    expect(await ask()).not.toBe(first)
  })

  test('it goes a part at a time, and the job goes on until nothing of it is left', async () => {
    const { call, house } = await setUp(database())
    for (const message of ['One', 'Two', 'Three']) await call('POST', '/chat', { message, temporary: true })
    const kept = (await call('POST', '/chat', { message: 'Kept' })).data
    await database().pool.query(
      `UPDATE turns SET finished_at = now() - interval '25 hours'
        WHERE conversation_id IN (SELECT id FROM conversations WHERE temporary)`
    )
    const before = await count('turn_events')
    // Logs, one at a time: nothing else has aged yet.
    expect(await database().inSystem((tx) => deleteExpired(tx, 1))).toBe(true)
    expect(await count('turn_events')).toBe(before - 1)
    await database().pool.query(
      "UPDATE conversations SET updated_at = now() - interval '25 hours' WHERE temporary"
    )
    await house.services.jobs['house.delete-expired']({}, new AbortController().signal)
    expect(await database().inSystem((tx) => deleteExpired(tx, 1))).toBe(false)
    expect(await count('conversations WHERE temporary')).toBe(0)
    expect((await call('GET', `/turns/${kept.turnId}/events`)).status).toBe(200)
  })

  test('it goes soon after a start, on a machine that is seldom on at the minute for it', async () => {
    const house = await buildTestApp(database(), { works: true })
    onTestFinished(() => house.close())
    const due = `UPDATE pgboss.job SET start_after = now() WHERE name = 'house.delete-expired' AND state < 'active'`
    expect((await database().pool.query(due)).rowCount).toBe(1)
    await eventually(async () => {
      const { rows } = await database().pool.query(
        `SELECT state FROM pgboss.job WHERE name = 'house.delete-expired'`
      )
      expect(rows).toEqual([{ state: 'completed' }])
    })
    expect(house.failures).toEqual([])
  })
})
