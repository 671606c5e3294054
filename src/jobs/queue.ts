import { sql } from 'drizzle-orm'
import {
  type Db,
  fromDrizzle,
  getConstructionPlans,
  type Job,
  PgBoss,
  type QueueOptions,
  type WorkOptions
} from 'pg-boss'
import { assertNoTransaction, type Connection, type Database, type Tx } from '../db/client.ts'
import type { AlsoMigrate } from '../db/migrate.ts'
import { outside } from '../telemetry/traced.ts'
import { traceFor, traceJob } from './trace-jobs.ts'

/** Every job in PAI. Payloads carry ids; handlers read the rows again. */
export interface JobPayloads {
  /** Finds what messages of the owner's say about the owner's world. */
  'memory.extract': { ownerId: string; messageIds: string[] }
  /** Gives memories and messages the vectors they still lack, and messages the words that came after them. */
  'memory.index': {
    ownerId: string
    memoryIds: string[]
    messageIds: string[]
    /** Set where the messages came with what follows them, so that only their vectors are wanting. */
    indexed?: true
    /** Memories that a reply has quoted, and when: what is used fades more slowly. */
    used?: { memoryIds: string[]; at: string }
  }
  /** Makes the messages of a long import searchable, from where an earlier run stopped. */
  'conversations.import': { ownerId: string; importId: string }
  /** Finds a conversation a better title than its first words. */
  'conversations.title': { ownerId: string; conversationId: string }
  /** Brings in what is left of a large file. */
  'transfer.import': { ownerId: string; importId: string }
  /** Builds the index that searches of large owners need, for one model's vectors of everybody. */
  'memory.build-vector-index': { kind: 'memory' | 'message'; model: string; dimensions: number }
  /** Builds an owner's vectors of another model beside those in use; with `remove`, takes that model's away. */
  'memory.reembed': { ownerId: string; remove?: string }
  /** Removes a forgotten memory for good, once it cannot be undone any more. */
  'memory.purge': { ownerId: string; memoryId: string }
  /** Finds the purges that are due and whose job was lost. */
  'memory.sweep-purges': Record<string, never>
  /** Takes up again what was given up of extraction and indexing, of the owners after one of them. */
  'memory.sweep-unfinished': { after?: string }
  /** Begins a consolidation for each owner whose night it is. */
  'consolidation.schedule': Record<string, never>
  /** Tidies an owner's memory. */
  'consolidation.run': { ownerId: string; consolidationId: string }
  /** Removes turn logs and stored answers past their 24 hours, and tidies the database. */
  'house.delete-expired': Record<string, never>
}

export type JobName = keyof JobPayloads
export type JobHandlers = {
  [Name in JobName]: (payload: JobPayloads[Name], signal: AbortSignal) => Promise<void>
}

/** How each queue retries. A job that keeps failing goes to `failed-jobs`, where it stays for a year to be looked at. */
const QUEUES: Record<JobName, QueueOptions> = {
  'memory.extract': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 300
  },
  'memory.index': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 300
  },
  'conversations.import': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 3600
  },
  // The first words do until then.
  'conversations.title': { retryLimit: 4, retryDelay: 5, retryBackoff: true, expireInSeconds: 120 },
  'transfer.import': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 3600
  },
  // Millions of vectors take their time.
  'memory.build-vector-index': {
    retryLimit: 8,
    retryDelay: 60,
    retryBackoff: true,
    retryDelayMax: 3600,
    expireInSeconds: 43_200
  },
  'memory.reembed': {
    retryLimit: 20,
    retryDelay: 5,
    retryBackoff: true,
    retryDelayMax: 1800,
    expireInSeconds: 3600
  },
  // Whatever fails is hidden meanwhile, and the sweep tries again long after the last retry.
  'memory.purge': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 900
  },
  'memory.sweep-purges': { retryLimit: 2, expireInSeconds: 900 },
  'memory.sweep-unfinished': { retryLimit: 2, expireInSeconds: 900 },
  'consolidation.schedule': { retryLimit: 2, expireInSeconds: 1800 },
  'consolidation.run': {
    retryLimit: 5,
    retryDelay: 60,
    retryBackoff: true,
    retryDelayMax: 1800,
    expireInSeconds: 1800
  },
  'house.delete-expired': { retryLimit: 2, expireInSeconds: 300 }
}
const FAILED = 'failed-jobs'
/** pg-boss would drop what nobody has worked on for a fortnight, and a laptop may be closed for longer. */
const KEPT: QueueOptions = { retentionSeconds: 365 * 24 * 60 * 60 }
/**
 * A worker says every five seconds that it is still at a job. After ten of silence the job is another's: with the supervision
 * below, and the first retry's two seconds, it runs again within half a minute.
 */
const WATCHED: QueueOptions = { heartbeatSeconds: 10 }
const SUPERVISE_SECONDS = 5
const SCHEDULES: Partial<Record<JobName, string>> = {
  'consolidation.schedule': '7 * * * *',
  'house.delete-expired': '17 * * * *',
  'memory.sweep-purges': '41 * * * *',
  'memory.sweep-unfinished': '53 * * * *'
}

/** A worker is woken by a notification; this often it looks anyway, for retries that are due and in case one was missed. */
const POLL: WorkOptions = { notifyPollingIntervalSeconds: 5, pollingIntervalSeconds: 2 }
const SCHEMA = 'pgboss'

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

/** The jobs of PAI, on the same database as everything else. `runs` says whether this process works on them. */
export async function openQueue(
  database: Database,
  runs: boolean,
  onError: (error: Error) => void
): Promise<Queue> {
  const boss = new PgBoss({
    db: adapterOf(database),
    schema: SCHEMA,
    ...(database.kind === 'embedded' ? { backend: 'pglite' as const } : {}),
    useListenNotify: true,
    migrate: false,
    createSchema: false,
    supervise: runs,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    schedule: runs
  })
  boss.on('error', onError)
  await boss.start()
  // Reads every queue's settings now: looking one up inside a transaction would ask the pool for a second connection.
  await boss.getQueues()

  /** It waits as another job, which is there exactly when this one is over; one that another worker has now is left to it. */
  async function putOff(job: Job<unknown>, afterSeconds: number): Promise<void> {
    await database.inSystem(async (tx) => {
      const db = fromDrizzle(tx, sql)
      // Its type leaves out what it answers.
      const { affected } = (await boss.complete(job.name, job, null, { db })) as { affected: number }
      if (affected > 0) await boss.send(job.name, job.data as object, { db, startAfter: afterSeconds })
    })
  }

  return {
    async enqueue(tx, name, payload, { afterSeconds = 0 } = {}) {
      const data = { ...payload, ...traceFor(name) }
      await boss.send(name, data, { db: fromDrizzle(tx, sql), startAfter: afterSeconds })
    },
    async work(handlers, concurrency, onFailure) {
      for (const name of Object.keys(QUEUES) as JobName[]) {
        // Each queue holds only its own payloads: `enqueue` is the one way in.
        const handle = handlers[name] as (payload: unknown, signal: AbortSignal) => Promise<void>
        for (let workers = 0; workers < concurrency; workers++) {
          let workerId = ''
          workerId = await boss.work(name, POLL, async ([job]) => {
            if (!job) return
            // Jobs that come together are one notification: who had one looks for the next before resting.
            boss.notifyWorker(workerId)
            await traceJob(job, async (payload) => {
              try {
                await handle(payload, job.signal)
                return 'done'
              } catch (error) {
                if (!(error instanceof JobPutOff)) {
                  onFailure(name, error)
                  // pg-boss keeps a failure's message with the job, and ours may hold the person's words.
                  throw new Error((error as { code?: string }).code ?? 'PAI_JOB_FAILED')
                }
                await putOff(job, error.afterSeconds)
                return 'put-off'
              }
            })
          })
        }
      }
      for (const [name, cron] of Object.entries(SCHEDULES)) await boss.schedule(name, cron, {})
    },
    async check() {
      await boss.getQueue(FAILED)
    },
    async close(timeoutMs = 10_000) {
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

/** pg-boss over the pool that everything else uses. */
function adapterOf(database: Database): Db {
  return {
    executeSql(text, values) {
      assertNoTransaction()
      // A worker looks for jobs wherever it was woken: that is not part of the work which woke it.
      return outside(() => database.pool.query(text, values))
    },
    listen: database.listen
  }
}
