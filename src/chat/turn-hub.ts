import { EventEmitter } from 'node:events'
import type { LoggedEvent } from './events.ts'

/** Tells the watchers in this process what has just been stored. The log in the database is the truth. */
export interface TurnHub {
  /** Marks a turn as run by this process, and as done with. */
  begin(turnId: string): void
  end(turnId: string): void
  /** Whether everything that happens in a turn is told here. */
  hears(turnId: string): boolean
  publish(turnId: string, events: LoggedEvent[]): void
  subscribe(turnId: string, onEvents: (events: LoggedEvent[]) => void): () => void
}

export function createTurnHub(): TurnHub {
  const emitter = new EventEmitter().setMaxListeners(0)
  const running = new Set<string>()
  return {
    begin: (turnId) => void running.add(turnId),
    end: (turnId) => void running.delete(turnId),
    hears: (turnId) => running.has(turnId),
    publish(turnId, events) {
      emitter.emit(turnId, events)
    },
    subscribe(turnId, onEvents) {
      emitter.on(turnId, onEvents)
      return () => emitter.off(turnId, onEvents)
    }
  }
}
