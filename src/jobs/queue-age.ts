import type { Database } from '../db/client.ts'

/** For how many seconds the oldest job has waited that could run; jobs that failed for good wait for nobody. */
export async function readQueueAge(database: Pick<Database, 'pool'>): Promise<number> {
  const { rows } = await database.pool.query<{ seconds: number }>(
    `SELECT coalesce(extract(epoch FROM now() - min(start_after)), 0)::float AS seconds FROM pgboss.job
      WHERE state < 'active' AND start_after <= now() AND name <> 'failed-jobs' AND NOT starts_with(name, '__')`
  )
  return rows[0]?.seconds ?? 0
}
