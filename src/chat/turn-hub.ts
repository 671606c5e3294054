import { EventEmitter } from 'node:events'
import type { LoggedEvent } from './events.ts'

/** Tells the watchers in this process what has just been stored. The log in the database is the truth. */
export interface TurnHub {
  publish(turnId: string, events: LoggedEvent[]): void
  subscribe(turnId: string, onEvents: (events: LoggedEvent[]) => void): () => void
}

export function createTurnHub(): TurnHub {
  const emitter = new EventEmitter().setMaxListeners(0)
  return {
    publish(turnId, events) {
      emitter.emit(turnId, events)
    },
    subscribe(turnId, onEvents) {
      emitter.on(turnId, onEvents)
      return () => emitter.off(turnId, onEvents)
    }
  }
}
