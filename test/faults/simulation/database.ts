import { Duplex } from 'node:stream'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import pg from 'pg'
import { createTransactions, type Database } from '../../../src/db/client.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { Pool } from '../../../src/db/pool.ts'
import { queueMigration } from '../../../src/jobs/queue.ts'

export interface SimulatedDatabase {
  /** The real thing, in this thread, whose clock it therefore has. */
  pool: Pool
  transactions: ReturnType<typeof createTransactions>
  /** Who hears of each NOTIFY from now on, in the place of whoever did before. */
  hear(heard: (payload: string) => void): void
}

/** Statements are read and planned once: the same few come thousands of times, and that is most of what they cost. */
class RememberingClient extends pg.Client {
  constructor(options?: string | pg.ClientConfig) {
    super(options)
    const names = new Map<string, string>()
    const query = this.query.bind(this) as (...given: unknown[]) => unknown
    this.query = ((given: string | pg.QueryConfig, values?: unknown, ...rest: unknown[]) => {
      const text = typeof given === 'string' ? given : given.text
      const bound = Array.isArray(values) ? values : typeof given === 'string' ? undefined : given.values
      // Without values it may be several statements.
      if (!bound || !text) return query(given, values, ...rest)
      const name = names.get(text) ?? `statement ${names.size}`
      names.set(text, name)
      return query({ ...(typeof given === 'string' ? { text } : given), name }, values, ...rest)
    }) as typeof this.query
  }
}

/** PAI's tables in memory. One session, so transactions come one after the other. */
export async function openInMemory(): Promise<SimulatedDatabase> {
  const database = await PGlite.create({ extensions: { vector } })
  let heard: (payload: string) => void = () => {}
  const pool = new Pool({
    max: 1,
    Client: RememberingClient,
    idleTimeoutMillis: 0,
    user: 'postgres',
    database: 'postgres',
    stream: () => connectionTo(database)
  })
  pool.on('connect', (client) =>
    client.on('notification', ({ payload = '' }) => {
      heard(payload)
    })
  )
  const transactions = createTransactions(pool)
  await migrate({ kind: 'embedded', pool, ...transactions } as Database, { alsoMigrate: queueMigration })
  // What is in memory need not be safe on a disk before it counts.
  await pool.query('SET synchronous_commit = off; SET plan_cache_mode = force_generic_plan; LISTEN pai')
  return {
    pool,
    transactions,
    hear(next) {
      heard = next
    }
  }
}

/** A connection that is a call: what is written to it is answered at once, as much of it as came together. */
function connectionTo(database: PGlite): Duplex {
  let waiting = Buffer.alloc(0)
  let begun = false
  const connection = new Duplex({
    read() {},
    async writev(chunks, done) {
      waiting = Buffer.concat([waiting, ...chunks.map(({ chunk }) => chunk as Buffer)])
      for (let messages = take(); messages; messages = take()) {
        // Its own reading of the answers is left out: pg reads them. And there is no disk.
        await database.execProtocolRawStream(messages, {
          syncToFs: false,
          onRawData: (answer) => connection.push(Buffer.from(answer))
        })
      }
      done()
    }
  })

  /** All whole messages; the first one of all has no letter before its length, and comes alone. */
  function take(): Buffer | null {
    const head = begun ? 1 : 0
    let end = 0
    while (waiting.length >= end + head + 4) {
      const next = end + head + waiting.readUInt32BE(end + head)
      if (next > waiting.length) break
      end = next
      if (!begun) break
    }
    if (end === 0) return null
    const messages = waiting.subarray(0, end)
    waiting = waiting.subarray(end)
    begun = true
    return messages
  }

  const asSocket = { setNoDelay() {}, setKeepAlive() {}, ref() {}, unref() {} }
  return Object.assign(connection, asSocket, {
    connect: () => void process.nextTick(() => connection.emit('connect'))
  })
}
