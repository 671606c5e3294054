import { Duplex } from 'node:stream'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import pg from 'pg'
import { createTransactions, type Database } from '../../../src/db/client.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { queueMigration } from '../../../src/jobs/queue.ts'

export interface SimulatedDatabase {
  /** The real thing, in this thread, whose clock it therefore has. */
  pool: pg.Pool
  transactions: ReturnType<typeof createTransactions>
  /** Who hears of each NOTIFY from now on, in the place of whoever did before. */
  hear(heard: (payload: string) => void): void
}

/** PAI's tables in memory. One session, so transactions come one after the other. */
export async function openInMemory(): Promise<SimulatedDatabase> {
  const database = await PGlite.create({ extensions: { vector } })
  let heard: (payload: string) => void = () => {}
  const pool = new pg.Pool({
    max: 1,
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
  await pool.query('LISTEN pai')
  return {
    pool,
    transactions,
    hear(next) {
      heard = next
    }
  }
}

/** A connection that is a call: what is written to it is answered at once. */
function connectionTo(database: PGlite): Duplex {
  let waiting = Buffer.alloc(0)
  let begun = false
  const connection = new Duplex({
    read() {},
    async write(chunk: Buffer, _encoding, done) {
      waiting = Buffer.concat([waiting, chunk])
      for (let message = take(); message; message = take()) {
        const answer = await database.execProtocolRaw(message)
        if (answer.length > 0) connection.push(Buffer.from(answer))
      }
      done()
    }
  })

  /** The next whole message: the first one has no letter before its length. */
  function take(): Buffer | null {
    const head = begun ? 1 : 0
    if (waiting.length < head + 4) return null
    const length = head + waiting.readUInt32BE(head)
    if (waiting.length < length) return null
    const message = waiting.subarray(0, length)
    waiting = waiting.subarray(length)
    begun = true
    return message
  }

  const asSocket = { setNoDelay() {}, setKeepAlive() {}, ref() {}, unref() {} }
  return Object.assign(connection, asSocket, {
    connect: () => void process.nextTick(() => connection.emit('connect'))
  })
}
