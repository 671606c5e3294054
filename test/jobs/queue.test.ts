import { sql } from 'drizzle-orm'
import { beforeEach, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import type { Database, Tx } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import type { JobHandlers, JobPayloads } from '../../src/jobs/jobs.ts'
import { JobPutOff, openQueue, type Queue, queueMigration } from '../../src/jobs/queue.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const noJobs: JobHandlers = {
  'memory.extract': async () => {},
  'memory.index': async () => {},
  'conversations.import': async () => {},
  'conversations.title': async () => {},
  'transfer.import': async () => {},
  'consolidation.schedule': async () => {},
  'consolidation.run': async () => {},
  'memory.build-vector-index': async () => {},
  'memory.reembed': async () => {},
  'memory.purge': async () => {},
  'memory.sweep-purges': async () => {},
  'memory.sweep-unfinished': async () => {},
  'house.delete-expired': async () => {}
}

test('a handler is missing or takes another job’s payload: it does not compile', () => {
  expectTypeOf<Omit<JobHandlers, 'memory.index'>>().not.toExtend<JobHandlers>()
  expectTypeOf<{ index(payload: JobPayloads['memory.index']): Promise<void> }['index']>().not.toExtend<
    JobHandlers['memory.extract']
  >()
  expectTypeOf<Queue['enqueue']>().parameter(0).toEqualTypeOf<Tx>()
})

describeEachDatabase('the queue', (database) => {
  let ownerId: string
  beforeEach(async () => {
    await migrate(database(), { alsoMigrate: queueMigration })
    await database().pool.query('DELETE FROM pgboss.job')
    ownerId = await createOwner(database())
  })

  /** A queue whose failures are kept; it works on jobs when it is given handlers. */
  async function open(
    handlers?: Partial<JobHandlers>,
    on: Database = database(),
    untilQuiet?: () => Promise<void>,
    superviseSeconds?: number
  ) {
    const failures: unknown[] = []
    const runs = handlers !== undefined
    const onError = (error: Error) => failures.push(error)
    const queue = await openQueue(on, runs, onError, untilQuiet, superviseSeconds)
    onTestFinished(() => queue.close(0))
    if (handlers) {
      await queue.work({ ...noJobs, ...handlers }, 2, (name, error) => failures.push([name, error]))
    }
    return { queue, failures }
  }

  const enqueue = (queue: Queue, messageId: string) =>
    database().inOwner(ownerId, (tx) =>
      queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: [messageId] })
    )

  const stored = async () => {
    const { rows } = await database().pool.query(
      `SELECT name, state, data, output, retry_count AS retries FROM pgboss.job WHERE name NOT LIKE '\\_\\_%'`
    )
    return rows
  }

  test('a job is there exactly when its transaction’s data is', async () => {
    const { queue } = await open()
    const attempt = database().inOwner(ownerId, async (tx) => {
      await queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: ['rolled back'] })
      throw new Error('thought better of it')
    })
    await expect(attempt).rejects.toThrow('thought better of it')
    expect(await stored()).toEqual([])
    await enqueue(queue, 'kept')
    expect(await stored()).toMatchObject([
      { name: 'memory.extract', state: 'created', data: { ownerId, messageIds: ['kept'] } }
    ])
  })

  /** One job after the other, each when the last is done and the workers rest: asleep, they would need seconds for each. */
  async function expectPrompt(queue: Queue, done: string[]) {
    const started = performance.now()
    for (const messageId of ['1', '2', '3', '4', '5', '6', '7', '8']) {
      await enqueue(queue, messageId)
      await eventually(() => expect(done.at(-1)).toBe(messageId))
      await eventually(async () =>
        expect(new Set((await stored()).map(({ state }) => state))).toEqual(new Set(['completed']))
      )
    }
    expect(performance.now() - started).toBeLessThan(5_000)
  }

  test('a worker is woken by each job at once', async () => {
    const done: string[] = []
    const { queue } = await open({
      'memory.extract': async ({ messageIds }) => void done.push(...messageIds)
    })
    await expectPrompt(queue, done)
  })

  test('a worker that is woken while people wait looks for its job after them', async () => {
    const done: string[] = []
    let quiet = Promise.resolve()
    const work = {
      'memory.extract': async ({ messageIds }: { messageIds: string[] }) => void done.push(...messageIds)
    }
    const { queue } = await open(work, database(), () => quiet)
    const waiting = Promise.withResolvers<void>()
    quiet = waiting.promise
    await enqueue(queue, 'one')
    expect(await stored()).toMatchObject([{ state: 'created' }])
    waiting.resolve()
    await eventually(() => expect(done).toEqual(['one']))
  })

  test('a job that is over ends while people wait, and the queue says that it is there', async () => {
    const waiting = Promise.withResolvers<void>()
    let quiet = Promise.resolve()
    const work = {
      'memory.extract': async () => {
        quiet = waiting.promise
      }
    }
    const { queue } = await open(work, database(), () => quiet)
    // Before the queue closes, which would wait with it.
    onTestFinished(() => waiting.resolve())
    await enqueue(queue, 'one')
    await eventually(async () => expect(await stored()).toMatchObject([{ state: 'completed' }]))
    await queue.check()
  })

  test('a job whose worker died is tried again, however often the queues were looked after before', async () => {
    const { queue, failures } = await open({}, database(), undefined, 1)
    const looks = new Set<string>()
    await eventually(async () => {
      const { rows } = await database().pool.query(
        `SELECT monitor_on::text AS at FROM pgboss.queue WHERE name = 'memory.extract'`
      )
      looks.add(rows[0].at)
      expect(looks.size).toBeGreaterThan(4)
    })
    await database().inOwner(ownerId, (tx) =>
      queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: ['its worker died'] }, { afterSeconds: 600 })
    )
    await database().pool.query(
      `UPDATE pgboss.job SET state = 'active', started_on = now() - interval '1 minute',
              heartbeat_on = now() - interval '1 minute'
        WHERE name = 'memory.extract'`
    )
    await eventually(async () =>
      expect(await stored()).toMatchObject([{ name: 'memory.extract', state: 'completed', retries: 1 }])
    )
    expect(failures).toEqual([])
  })

  test('a job whose worker died begins again at once, however far apart its retries are, and one that failed does not', async () => {
    const { queue, failures } = await open({}, database(), undefined, 1)
    const states = async () => {
      const { rows } = await database().pool.query(
        `SELECT data ->> 'consolidationId' AS id, state FROM pgboss.job WHERE name = 'consolidation.run' ORDER BY 1`
      )
      return rows
    }
    await database().inOwner(ownerId, async (tx) => {
      for (const consolidationId of ['died', 'failed'])
        await queue.enqueue(tx, 'consolidation.run', { ownerId, consolidationId }, { afterSeconds: 600 })
    })
    const change = (id: string, changes: string) =>
      database().pool.query(`UPDATE pgboss.job SET ${changes} WHERE data ->> 'consolidationId' = $1`, [id])
    await change('failed', `state = 'retry', retry_count = 4, output = '{"message": "PAI_JOB_FAILED"}'`)
    const ago = "now() - interval '1 minute'"
    await change('died', `state = 'active', retry_count = 3, started_on = ${ago}, heartbeat_on = ${ago}`)
    await eventually(async () =>
      expect(await states()).toEqual([
        { id: 'died', state: 'completed' },
        { id: 'failed', state: 'retry' }
      ])
    )
    expect(failures).toEqual([])
  })

  test('a worker is woken by what another process enqueues', async () => {
    const { queue } = await open()
    const done: string[] = []
    await open({ 'memory.extract': async ({ messageIds }) => void done.push(...messageIds) })
    await expectPrompt(queue, done)
  })

  test('a job does not run before its transaction commits', async () => {
    const ran = Promise.withResolvers<void>()
    let committed = false
    const { queue } = await open({
      'memory.extract': async () => {
        expect(committed).toBe(true)
        ran.resolve()
      }
    })
    await database().inOwner(ownerId, async (tx) => {
      await queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: ['one'] })
      await tx.execute(sql`SELECT pg_sleep(0.2)`)
      committed = true
    })
    await ran.promise
  })

  test('a burst of jobs is worked off without a pause', async () => {
    const done = new Set<string>()
    const { queue } = await open({
      'memory.extract': async ({ messageIds }) => void done.add(messageIds.join())
    })
    const started = performance.now()
    await database().inOwner(ownerId, async (tx) => {
      for (let n = 0; n < 60; n++)
        await queue.enqueue(tx, 'memory.extract', { ownerId, messageIds: [`${n}`] })
    })
    await eventually(() => expect(done.size).toBe(60))
    expect(performance.now() - started).toBeLessThan(10_000)
    await eventually(async () =>
      expect(new Set((await stored()).map(({ state }) => state))).toEqual(new Set(['completed']))
    )
  })

  test('a failing job is tried again, and of its failure no word of its owner is kept', async () => {
    const canary = 'canary: my sister keeps bees'
    let tries = 0
    const { queue, failures } = await open({
      'memory.extract': async () => {
        if (++tries === 1) throw new Error(canary, { cause: new Error(canary) })
      }
    })
    await enqueue(queue, 'fails once')
    await eventually(() => expect(failures).toHaveLength(1))
    expect(failures).toEqual([['memory.extract', expect.objectContaining({ message: canary })]])
    await eventually(async () => expect((await stored())[0]?.output).not.toBeNull())
    const [failed] = await stored()
    expect(failed).toMatchObject({ state: 'retry', output: { message: 'PAI_JOB_FAILED' } })
    expect(JSON.stringify(failed?.output)).not.toMatch(/canary|sister|bees/)
    await eventually(() => expect(tries).toBe(2))
    await eventually(async () => expect((await stored())[0]?.state).toBe('completed'))
  })

  test('a failure with a code keeps the code', async () => {
    const { queue, failures } = await open({
      'memory.extract': async () => {
        throw Object.assign(new Error('my sister keeps bees'), { code: 'PAI_MODEL_UNREACHABLE' })
      }
    })
    await enqueue(queue, 'fails')
    await eventually(() => expect(failures).toHaveLength(1))
    await eventually(async () =>
      expect((await stored())[0]?.output).toMatchObject({ message: 'PAI_MODEL_UNREACHABLE' })
    )
  })

  test('a job that keeps failing ends where it can be looked at', async () => {
    const { queue, failures } = await open({
      'memory.extract': async () => {
        throw new Error('always')
      }
    })
    await enqueue(queue, 'never works')
    await eventually(() => expect(failures).toHaveLength(1))
    await eventually(async () => expect((await stored())[0]?.state).toBe('retry'))
    await database().pool.query('UPDATE pgboss.job SET retry_count = retry_limit, start_after = now()')
    await eventually(async () =>
      expect(await stored()).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ name: 'memory.extract', state: 'failed' }),
          expect.objectContaining({ name: 'failed-jobs', data: { ownerId, messageIds: ['never works'] } })
        ])
      )
    )
  })

  test('what waits is kept for a year: a laptop may be closed for weeks', async () => {
    const { rows } = await database().pool.query(
      'SELECT DISTINCT retention_seconds AS kept, (SELECT count(*)::int FROM pgboss.queue) > 4 AS all FROM pgboss.queue WHERE name NOT LIKE $1',
      ['\\_\\_%']
    )
    expect(rows).toEqual([{ kept: 365 * 24 * 60 * 60, all: true }])
  })

  test('a job that is put off waits as another one, which is there exactly when it is over', async () => {
    const crashes = ['before the commit', 'after it']
    const inSystem: Database['inSystem'] = async (work) => {
      const crash = crashes.shift()
      const result = await database().inSystem(async (tx) => {
        const done = await work(tx)
        if (crash === 'before the commit') throw new Error(crash)
        return done
      })
      if (crash) throw new Error(crash)
      return result
    }
    let tries = 0
    const { queue } = await open(
      {
        'memory.extract': async () => {
          tries++
          throw new JobPutOff(600)
        }
      },
      { ...database(), inSystem }
    )
    await enqueue(queue, 'nobody pays for it')
    const waiting = async () => (await stored()).filter(({ state }) => state !== 'completed')
    await eventually(async () => expect(await waiting()).toMatchObject([{ state: 'retry' }]))
    await eventually(() => expect(crashes).toEqual([]))
    const { rows } = await eventually(async () => {
      const found = await database().pool.query(
        `SELECT data, start_after > now() + interval '5 minutes' AS later FROM pgboss.job WHERE state = 'created'`
      )
      expect(found.rows).toHaveLength(1)
      return found
    })
    expect(rows).toEqual([{ data: { ownerId, messageIds: ['nobody pays for it'] }, later: true }])
    expect(await waiting()).toHaveLength(1)
    expect(tries).toBe(2)
  })

  test('closing waits for the job under way', async () => {
    const begun = Promise.withResolvers<void>()
    const finish = Promise.withResolvers<void>()
    const { queue } = await open({
      'memory.extract': async () => {
        begun.resolve()
        await finish.promise
      }
    })
    await enqueue(queue, 'under way')
    await begun.promise
    const closed = queue.close(10_000)
    finish.resolve()
    await closed
    expect(await stored()).toMatchObject([{ state: 'completed' }])
  })

  test('a job that closing cuts off is told so, and is tried again', async () => {
    const begun = Promise.withResolvers<AbortSignal>()
    const { queue } = await open({
      'memory.extract': async (_payload, signal) => {
        begun.resolve(signal)
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        })
      }
    })
    await enqueue(queue, 'cut off')
    const signal = await begun.promise
    await queue.close(100)
    expect(signal.aborted).toBe(true)
    await eventually(async () => expect((await stored())[0]?.state).toBe('retry'))
  })

  test('asking for the pool inside a transaction is refused before it can wait for itself', async () => {
    const { queue } = await open()
    await expect(database().inOwner(ownerId, () => queue.check())).rejects.toThrow(
      'used inside a transaction'
    )
    await expect(queue.check()).resolves.toBeUndefined()
  })
})
