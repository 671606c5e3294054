import type { Database } from '../../src/db/client.ts'
import type { JobName, JobPayloads } from '../../src/jobs/jobs.ts'
import { JobPutOff } from '../../src/jobs/queue.ts'
import type { TestApp } from '../support/app.ts'

/** A job as it waits in its table. */
interface Waiting<Name extends JobName = JobName> {
  name: Name
  data: JobPayloads[Name]
}

/** Takes an owner's jobs that wait out of their table, oldest first. */
export async function takeJobs(database: Database, ownerId: string): Promise<Waiting[]> {
  const { rows } = await database.pool.query<Waiting>(
    `WITH taken AS (DELETE FROM pgboss.job WHERE state = 'created' AND data ->> 'ownerId' = $1 RETURNING *)
     SELECT name, data FROM taken ORDER BY created_on, id`,
    [ownerId]
  )
  return rows
}

/** Runs the jobs that wait, and those that they leave, until there are none: what a worker would do, at once. */
export async function runJobs(house: TestApp, ownerId: string): Promise<void> {
  const { database } = house.services
  for (
    let jobs = await takeJobs(database, ownerId);
    jobs.length > 0;
    jobs = await takeJobs(database, ownerId)
  ) {
    for (const job of jobs) await runJob(house, job)
  }
}

export async function runJob<Name extends JobName>(
  { services }: TestApp,
  { name, data }: Waiting<Name>
): Promise<void> {
  const run = services.jobs[name] as (payload: JobPayloads[Name], signal: AbortSignal) => Promise<void>
  try {
    await run(data, new AbortController().signal)
  } catch (error) {
    if (!(error instanceof JobPutOff)) throw error
    const { afterSeconds } = error
    await services.database.inSystem((tx) => services.queue.enqueue(tx, name, data, { afterSeconds }))
  }
}
