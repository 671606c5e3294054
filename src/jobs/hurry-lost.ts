import type { Database } from '../db/client.ts'

/**
 * Has jobs whose worker died begin at once, and answers their queues. pg-boss lets them wait like those that failed, a minute or
 * half an hour where a queue's retries are far apart; but nothing says that they would fail.
 */
export async function hurryLost({ pool }: Pick<Database, 'pool'>): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    // By name, so that an index finds the few that wait among all that are over.
    `UPDATE pgboss.job SET start_after = now()
      WHERE name = ANY(ARRAY(SELECT name FROM pgboss.queue)) AND state = 'retry' AND start_after > now()
        AND output #>> '{value,message}' = 'job heartbeat timeout'
      RETURNING name`
  )
  return rows.map(({ name }) => name)
}
