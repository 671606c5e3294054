import type { LogPart } from '../db/system.ts'
import { TurnInterrupted } from './errors.ts'
import { type TurnEvent, toLogged } from './events.ts'
import type { StoreEvents } from './log-writer.ts'
import type { TurnHub } from './turn-hub.ts'

/** A database that was away is asked again after this long. */
const AGAIN_MS = 500

export interface TurnLog {
  /** Throws when the turn is another's now: nothing more of it would be stored. */
  append(event: TurnEvent): void
  /** Waits for the write that is under way, and begins no other. */
  settle(): Promise<void>
  /** The events that are not known to be stored, with the number of the first: for the transaction that ends the turn. */
  take(): { firstId: number; events: TurnEvent[] }
  /** Tells watchers of events that were stored elsewhere, once that is committed. */
  publish(firstId: number, events: TurnEvent[]): void
}

/**
 * The writing end of one turn's log. An event is stored before anyone sees it, so that what a watcher has read is in the
 * log it resumes from. The first words go out at once; later ones are gathered until the writer of all logs comes round, since a
 * model's tokens come faster than watchers can be served.
 */
export function createTurnLog({
  storeEvents,
  hub,
  ownerId,
  turnId
}: {
  storeEvents: StoreEvents
  hub: TurnHub
  ownerId: string
  turnId: string
}): TurnLog {
  let nextId = 2
  /** Events that are still gathered. */
  let pending: TurnEvent[] = []
  /** Events on their way into the log. They keep their numbers and their words: an answer may be lost, not what it told of. */
  let sent: TurnEvent[] = []
  let again: NodeJS.Timeout | undefined
  let storing: Promise<void> | undefined
  let isFirst = true
  /** Whether the first words are with the writer, or were. */
  let hasFirst = false
  /** Whether the writer has what is sent, or has yet to ask for it. */
  let isTaken = false
  let lost = false
  let settled = false

  /** Begins to store, where that is not under way: it looks for more when it ends. */
  function flush(): void {
    again = undefined
    storing ??= store().finally(() => {
      storing = undefined
    })
  }

  async function store(): Promise<void> {
    do {
      const isUrgent = isFirst
      isFirst = false
      isTaken = false
      try {
        lost = !(await storeEvents(takePart, isUrgent))
      } catch {
        if (!settled) again = setTimeout(flush, AGAIN_MS)
        return
      }
      if (lost || !isTaken) return
      publish(nextId, sent)
      nextId += sent.length
      sent = []
    } while (pending.length > 0 && !settled)
  }

  function takePart(): LogPart | null {
    if (settled && hasFirst) return null
    hasFirst = true
    isTaken = true
    if (sent.length === 0) {
      sent = pending
      pending = []
    }
    return { ownerId, turnId, firstId: nextId, events: sent }
  }

  function publish(firstId: number, events: TurnEvent[]): void {
    if (events.length === 0) return
    hub.publish(
      turnId,
      events.map((event, index) => toLogged(event, firstId + index))
    )
  }

  return {
    append(event) {
      if (lost) throw new TurnInterrupted()
      const last = pending.at(-1)
      if (last && isWords(last) && isWords(event) && last.type === event.type) {
        pending[pending.length - 1] = { type: event.type, data: { text: last.data.text + event.data.text } }
      } else {
        pending.push(event)
      }
      if (!again) flush()
    },
    async settle() {
      settled = true
      clearTimeout(again)
      // What has not been taken yet is not waited for: it stays here. But the first words are somebody's wait, and do not wait
      // for all that a turn's end stores.
      if (isTaken || !hasFirst) await storing
    },
    take() {
      return { firstId: nextId, events: [...sent, ...pending] }
    },
    publish
  }
}

function isWords(event: TurnEvent): event is Extract<TurnEvent, { type: 'text-delta' | 'reasoning-delta' }> {
  return event.type === 'text-delta' || event.type === 'reasoning-delta'
}
