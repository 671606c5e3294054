import type { Database } from '../db/client.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import { EventIdInvalid, TurnLogGone, TurnNotFound } from './errors.ts'
import type { LoggedEvent } from './events.ts'
import type { TurnHub } from './turn-hub.ts'
import { readLog } from './turn-log-store.ts'

/**
 * A watcher is told when there is something new; after so long it looks all the same, in case it was not, and then ever less
 * often: ten thousand who wait for something would otherwise keep the database busy with nothing.
 */
const POLL_MS = 5_000
const LONGEST_POLL_MS = 60_000
/** A reader who is this many events behind reads them from the log. */
const MAX_WAITING = 1_000

export type WatchTurn = ReturnType<typeof createWatchTurn>

/** Follows a turn's log from any event on, until its `done`: events that come together are given together. Leaving does not stop the turn. */
export function createWatchTurn({
  database,
  hub,
  hiding
}: {
  database: Database
  hub: TurnHub
  hiding: Pick<Hiding, 'hidesLog'>
}) {
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
  ): Promise<AsyncIterable<LoggedEvent[]>> {
    if (!Number.isSafeInteger(afterId) || afterId < 0) throw new EventIdInvalid()
    // Listening begins before reading, so nothing can fall between the two.
    let live: LoggedEvent[] = []
    let behind = false
    let wake = (): void => {}
    const poll = createPoll(() => {
      behind = true
      wake()
    })
    const unsubscribe = hub.subscribe(turnId, (events) => {
      // What is dropped here leaves a gap, and a gap is read from the log.
      if (live.length > MAX_WAITING) live = []
      if (events) live.push(...events)
      else behind = true
      poll.postpone()
      wake()
    })
    const end = () => {
      unsubscribe()
      poll.end()
    }
    const leave = () => {
      // Also where the reader has left before the first event: what was never begun ends nothing.
      end()
      wake()
    }
    signal.addEventListener('abort', leave, { once: true })

    const readOn = (lastId: number) =>
      database.readInOwner(ownerId, (tx) => readLog(tx, ownerId, turnId, lastId))

    async function* follow(first: Awaited<ReturnType<typeof readOn>>): AsyncGenerator<LoggedEvent[]> {
      let lastId = afterId
      let log = first
      let batch = first?.events ?? []
      try {
        while (!signal.aborted) {
          // An event may arrive both ways, and a gap means that this process did not see it stored.
          const next: LoggedEvent[] = []
          for (const event of batch) {
            if (event.id !== lastId + 1) continue
            next.push(event)
            lastId = event.id
          }
          if (next.length > 0) yield next
          if (signal.aborted || next.at(-1)?.type === 'done') return
          // Nothing more will come: the end was seen before, or the turn was deleted while it ran.
          if (!log || (log.ended && batch.length === 0)) return
          if (live.length === 0 && !behind && !log.ended) {
            poll.begin()
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
          if (signal.aborted) return
          const hasGap = (live[0]?.id ?? 0) > lastId + 1
          if (live.length > 0 && !hasGap) {
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
        end()
      }
    }

    const last = known.at(-1)
    if (last) return follow({ events: known, lastId: last.id, ended: false })
    try {
      const log = await database.readInOwner(ownerId, async (tx) => {
        const read = await readLog(tx, ownerId, turnId, afterId)
        // Of what is hidden a turn that ended tells by its message alone; one that runs is not looked into.
        if (read?.ended && (await hiding.hidesLog(tx, ownerId, turnId))) throw new TurnLogGone(turnId)
        return read
      })
      if (!log) throw new TurnNotFound(turnId)
      if (log.lastId === 0) throw new TurnLogGone(turnId)
      if (afterId > log.lastId) throw new EventIdInvalid()
      return follow(log)
    } catch (error) {
      end()
      throw error
    }
  }
}

/** Calls back when nothing has been heard for a while, and then ever less often. One timer serves, however much is heard. */
function createPoll(onDue: () => void) {
  let timer: NodeJS.Timeout | undefined
  let waitMs = POLL_MS
  let isPostponed = false
  function look(): void {
    if (isPostponed) waitMs = POLL_MS
    else {
      waitMs = Math.min(2 * waitMs, LONGEST_POLL_MS)
      onDue()
    }
    isPostponed = false
    timer = setTimeout(look, waitMs)
  }
  return {
    begin() {
      timer ??= setTimeout(look, waitMs)
    },
    /** Something was heard. */
    postpone() {
      isPostponed = true
    },
    end: () => clearTimeout(timer)
  }
}
