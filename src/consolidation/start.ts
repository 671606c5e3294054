import { v7 as uuidv7 } from 'uuid'
import type { Database, Tx } from '../db/client.ts'
import { listOwners } from '../db/system.ts'
import type { JobHandlers } from '../jobs/jobs.ts'
import type { Queue } from '../jobs/queue.ts'
import * as store from './store.ts'

const OWNERS_PER_PAGE = 500
/** The owner's own hour, by their clock, in which nobody minds. */
const NIGHT_HOUR = 3
/** A night has one run, also where the hour comes twice. */
const SINCE_LAST_NIGHT_HOURS = 20
/** A machine that sleeps at night catches up by day. */
const SINCE_MISSED_HOURS = 48

/** Begins a run and enqueues its job, unless one is going on: then that is the one. */
export async function startConsolidation(
  tx: Tx,
  queue: Queue,
  ownerId: string,
  now: Date
): Promise<store.ConsolidationRow> {
  await store.lockOwner(tx, ownerId)
  const running = await store.findRunning(tx, ownerId)
  if (running) return running
  const row = await store.create(tx, ownerId, uuidv7(), now)
  await queue.enqueue(tx, 'consolidation.run', { ownerId, consolidationId: row.id })
  return row
}

/**
 * Every hour, begins a run for the owners for whom it is night and who have something new. One owner's failure is told when
 * all have had their turn.
 */
export function createSchedule({
  database,
  queue,
  now
}: {
  database: Database
  queue: Queue
  now: () => Date
}): JobHandlers['consolidation.schedule'] {
  return async function schedule(_payload, signal) {
    const at = now()
    const failures: unknown[] = []
    let owners: { id: string; timezone: string }[] = []
    do {
      const after = owners.at(-1)?.id ?? null
      owners = await database.inSystem((tx) => listOwners(tx, after, OWNERS_PER_PAGE))
      for (const owner of owners) {
        signal.throwIfAborted()
        await startIfDue(owner, at).catch((error) => failures.push(error))
      }
    } while (owners.length === OWNERS_PER_PAGE)
    if (failures.length > 0) throw failures[0]
  }

  async function startIfDue({ id: ownerId, timezone }: { id: string; timezone: string }, at: Date) {
    const hours = hourIn(timezone, at) === NIGHT_HOUR ? SINCE_LAST_NIGHT_HOURS : SINCE_MISSED_HOURS
    await database.inOwner(ownerId, async (tx) => {
      if (!(await store.isDue(tx, ownerId, at, hours))) return
      await store.lockOwner(tx, ownerId)
      // Asked again: another process may have begun it while this one waited.
      if (await store.isDue(tx, ownerId, at, hours)) await startConsolidation(tx, queue, ownerId, at)
    })
  }
}

function hourIn(timeZone: string, at: Date): number {
  return Number(new Intl.DateTimeFormat('en-GB', { hour: 'numeric', hourCycle: 'h23', timeZone }).format(at))
}
