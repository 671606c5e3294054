import type { Database } from '../db/client.ts'
import { EventIdInvalid, TurnLogGone, TurnNotFound } from './errors.ts'
import type { LoggedEvent } from './events.ts'
import type { TurnHub } from './turn-hub.ts'
import { readLog } from './turn-log-store.ts'

/** A watcher is told when there is something new; this often it looks all the same, in case it was not. */
const POLL_MS = 5_000
/** A reader who is this many events behind reads them from the log. */
const MAX_WAITING = 1_000

export type WatchTurn = ReturnType<typeof createWatchTurn>

/** Follows a turn's log from any event on, until its `done`. Leaving does not stop the turn. */
export function createWatchTurn({ database, hub }: { database: Database; hub: TurnHub }) {
  /**
   * Refuses what cannot be followed, then answers the events after number `afterId`. The signal ends the watching, not
   * the turn. `known` are the first events of a turn made at this moment: they need not be read back.
   */
  return async function watchTurn(
    ownerId: string,
    turnId: string,
    afterId: number,
    signal: AbortSignal,
    known: LoggedEvent[] = []
  ): Promise<AsyncIterable<LoggedEvent>> {
    if (!Number.isSafeInteger(afterId) || afterId < 0) throw new EventIdInvalid()
    // Listening begins before reading, so nothing can fall between the two.
    let live: LoggedEvent[] = []
    let behind = false
    let wake = (): void => {}
    const unsubscribe = hub.subscribe(turnId, (events) => {
      // What is dropped here leaves a gap, and a gap is read from the log.
      if (live.length > MAX_WAITING) live = []
      if (events) live.push(...events)
      else behind = true
      wake()
    })
    const leave = () => {
      // Also where the reader has left before the first event: what was never begun ends nothing.
      unsubscribe()
      wake()
    }
    signal.addEventListener('abort', leave, { once: true })

    const readOn = (lastId: number) =>
      database.readInOwner(ownerId, (tx) => readLog(tx, ownerId, turnId, lastId))

    async function* follow(first: Awaited<ReturnType<typeof readOn>>): AsyncGenerator<LoggedEvent> {
      let lastId = afterId
      let log = first
      let batch = first?.events ?? []
      try {
        while (!signal.aborted) {
          for (const event of batch) {
            // An event may arrive both ways, and a gap means that this process did not see it stored.
            if (event.id !== lastId + 1) continue
            yield event
            lastId = event.id
            if (event.type === 'done' || signal.aborted) return
          }
          // Nothing more will come: the end was seen before, or the turn was deleted while it ran.
          if (!log || (log.ended && batch.length === 0)) return
          const gap = live.length > 0 && (live[0]?.id ?? 0) > lastId + 1
          if (live.length === 0 && !behind && !log.ended) {
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, POLL_MS)
              wake = () => {
                clearTimeout(timer)
                resolve()
              }
            })
          }
          if (signal.aborted) return
          if (live.length > 0 && !gap) {
            batch = live
            live = []
          } else {
            live = []
            behind = false
            log = await readOn(lastId)
            batch = log?.events ?? []
          }
        }
      } finally {
        unsubscribe()
      }
    }

    const last = known.at(-1)
    if (last) return follow({ events: known, lastId: last.id, ended: false })
    try {
      const log = await readOn(afterId)
      if (!log) throw new TurnNotFound(turnId)
      if (log.lastId === 0) throw new TurnLogGone(turnId)
      if (afterId > log.lastId) throw new EventIdInvalid()
      return follow(log)
    } catch (error) {
      unsubscribe()
      throw error
    }
  }
}
