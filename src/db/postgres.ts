import pg from 'pg'
import { createTransactions, type Database } from './client.ts'
import { Pool } from './pool.ts'

/**
 * Gathers what is sent until the code that runs now pauses: statements that do not wait for each other's answers are one
 * packet, and a packet costs more than what is in it.
 */
class GatheringClient extends pg.Client {
  constructor(options?: string | pg.ClientConfig) {
    super(options)
    const query = this.query.bind(this) as (...values: unknown[]) => unknown
    this.query = ((...values: unknown[]) => {
      const { stream } = this.connection
      stream.cork()
      process.nextTick(() => stream.uncork())
      return query(...values)
    }) as typeof this.query
  }
}

const RECONNECT_MS = 1_000
/** A connection whose other end went away without a word is noticed by a question. */
const STILL_THERE_MS = 10_000

/** A PostgreSQL server. */
export function connectPostgres(url: string, poolSize = 10): Database {
  const pool = new Pool({
    connectionString: url,
    Client: GatheringClient,
    max: poolSize,
    // A caller waits this long for a connection, then gets a 503 instead of a hang.
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    // A new connection knows neither the tables nor the plans: people who write once a minute would meet one each time.
    idleTimeoutMillis: 600_000,
    // Statements that need not wait for each other's answers are sent together.
    pipeline: true,
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 30_000,
    application_name: 'pai',
    // Compiling a statement pays where much is read, which takes longer than any of ours may.
    options: '-c jit=off'
  })
  return {
    kind: 'postgres',
    pool,
    ...createTransactions(pool),
    listen: (channel, onNotify, onReconnect) => listen(url, channel, onNotify, onReconnect),
    // Autovacuum is at work.
    async tidy() {},
    close: () => pool.end()
  }
}

/** Holds one connection for LISTEN, and takes a new one when it breaks. */
async function listen(
  url: string,
  channel: string,
  onNotify: (payload: string) => void,
  onReconnect: () => void
): Promise<{ close(): Promise<void> }> {
  let client: pg.Client | undefined
  let closed = false
  let timer: NodeJS.Timeout | undefined

  async function subscribe(): Promise<void> {
    const next = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      query_timeout: 5_000,
      application_name: 'pai listen'
    })
    next.on('notification', (message) => onNotify(message.payload ?? ''))
    next.on('error', () => {})
    next.on('end', () => {
      if (!closed && client === next) retry()
    })
    try {
      await next.connect()
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      await next.end().catch(() => {})
      throw error
    }
    // Closed in the meantime: nobody else would end it.
    if (closed) return next.end()
    client = next
    const question = setInterval(() => {
      next.query('SELECT 1').catch(() => next.end().catch(() => {}))
    }, STILL_THERE_MS)
    next.once('end', () => clearInterval(question))
    onReconnect()
  }

  function retry(): void {
    client = undefined
    timer = setTimeout(() => {
      subscribe().catch(() => {
        if (!closed) retry()
      })
    }, RECONNECT_MS)
  }

  await subscribe()
  return {
    async close() {
      closed = true
      clearTimeout(timer)
      await client?.end()
    }
  }
}
