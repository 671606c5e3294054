import type { Database } from '../db/client.ts'

/** What clocks that are set right say of the future is off by less. */
const AHEAD = "now() + interval '1 minute'"
/** By name, so that an index finds the few that wait or run among all that are over. */
const OF_A_QUEUE = 'name = ANY(ARRAY(SELECT name FROM pgboss.queue))'

/**
 * Puts right what the queue wrote under a clock that was ahead, of this machine or of the database's: it would stand still until
 * that time has come, with no schedule kept, no dead worker noticed and no job of then begun.
 */
export async function forgetFuture({ pool }: Pick<Database, 'pool'>): Promise<void> {
  await pool.query(
    `UPDATE pgboss.version SET cron_on = least(cron_on, now()), bam_on = least(bam_on, now()), flow_on = least(flow_on, now()),
            reindex_on = least(reindex_on, now()), monitor_backoff_on = NULL
      WHERE greatest(cron_on, bam_on, flow_on, reindex_on) > ${AHEAD}`
  )
  await pool.query(
    `UPDATE pgboss.queue SET monitor_claim_on = least(monitor_claim_on, now()), monitor_on = least(monitor_on, now()),
            maintain_on = least(maintain_on, now())
      WHERE greatest(monitor_claim_on, monitor_on, maintain_on) > ${AHEAD}`
  )
  // What was to wait waits on from now.
  await pool.query(
    `UPDATE pgboss.job SET start_after = now() + greatest(start_after - created_on, interval '0'), created_on = now(),
            keep_until = now() + (keep_until - created_on)
      WHERE ${OF_A_QUEUE} AND state < 'active' AND created_on > ${AHEAD}`
  )
  await pool.query(
    `UPDATE pgboss.job SET start_after = now()
      WHERE ${OF_A_QUEUE} AND state = 'retry' AND start_after > ${AHEAD} + retry_delay_max * interval '1 second'`
  )
  await pool.query(
    `UPDATE pgboss.job SET heartbeat_on = least(heartbeat_on, now()), started_on = least(started_on, now())
      WHERE ${OF_A_QUEUE} AND state = 'active' AND greatest(heartbeat_on, started_on) > ${AHEAD}`
  )
}
