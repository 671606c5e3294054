import { EventEmitter } from 'node:events'
import net from 'node:net'
import pg from 'pg'
import { createTransactions, type Database } from './client.ts'
import { type EmbeddedThread, startEmbedded } from './embedded-thread.ts'
import { Pool } from './pool.ts'

/** The embedded database takes one statement at a time: another waits here until the one before it is answered. */
class OneByOneClient extends pg.Client {
  constructor(options?: string | pg.ClientConfig) {
    super(options)
    const query = this.query.bind(this) as (...values: unknown[]) => unknown
    let before: Promise<unknown> = Promise.resolve()
    this.query = ((...values: unknown[]) => {
      // Who calls back has the connection alone.
      if (typeof values.at(-1) === 'function') return query(...values)
      const answer = before.then(() => query(...values))
      before = answer.catch(() => {})
      return answer
    }) as typeof this.query
  }
}

/**
 * PostgreSQL in this process, reached through the wire protocol: one driver serves both kinds of database. It is one
 * session, so the pool has one connection. `thread` may have been started earlier.
 */
export async function openEmbedded(
  dataDir: string,
  thread: EmbeddedThread = startEmbedded(dataDir)
): Promise<Database> {
  await thread.ready
  const notifications = new EventEmitter().setMaxListeners(0)
  const pool = new Pool({
    max: 1,
    Client: OneByOneClient,
    connectionTimeoutMillis: 30_000,
    user: 'postgres',
    database: 'postgres',
    stream: () => connectionTo(thread.socketPath),
    application_name: 'pai'
  })
  pool.on('connect', (client) => {
    // One session is everybody's: whoever commits a NOTIFY is told of it, and passes it on here.
    client.on('notification', (message) => notifications.emit(message.channel, message.payload ?? ''))
  })

  return {
    kind: 'embedded',
    pool,
    ...createTransactions(pool),
    async listen(channel, onNotify, onReconnect) {
      await pool.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
      notifications.on(channel, onNotify)
      onReconnect()
      return {
        async close() {
          notifications.off(channel, onNotify)
        }
      }
    },
    async tidy() {
      await pool.query('VACUUM ANALYZE')
    },
    async close() {
      await pool.end()
      await thread.close()
    }
  }
}

/** pg dials by port and host; this socket dials the embedded database whatever it is told. */
function connectionTo(path: string): net.Socket {
  const socket = new net.Socket()
  const dial = socket.connect.bind(socket)
  socket.connect = () => dial(path)
  return socket
}
