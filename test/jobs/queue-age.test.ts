import { expect, onTestFinished, test } from 'vitest'
import { openQueue } from '../../src/jobs/queue.ts'
import { readQueueAge } from '../../src/jobs/queue-age.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'

describeEachDatabase('the age of the queue', (database) => {
  test('is that of the oldest job that could run, and of no other', async () => {
    const queue = await openQueue(database(), false, () => {})
    onTestFinished(() => queue.close(0))
    const ownerId = await createOwner(database())
    const enqueue = (afterSeconds: number) =>
      database().inOwner(ownerId, (tx) =>
        queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: [] }, { afterSeconds })
      )
    expect(await readQueueAge(database())).toBe(0)
    await enqueue(3_600)
    expect(await readQueueAge(database())).toBe(0)
    await enqueue(0)
    await database().pool.query(
      `UPDATE pgboss.job SET start_after = now() - interval '90 seconds' WHERE start_after <= now()`
    )
    const age = await readQueueAge(database())
    expect(age).toBeGreaterThanOrEqual(90)
    expect(age).toBeLessThan(150)
    await database().pool.query(`UPDATE pgboss.job SET state = 'completed' WHERE start_after <= now()`)
    expect(await readQueueAge(database())).toBe(0)
  })
})
