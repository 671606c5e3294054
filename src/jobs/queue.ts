import type { QueryConfig } from 'pg'
import { type Db, getConstructionPlans, type Job, PgBoss, systemClock } from 'pg-boss'
import type { Connection, Database, Tx } from '../db/client.ts'
import type { AlsoMigrate } from '../db/migrate.ts'
import { assertNoTransaction } from '../db/pool.ts'
import { createStatementNames } from '../db/statement-names.ts'
import { outside } from '../telemetry/traced.ts'
import { forgetFuture } from './forget-future.ts'
import type { GiveWay } from './give-way.ts'
import { hurryLost } from './hurry-lost.ts'
import {
  FAILED,
  type JobHandlers,
  type JobName,
  type JobPayloads,
  KEPT,
  QUEUES,
  SCHEDULES,
  SUPERVISE_SECONDS,
  WATCHED
} from './jobs.ts'
import { traceFor, traceJob } from './trace-jobs.ts'
import { createQueueWorker, type QueueWorker } from './work-queue.ts'

type Handle = (payload: unknown, signal: AbortSignal) => Promise<void>

const SCHEMA = 'pgboss'
/**
 * pg-boss asks a clock how long its timers have left, and they would wait on for as long as that was set back: it is given one that
 * only goes on. What time it is, it learns from the database so often, and so often what a clock that was ahead has left is put right.
 */
const CLOCK_SECONDS = 30

/** Thrown by a job that can do nothing yet: it waits for so long, and counts neither as done nor as failed. */
export class JobPutOff extends Error {
  readonly afterSeconds: number
  constructor(afterSeconds: number) {
    super('The job is put off')
    this.afterSeconds = afterSeconds
  }
}

export interface Queue {
  /**
   * Adds a job in the data's own transaction: the job is there exactly when the data is. With `afterSeconds`, it does not
   * begin before then.
   */
  enqueue<Name extends JobName>(
    tx: Tx,
    name: Name,
    payload: JobPayloads[Name],
    options?: { afterSeconds?: number }
  ): Promise<void>
  /** Runs every job from now on. `onError` hears of each failure; the job is tried again. */
  work(
    handlers: JobHandlers,
    concurrency: number,
    onError: (name: JobName, error: unknown) => void
  ): Promise<void>
  /** Throws when the queue's tables cannot be read. */
  check(): Promise<void>
  /** Waits for running jobs, up to `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>
}

/**
 * The jobs of PAI, on the same database as everything else. `runs` says whether this process works on them. Looking for one waits
 * for `untilQuiet`; the end of one, and whether the queue is there, does not.
 */
export async function openQueue(
  database: Database,
  runs: boolean,
  onError: (error: Error) => void,
  untilQuiet: GiveWay['untilQuiet'] = async () => {},
  superviseSeconds = SUPERVISE_SECONDS
): Promise<Queue> {
  const workers = new Map<string, QueueWorker>()
  const wake = (name?: string) => {
    for (const [each, worker] of workers) if (name === undefined || name === each) worker.wake()
  }
  const { onPool, onTx } = createAdapters(database, wake)
  const boss = new PgBoss({
    db: onPool,
    schema: SCHEMA,
    ...(database.kind === 'embedded' ? { backend: 'pglite' as const } : {}),
    useListenNotify: true,
    migrate: false,
    createSchema: false,
    clock: { ...systemClock, now: () => performance.timeOrigin + performance.now() },
    clockMonitorIntervalSeconds: CLOCK_SECONDS,
    supervise: runs,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    schedule: runs
  })
  boss.on('error', onError)
  await boss.start()
  // Reads every queue's settings now: looking one up inside a transaction would ask the pool for a second connection.
  await boss.getQueues()

  let clock: NodeJS.Timeout | undefined
  let hurry: NodeJS.Timeout | undefined
  async function doOrPutOff(
    job: Job<unknown>,
    payload: unknown,
    handle: Handle,
    signal: AbortSignal
  ): Promise<'done' | 'put-off'> {
    try {
      await handle(payload, signal)
      return 'done'
    } catch (error) {
      if (!(error instanceof JobPutOff)) throw error
      await putOff(job, payload, error.afterSeconds)
      return 'put-off'
    }
  }

  /** It waits as another job, which is there exactly when this one is over; one that another worker has now is left to it. */
  async function putOff(job: Job<unknown>, payload: unknown, afterSeconds: number): Promise<void> {
    await database.inSystem(async (tx) => {
      const db = onTx(tx)
      // Its type leaves out what it answers.
      const { affected } = (await boss.complete(job.name, job, null, { db })) as { affected: number }
      if (affected > 0) await boss.send(job.name, payload as object, { db, startAfter: afterSeconds })
    })
  }

  return {
    async enqueue(tx, name, payload, { afterSeconds = 0 } = {}) {
      const data = { ...payload, ...traceFor(name) }
      await boss.send(name, data, { db: onTx(tx), startAfter: afterSeconds })
    },
    async work(handlers, concurrency, onFailure) {
      for (const name of Object.keys(QUEUES) as JobName[]) {
        // Each queue holds only its own payloads: `enqueue` is the one way in.
        const handle = handlers[name] as Handle
        const run = (job: Job<unknown>, signal: AbortSignal) =>
          traceJob(job, async (payload) => {
            try {
              return await doOrPutOff(job, payload, handle, signal)
            } catch (error) {
              onFailure(name, error)
              // pg-boss keeps a failure's message with the job, and ours may hold the person's words.
              throw new Error((error as { code?: string }).code ?? 'PAI_JOB_FAILED')
            }
          })
        const onLoss = (error: unknown) => onError(error as Error)
        const worker = createQueueWorker({ boss, name, concurrency, untilQuiet, run, onError: onLoss })
        workers.set(name, worker)
      }
      const putRight = () => forgetFuture(database).catch(onError)
      await putRight()
      clearInterval(clock)
      clock = setInterval(putRight, CLOCK_SECONDS * 1_000).unref()
      // As often as pg-boss looks for dead workers, whichever process' turn it is to look.
      clearInterval(hurry)
      hurry = setInterval(() => {
        hurryLost(database).then((names) => names.forEach(wake), onError)
      }, superviseSeconds * 1_000).unref()
      for (const [name, cron] of Object.entries(SCHEDULES)) await boss.schedule(name, cron, {})
    },
    async check() {
      await boss.getQueue(FAILED)
    },
    async close(timeoutMs = 10_000) {
      clearInterval(clock)
      clearInterval(hurry)
      const closing = [...workers.values()].map((worker) => worker.close(timeoutMs))
      workers.clear()
      await Promise.all(closing)
      await boss.stop({ graceful: true, timeout: timeoutMs, close: false })
    }
  }
}

/** The queue's own tables and queues, made with the migrations, as `pai_owner`. */
export const queueMigration: AlsoMigrate = {
  version: () => getConstructionPlans(SCHEMA) + JSON.stringify([QUEUES, KEPT, WATCHED]),
  run: migrateQueue
}

async function migrateQueue(client: Connection): Promise<void> {
  const boss = new PgBoss({
    db: { executeSql: (text: string, values?: unknown[]) => client.query(text, values) },
    schema: SCHEMA,
    supervise: false,
    schedule: false,
    registerInstance: false
  })
  await boss.start()
  await boss.createQueue(FAILED, KEPT)
  await boss.updateQueue(FAILED, KEPT)
  for (const [name, options] of Object.entries(QUEUES)) {
    const settings = { ...KEPT, ...WATCHED, ...options, notify: true, deadLetter: FAILED }
    await boss.createQueue(name, settings)
    await boss.updateQueue(name, settings)
  }
  await boss.stop({ graceful: false, close: false })
  await client.query(`GRANT USAGE ON SCHEMA ${SCHEMA} TO pai_app`)
  await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${SCHEMA} TO pai_app`)
}

/** pg-boss over the pool that everything else uses, and over one transaction of it. `wake` hears of queues that have jobs. */
function createAdapters(
  database: Database,
  wake: (name?: string) => void
): { onPool: Db; onTx: (tx: Tx) => Db } {
  // On the embedded database, those of one connection are those of all.
  const nameOf = database.kind === 'postgres' ? createStatementNames() : () => undefined
  const toQuery = (text: string, values?: unknown[]) => ({ text, values, name: nameOf(text) }) as QueryConfig
  return {
    onPool: {
      async executeSql(text, values) {
        assertNoTransaction()
        // A worker looks for jobs wherever it was woken: that is not part of the work which woke it.
        return outside(() => database.pool.query(toQuery(text, values)))
      },
      listen: (channel, onNotify, onReconnect) =>
        database.listen(
          channel,
          (name) => {
            onNotify(name)
            wake(name)
          },
          () => {
            onReconnect()
            wake()
          }
        )
    },
    onTx: (tx) => ({ executeSql: (text, values) => tx.$client.query(toQuery(text, values)) })
  }
}
