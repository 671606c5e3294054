import type { Database } from '../db/client.ts'
import { type TurnEvent, toLogged } from './events.ts'
import type { TurnHub } from './turn-hub.ts'
import { appendEvents } from './turn-store.ts'

/** Words are gathered this long before they become an event: a model's tokens come faster than watchers can be served. */
const COALESCE_MS = 50

export interface TurnLog {
  append(event: TurnEvent): void
  /** Waits for the write that is under way. */
  settle(): Promise<void>
  /** The events that are not stored yet, with the number of the first: for the transaction that ends the turn. */
  take(): { firstId: number; events: TurnEvent[] }
  /** Tells watchers of events that were stored elsewhere, once that is committed. */
  publish(firstId: number, events: TurnEvent[]): void
}

/**
 * The writing end of one turn's log. An event is stored before anyone sees it, so that what a watcher has read is in the
 * log it resumes from. The first words go out at once, later ones every 50 ms.
 */
export function createTurnLog(database: Database, hub: TurnHub, ownerId: string, turnId: string): TurnLog {
  let nextId = 2
  let pending: TurnEvent[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let failed = false
  let quick = true

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    writing = writing.then(async () => {
      if (pending.length === 0 || failed) return
      const { firstId, events } = take()
      try {
        await database.inOwner(ownerId, (tx) => appendEvents(tx, ownerId, turnId, firstId, events))
        publish(firstId, events)
      } catch {
        // Nothing is lost: the transaction that ends the turn stores what is still pending, or fails for all to see.
        pending = [...events, ...pending]
        nextId = firstId
        failed = true
      }
    })
  }

  function take(): { firstId: number; events: TurnEvent[] } {
    const taken = { firstId: nextId, events: pending }
    nextId += pending.length
    pending = []
    return taken
  }

  function publish(firstId: number, events: TurnEvent[]): void {
    hub.publish(
      turnId,
      events.map((event, index) => toLogged(event, firstId + index))
    )
  }

  return {
    append(event) {
      const last = pending.at(-1)
      if (last && isWords(last) && isWords(event) && last.type === event.type) {
        pending[pending.length - 1] = { type: event.type, data: { text: last.data.text + event.data.text } }
      } else {
        pending.push(event)
      }
      if (quick) {
        quick = false
        flush()
      } else {
        timer ??= setTimeout(flush, COALESCE_MS)
      }
    },
    async settle() {
      clearTimeout(timer)
      timer = undefined
      await writing
    },
    take,
    publish
  }
}

function isWords(event: TurnEvent): event is Extract<TurnEvent, { type: 'text-delta' | 'reasoning-delta' }> {
  return event.type === 'text-delta' || event.type === 'reasoning-delta'
}
