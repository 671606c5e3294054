import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from '../db/client.ts'
import type { JobHandlers, JobName, JobPayloads } from './jobs.ts'

/** When somebody or other has waited for this long on end, jobs begin all the same: they must not queue up for ever. */
const LONGEST_MS = 1_000

/** What begins a transaction. */
const BEGINNING = ['inOwner', 'readInOwner', 'searchInOwner', 'oneInOwner', 'readOneInOwner'] as const

/** Lets the jobs of this process begin while nobody waits for the first word of a reply from it. */
export interface GiveWay {
  /** Somebody waits from now on; answers how to say that they have their first word, or will get none. */
  begin(): () => void
  /** Waits until nobody does, or somebody has for a second on end. */
  untilQuiet(): Promise<void>
  /** Has each of these begin when nobody waits, or somebody has for a second on end. */
  letGoFirst(handlers: JobHandlers): JobHandlers
  /** The same for the transactions of jobs: one that is at work when somebody begins to wait goes on after them. */
  afterPeople(database: Database): Database
}

export function createGiveWay(): GiveWay {
  let waiting = 0
  let since = 0
  let quiet = Promise.withResolvers<void>()

  async function untilQuiet(): Promise<void> {
    const left = since + LONGEST_MS - performance.now()
    if (waiting === 0 || left <= 0) return
    const over = new AbortController()
    const longest = wait(left, undefined, { signal: over.signal, ref: false }).catch(() => {})
    await Promise.race([quiet.promise, longest])
    over.abort()
  }

  function after<Name extends JobName>(handle: JobHandlers[Name]): JobHandlers[Name] {
    const later = async (payload: JobPayloads[Name], signal: AbortSignal): Promise<void> => {
      await untilQuiet()
      await (handle as (payload: JobPayloads[Name], signal: AbortSignal) => Promise<void>)(payload, signal)
    }
    return later as JobHandlers[Name]
  }

  return {
    begin() {
      if (waiting++ === 0) {
        since = performance.now()
        quiet = Promise.withResolvers()
      }
      let over = false
      return () => {
        if (over) return
        over = true
        if (--waiting === 0) quiet.resolve()
      }
    },
    untilQuiet,
    afterPeople(database) {
      const later = BEGINNING.map((name) => {
        const begin = database[name] as (...asked: unknown[]) => Promise<unknown>
        return [name, (...asked: unknown[]) => untilQuiet().then(() => begin(...asked))]
      })
      return { ...database, ...Object.fromEntries(later) }
    },
    letGoFirst: (handlers) =>
      Object.fromEntries(
        Object.entries(handlers).map(([name, handle]) => [name, after(handle as JobHandlers[JobName])])
      ) as unknown as JobHandlers
  }
}
