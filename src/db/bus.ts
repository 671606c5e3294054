import { EventEmitter } from 'node:events'
import { sql } from 'drizzle-orm'
import type { Database, Tx } from './client.ts'
import { ask, fixed } from './statement.ts'

const CHANNEL = 'pai'

/**
 * What a process has to tell the others: the turns whose log has grown, and who wrote; a turn that its owner wants
 * stopped; a session or an API key that is good no more; an owner who has set another budget. All by their ids.
 */
export type BusTopic = 'turn-log' | 'turn-stop' | 'signed-out' | 'budget'

/** As many ids as one notification may name: PostgreSQL takes 8,000 bytes in it. */
export const MAX_IDS = 200

/** What `pg_notify` is given. */
export interface Notice extends Record<string, unknown> {
  channel: string
  payload: string
}

const notify = fixed<Notice>(({ channel, payload }) => sql`SELECT pg_notify(${channel}, ${payload})`)

/**
 * How the processes on one database wake each other. A message may be lost while a connection is down: whoever listens
 * looks again after a reconnection, and the rows are the truth.
 */
export interface Bus {
  /** Tells every process, this one too, once `tx` is committed. */
  tell(tx: Tx, topic: BusTopic, message: string): Promise<void>
  /** The same as the arguments of `pg_notify`, to go along with another statement. */
  telling(topic: BusTopic, message: string): Notice
  hear(topic: BusTopic, heard: (message: string) => void): void
  /** Calls back when something may have been missed. */
  onReconnect(again: () => void): void
  close(): Promise<void>
}

export async function openBus(database: Database): Promise<Bus> {
  const emitter = new EventEmitter().setMaxListeners(0)
  const listener = await database.listen(
    CHANNEL,
    (payload) => {
      const space = payload.indexOf(' ')
      emitter.emit(payload.slice(0, space), payload.slice(space + 1))
    },
    () => emitter.emit('reconnect')
  )
  const telling: Bus['telling'] = (topic, message) => ({ channel: CHANNEL, payload: `${topic} ${message}` })
  return {
    telling,
    async tell(tx, topic, message) {
      await ask(tx, notify(telling(topic, message)))
    },
    hear(topic, heard) {
      emitter.on(topic, heard)
    },
    onReconnect(again) {
      emitter.on('reconnect', again)
    },
    close: () => listener.close()
  }
}
