import type { Database, Tx } from '../db/client.ts'
import type { JobHandlers } from '../jobs/jobs.ts'
import type { Queue } from '../jobs/queue.ts'
import { isOutOfBudget } from '../llm/errors.ts'
import type { Embedder, StructuredModel } from '../llm/model.ts'
import type { afterClosing, reaffirmDependants } from '../memory/closing.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import type { record } from '../memory/history.ts'
import type { merge } from '../memory/merge.ts'
import type { hashText, indexWords } from '../memory/store.ts'
import { buildProfile } from './build-profile.ts'
import { cluster } from './cluster.ts'
import { expire } from './expire.ts'
import { mergeDuplicates } from './merge-duplicates.ts'
import type { ConsolidationStep } from './schemas.ts'
import * as store from './store.ts'
import { summarise } from './summarise.ts'
import { synthesise } from './synthesise.ts'
import type { StoredReport } from './tables.ts'

/** What consolidation needs of memory. */
export interface MemoryCare {
  record: typeof record
  afterClosing: typeof afterClosing
  reaffirmDependants: typeof reaffirmDependants
  hashText: typeof hashText
  indexWords: typeof indexWords
  merge: typeof merge
}

export interface ConsolidateDeps {
  database: Database
  queue: Queue
  /** null: rules do the work. */
  model: StructuredModel | null
  /** The one that an owner's vectors are of. */
  embedderOf: (ownerId: string) => Promise<Embedder>
  memory: MemoryCare
  hiding: Pick<Hiding, 'messages'>
}

/** One run for one owner, as its verbs see it. */
export interface Run {
  ownerId: string
  /** Also the batch of what it writes in memories' histories. */
  id: string
  /** When it began: a run that is repeated sees the same time. */
  now: Date
  signal: AbortSignal
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Changes something and adds what it did to the report, in one transaction; `report` is what was done before. */
  write(work: (tx: Tx, report: StoredReport) => Promise<ConsolidationStep[]>): Promise<void>
}

/** In this order: what is merged need not be clustered, and the profile is made from what is left. */
const VERBS: Record<string, (deps: ConsolidateDeps, run: Run) => Promise<void>> = {
  mergeDuplicates,
  expire,
  summarise,
  synthesise,
  cluster,
  buildProfile
}

/** A part that fails this often is left for another night: fewer than the queue's tries, so that the run comes to an end. */
const MOST_FAILURES = 5

/**
 * Tidies an owner's memory and writes a report. A part that fails does not keep the later ones from running; repeated
 * after a failure, the run does what is not done yet.
 */
export function createConsolidate(deps: ConsolidateDeps): JobHandlers['consolidation.run'] {
  const { database } = deps

  return async function consolidate({ ownerId, consolidationId: id }, signal) {
    const row = await database.inOwner(ownerId, (tx) => store.find(tx, ownerId, id))
    if (row?.status !== 'running') return
    const run: Run = {
      ownerId,
      id,
      now: row.startedAt,
      signal,
      read: (work) => database.inOwner(ownerId, work),
      write: (work) => database.inOwner(ownerId, (tx) => write(tx, ownerId, id, work))
    }
    try {
      const failures: unknown[] = []
      for (const [name, verb] of Object.entries(VERBS)) {
        if (row.report.finished.includes(name)) continue
        signal.throwIfAborted()
        try {
          await verb(deps, run)
          await run.write(async (_tx, report) => {
            report.finished.push(name)
            return []
          })
        } catch (error) {
          if (error instanceof RunEnded || signal.aborted || isOutOfBudget(error)) throw error
          if (!(await isGivenUp(run, name))) failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
      await database.inOwner(ownerId, (tx) => store.complete(tx, ownerId, id))
    } catch (error) {
      if (!(error instanceof RunEnded)) throw error
    }
  }
}

/** Counts a part's failure; true once it has failed so often that it is left out, which the report says. */
async function isGivenUp(run: Run, name: string): Promise<boolean> {
  let givenUp = false
  await run.write(async (_tx, report) => {
    const count = (report.failures?.[name] ?? 0) + 1
    report.failures = { ...report.failures, [name]: count }
    givenUp = count >= MOST_FAILURES
    if (!givenUp) return []
    report.finished.push(name)
    const text = 'A part of the tidying failed each time it was tried, and is left for another night.'
    return [{ action: 'skipped', text, memoryIds: [] }]
  })
  return givenUp
}

async function write(tx: Tx, ownerId: string, id: string, work: Parameters<Run['write']>[0]): Promise<void> {
  // The lock keeps two workers on one run, which a lost connection can bring about, from doing a thing twice.
  const { status, report } = await store.lock(tx, ownerId, id)
  if (status !== 'running') throw new RunEnded()
  report.steps.push(...(await work(tx, report)))
  await store.saveReport(tx, ownerId, id, report)
}

/** The run was given up while this worker was still at it. */
class RunEnded extends Error {}
