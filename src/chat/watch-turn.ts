import type { Database } from '../db/client.ts'
import { EventIdInvalid, TurnLogGone } from './errors.ts'
import type { LoggedEvent } from './events.ts'
import type { TurnHub } from './turn-hub.ts'
import { loadTurn, readEvents } from './turn-store.ts'

/** A turn that another process runs is looked at this often. */
const POLL_MS = 250

export type WatchTurn = ReturnType<typeof createWatchTurn>

/** Follows a turn's log from any event on, until its `done`. Leaving does not stop the turn. */
export function createWatchTurn({ database, hub }: { database: Database; hub: TurnHub }) {
  /**
   * Refuses what cannot be followed, then answers the events after number `afterId`. The signal ends the watching, not
   * the turn.
   */
  return async function watchTurn(
    ownerId: string,
    turnId: string,
    afterId: number,
    signal: AbortSignal
  ): Promise<AsyncIterable<LoggedEvent>> {
    if (!Number.isSafeInteger(afterId) || afterId < 0) throw new EventIdInvalid()
    // Listening begins before reading, so nothing can fall between the two.
    let live: LoggedEvent[] = []
    let wake = (): void => {}
    const unsubscribe = hub.subscribe(turnId, (events) => {
      live.push(...events)
      wake()
    })
    signal.addEventListener('abort', () => wake(), { once: true })

    async function* follow(stored: LoggedEvent[]): AsyncGenerator<LoggedEvent> {
      let lastId = afterId
      let batch = stored
      try {
        while (!signal.aborted) {
          for (const event of batch) {
            // An event may arrive both ways, and a gap means that this process did not see it stored.
            if (event.id !== lastId + 1) continue
            yield event
            lastId = event.id
            if (event.type === 'done' || signal.aborted) return
          }
          const gap = live.length > 0 && (live[0]?.id ?? 0) > lastId + 1
          if (live.length === 0) {
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
            batch = await database.inOwner(ownerId, (tx) => readEvents(tx, ownerId, turnId, lastId))
          }
        }
      } finally {
        unsubscribe()
      }
    }

    try {
      const stored = await database.inOwner(ownerId, async (tx) => {
        const turn = await loadTurn(tx, ownerId, turnId)
        const events = await readEvents(tx, ownerId, turnId, afterId)
        if (turn.finishedAt && events.length === 0) {
          const all = await readEvents(tx, ownerId, turnId, 0, 1)
          if (all.length === 0) throw new TurnLogGone(turnId)
          throw new EventIdInvalid()
        }
        return events
      })
      return follow(stored)
    } catch (error) {
      unsubscribe()
      throw error
    }
  }
}
