import { and, eq, lte, sql } from 'drizzle-orm'
import { turns } from '../../chat/tables.ts'
import type { Database, Tx } from '../../db/client.ts'
import { findDuePurges } from '../../db/system.ts'
import type { JobHandlers } from '../../jobs/jobs.ts'
import type { Queue } from '../../jobs/queue.ts'
import { memories, memoryPurges } from '../tables.ts'
import type { HidingDeps } from './hide-forgotten.ts'
import { listPlaces } from './places.ts'
import { isClean, type Proof, prove } from './prove.ts'
import { findTakenDown, purgeTraces, removeMemories } from './purge-traces.ts'
import { indexAnew, redactMessages } from './redact-messages.ts'
import { loadWhatWent, type WhatGoes } from './what-goes.ts'

/** A turn that ran when something was forgotten may still write it, and is waited for. */
const WAIT_SECONDS = 5
/** Past this a turn is not waited for: nothing may put off forgetting for ever. */
const LONGEST_WAIT_MS = 15 * 60_000
/** What others wrote between the last look and the end of the transaction is looked for again so many times. */
const LOOKS = 3
const SWEPT_AT_ONCE = 100

export interface PurgeDeps extends HidingDeps {
  database: Database
  queue: Queue
  now: () => Date
}

export type Purge = ReturnType<typeof createPurge>

/**
 * Removes a forgotten memory for good, with everything that tells of it, and proves it. All of it is one transaction, the
 * proof included: a process that dies in between has changed nothing, and one that is not sure has neither.
 */
export function createPurge(deps: PurgeDeps) {
  const { database, queue, now } = deps

  /** Does nothing where nothing is due: purged before, restored, or forgotten anew. */
  async function purge(ownerId: string, memoryId: string): Promise<void> {
    const purged = await database.inOwner(ownerId, async (tx) => {
      if (!(await isDue(tx, ownerId, memoryId, now()))) return null
      if (await isTurnRunning(tx, ownerId, memoryId, now())) {
        await queue.enqueue(tx, 'memory.purge', { ownerId, memoryId }, { afterSeconds: WAIT_SECONDS })
        return null
      }
      const going = await loadWhatWent(tx, ownerId, memoryId)
      if (!going) throw new PurgeIncomplete()
      await sweepAndProve(tx, ownerId, going)
      return going
    })
    for (let look = 1; purged && look <= LOOKS; look++) {
      const proof = await database.inOwner(ownerId, (tx) => prove(tx, ownerId, purged))
      if (isClean(proof)) return
      await database.inOwner(ownerId, (tx) => sweepAndProve(tx, ownerId, purged))
    }
  }

  async function sweepAndProve(tx: Tx, ownerId: string, going: WhatGoes): Promise<void> {
    const place = (await listPlaces(tx, ownerId)).find(({ table }) => table === 'messages')
    if (!place) throw new PurgeIncomplete()
    const hidden = (await findTakenDown(tx, ownerId, going.ids)).flatMap(({ messageIds }) => messageIds)
    const { messageIds, conversationIds } = await redactMessages(tx, ownerId, place, going, deps)
    await purgeTraces(tx, ownerId, going, conversationIds)
    await removeMemories(tx, ownerId, going.ids)
    // Only now: while a memory is hidden, so are the messages that tell it.
    const indexed = await indexAnew(tx, ownerId, [...new Set([...messageIds, ...hidden])])
    if (indexed.length > 0) {
      await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: [], messageIds: indexed })
    }
    const proof = await prove(tx, ownerId, going)
    if (!isClean(proof)) throw new PurgeIncomplete()
    await saveProof(tx, ownerId, going.ids, proof, now())
  }

  const job: JobHandlers['memory.purge'] = ({ ownerId, memoryId }) => purge(ownerId, memoryId)

  const sweep: JobHandlers['memory.sweep-purges'] = async (_payload, signal) => {
    const failures: unknown[] = []
    const due = await database.inSystem((tx) => findDuePurges(tx, now(), SWEPT_AT_ONCE))
    for (const { ownerId, id } of due) {
      signal.throwIfAborted()
      // One that cannot be purged holds up none of the others.
      await purge(ownerId, id).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  return { purge, job, sweep }
}

async function isDue(tx: Tx, ownerId: string, id: string, now: Date): Promise<boolean> {
  const due = await tx
    .select({ id: memories.id })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id), lte(memories.purgeAt, now)))
    .for('update')
  return due.length > 0
}

/** Whether a turn is still running that may have read it before it was hidden. */
async function isTurnRunning(tx: Tx, ownerId: string, id: string, now: Date): Promise<boolean> {
  const { rows } = await tx.execute<{ running: boolean }>(sql`
    SELECT purge_at > ${new Date(now.getTime() - LONGEST_WAIT_MS)} AND EXISTS (
             SELECT FROM ${turns} WHERE turns.owner_id = ${ownerId} AND turns.status IN ('queued', 'running')
                -- The database's own clock says when it was hidden.
                AND turns.created_at <= greatest(purge_at, updated_at)) AS running
      FROM memories WHERE owner_id = ${ownerId} AND id = ${id}`)
  return rows[0]?.running ?? false
}

async function saveProof(tx: Tx, ownerId: string, ids: string[], checked: Proof, at: Date): Promise<void> {
  await tx
    .insert(memoryPurges)
    .values(ids.map((id) => ({ ownerId, id, checked, purgedAt: at })))
    .onConflictDoUpdate({
      target: [memoryPurges.ownerId, memoryPurges.id],
      set: { checked, purgedAt: at }
    })
}

/** Something of it was still there: nothing is purged, and the next try begins anew. */
class PurgeIncomplete extends Error {
  code = 'PAI_MEMORY_PURGE_INCOMPLETE'
}
