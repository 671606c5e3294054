import { expect, onTestFinished, test } from 'vitest'
import { forgetFuture } from '../../src/jobs/forget-future.ts'
import { openQueue } from '../../src/jobs/queue.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'

describeEachDatabase('a clock that was ahead', (database) => {
  const query = async (text: string) => (await database().pool.query(text)).rows

  test('leaves nothing in the queue that waits for its time to come', async () => {
    const queue = await openQueue(database(), false, () => {})
    onTestFinished(() => queue.close(0))
    const ownerId = await createOwner(database())
    const enqueue = (afterSeconds: number) =>
      database().inOwner(ownerId, (tx) =>
        queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: [] }, { afterSeconds })
      )
    for (const afterSeconds of [0, 600, 0, 0]) await enqueue(afterSeconds)
    const [now, later, retried, running] = (await query('SELECT id FROM pgboss.job ORDER BY created_on')).map(
      ({ id }) => id
    )
    const ahead = (id: string, changes: string) =>
      query(
        `UPDATE pgboss.job SET created_on = created_on + interval '1 year', ${changes} WHERE id = '${id}'`
      )
    const startsAhead =
      "start_after = start_after + interval '1 year', keep_until = keep_until + interval '1 year'"
    await ahead(now, startsAhead)
    await ahead(later, startsAhead)
    await query(
      `UPDATE pgboss.job SET state = 'retry', start_after = now() + interval '1 year' WHERE id = '${retried}'`
    )
    await ahead(running, "state = 'active', started_on = now(), heartbeat_on = now() + interval '1 year'")
    await query("UPDATE pgboss.version SET cron_on = now() + interval '1 year'")
    await query("UPDATE pgboss.queue SET monitor_claim_on = now() + interval '1 year'")

    await forgetFuture(database())
    const seconds = async (column: string, id: string) =>
      Number(
        (
          await query(`SELECT extract(epoch FROM ${column} - now()) AS s FROM pgboss.job WHERE id = '${id}'`)
        )[0].s
      )
    expect(await seconds('start_after', now)).toBeLessThanOrEqual(0)
    expect(await seconds('start_after', retried)).toBeLessThanOrEqual(0)
    expect(await seconds('heartbeat_on', running)).toBeLessThanOrEqual(0)
    // It is still not to begin before ten minutes are over.
    expect(await seconds('start_after', later)).toBeGreaterThan(500)
    expect(await seconds('start_after', later)).toBeLessThanOrEqual(600)
    expect(await query('SELECT cron_on <= now() AS past FROM pgboss.version')).toEqual([{ past: true }])
    expect(await query('SELECT FROM pgboss.queue WHERE monitor_claim_on > now()')).toEqual([])
  })

  test('and what is right is left as it is', async () => {
    const queue = await openQueue(database(), false, () => {})
    onTestFinished(() => queue.close(0))
    const ownerId = await createOwner(database())
    await database().inOwner(ownerId, (tx) =>
      queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: [] }, { afterSeconds: 86_400 })
    )
    const all = () => query('SELECT * FROM pgboss.job')
    const before = await all()
    await forgetFuture(database())
    expect(await all()).toEqual(before)
  })
})
