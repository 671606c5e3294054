import { EventEmitter } from 'node:events'
import type { LoggedEvent } from './events.ts'

/** Hears what has just been stored of a turn; null: something has, elsewhere, and is to be read from the log. */
export type OnEvents = (events: LoggedEvent[] | null) => void

/** Tells the watchers in this process what has just been stored. The log in the database is the truth. */
export interface TurnHub {
  publish(turnId: string, events: LoggedEvent[]): void
  /** Another process has written to this turn's log. */
  wake(turnId: string): void
  /** Something may have been missed, of any turn. */
  wakeAll(): void
  subscribe(turnId: string, onEvents: OnEvents): () => void
}

export function createTurnHub(): TurnHub {
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    publish(turnId, events) {
      emitter.emit(turnId, events)
    },
    wake(turnId) {
      emitter.emit(turnId, null)
    },
    wakeAll() {
      for (const turnId of emitter.eventNames()) emitter.emit(turnId, null)
    },
    subscribe(turnId, onEvents) {
      emitter.on(turnId, onEvents)
      return () => emitter.off(turnId, onEvents)
    }
  }
}
