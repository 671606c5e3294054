import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { users } from '../../src/auth/tables.ts'
import type { Database } from '../../src/db/client.ts'
import { openEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { connectPostgres } from '../../src/db/postgres.ts'
import type { JobHandlers } from '../../src/jobs/jobs.ts'
import { openQueue, queueMigration } from '../../src/jobs/queue.ts'
import { findPostgres, startPostgres } from '../support/postgres-server.ts'
import { type Figure, quantile } from './report.ts'

const STARTS = 200
const JOBS = 3_000
/** Jobs that come at once are enqueued in transactions of this many. */
const TOGETHER = 100
const WORKERS = 8

/** How soon a job begins after its transaction's commit, and how many are worked a second, on both kinds of database. */
export async function benchJobs(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pai-bench-'))
  try {
    const figures = await measure(await openEmbedded(join(folder, 'data')), 'embedded')
    const found = findPostgres()
    if ('missing' in found) {
      console.log(`SKIPPED jobs on a PostgreSQL server: ${found.missing}`)
      return figures
    }
    const server = await startPostgres(found.bin, join(folder, 'postgres'), true)
    try {
      return [...figures, ...(await measure(connectPostgres(server.url), 'postgres', server.url))]
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(database: Database, kind: string, databaseUrl?: string): Promise<Figure[]> {
  await migrate(database, { databaseUrl, alsoMigrate: queueMigration })
  const ownerId = uuidv7()
  await database.inOwner(ownerId, (tx) =>
    tx
      .insert(users)
      .values({ id: ownerId, email: 'bench@example.org', name: '', role: 'member', passwordHash: '-' })
  )
  const queue = await openQueue(database, true, (error) => {
    throw error
  })
  let worked = () => {}
  const handlers = new Proxy({} as JobHandlers, { get: () => async () => worked() })
  await queue.work(handlers, WORKERS, (_name, error) => {
    throw error
  })
  const enqueue = (count: number) =>
    database.inOwner(ownerId, async (tx) => {
      for (let job = 0; job < count; job++)
        await queue.enqueue(tx, 'memory.purge', { ownerId, memoryId: ownerId })
    })

  const startsMs: number[] = []
  for (let start = 0; start < STARTS; start++) {
    const begun = new Promise<number>((resolve) => {
      worked = () => resolve(performance.now())
    })
    await enqueue(1)
    const committed = performance.now()
    startsMs.push(Math.max(0, (await begun) - committed))
  }

  let left = JOBS
  const done = new Promise<void>((resolve) => {
    worked = () => {
      if (--left === 0) resolve()
    }
  })
  const began = performance.now()
  for (let job = 0; job < JOBS; job += TOGETHER) await enqueue(TOGETHER)
  await done
  const seconds = (performance.now() - began) / 1_000
  await queue.close()
  const floor = await updatesPerSecond(database)
  await database.close()
  return [
    {
      name: `job start after commit, p50, ${kind}`,
      value: quantile(startsMs, 0.5),
      unit: 'ms',
      goal: { at: 'most', value: 10 }
    },
    { name: `job start after commit, p99, ${kind}`, value: quantile(startsMs, 0.99), unit: 'ms' },
    { name: `jobs, ${kind}`, value: JOBS / seconds, unit: '/s', floor, goal: { at: 'least', value: 1_000 } }
  ]
}

/**
 * What the database itself does of the least that a job needs, in the same way: rows inserted as many at a time, then taken and
 * ended as many as run at once, while the next are being taken.
 */
async function updatesPerSecond(database: Database): Promise<number> {
  const { pool } = database
  await pool.query('CREATE TABLE floor_jobs (id int PRIMARY KEY, state text NOT NULL)')
  const began = performance.now()
  for (let row = 0; row < JOBS; row += TOGETHER) {
    const client = await pool.connect()
    await client.query('BEGIN')
    for (let one = row; one < row + TOGETHER; one++)
      await client.query(`INSERT INTO floor_jobs VALUES (${one}, 'created')`)
    await client.query('COMMIT')
    client.release()
  }
  const to = (state: string, row: number) =>
    pool.query('UPDATE floor_jobs SET state = $1 WHERE id >= $2 AND id < $3', [state, row, row + WORKERS])
  let ending: Promise<unknown> = Promise.resolve()
  for (let row = 0; row < JOBS; row += WORKERS) {
    await to('active', row)
    await ending
    ending = to('completed', row)
  }
  await ending
  return JOBS / ((performance.now() - began) / 1_000)
}
