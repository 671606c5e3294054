import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { findPostgres } from '../../support/postgres-server.ts'
import { type House, post } from '../house.ts'
import { type Figure, quantile } from '../report.ts'
import { timeTurn } from './ask.ts'

const WARM_UP = 50
const SAMPLES = 400
const SENDERS = 32
const SECONDS = 5
const AT = 'most' as const

/** How long one message takes to be stored and acknowledged, beside the same rows written with bare pg. */
export async function measureAccepted(house: House): Promise<Figure[]> {
  const pool = new pg.Pool({ connectionString: house.databaseUrl, max: 1 })
  try {
    const writeFloor = await openWriteFloor(pool)
    const accepted: number[] = []
    const written: number[] = []
    for (let sample = -WARM_UP; sample < SAMPLES; sample++) {
      const turn = await timeTurn(house.url, house.authorization)
      const floor = await timed(writeFloor)
      if (sample < 0) continue
      accepted.push(turn.acceptedMs)
      written.push(floor)
    }
    const figure = (share: number, goal: number): Figure => ({
      name: `message accepted, p${share * 100}`,
      value: quantile(accepted, share),
      unit: 'ms',
      floor: quantile(written, share),
      goal: { at: AT, value: goal }
    })
    return [figure(0.5, 3), figure(0.99, 15)]
  } finally {
    await pool.end()
  }
}

/** Messages accepted a second by many senders, each answered too, beside pgbench inserting one row a transaction. */
export async function measureRate(house: House, folder: string): Promise<Figure[]> {
  let accepted = 0
  const until = performance.now() + SECONDS * 1_000
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      while (performance.now() < until) {
        const response = await post(
          `${house.url}/v1/chat`,
          house.authorization,
          { message: 'Hello', useMemory: false },
          { 'idempotency-key': randomUUID() }
        )
        await response.arrayBuffer()
        accepted++
      }
    })
  )
  const floor = insertsPerSecond(house.databaseUrl, folder)
  if (floor === null) console.log('SKIPPED pgbench: it is not installed here')
  return [
    {
      name: `messages accepted and answered, ${SENDERS} senders`,
      value: accepted / SECONDS,
      unit: '/s',
      ...(floor !== null && { floor })
    }
  ]
}

function insertsPerSecond(databaseUrl: string, folder: string): number | null {
  const found = findPostgres()
  const pgbench = 'bin' in found ? join(found.bin, 'pgbench') : ''
  if (!existsSync(pgbench)) return null
  const script = join(folder, 'insert.sql')
  writeFileSync(
    script,
    `INSERT INTO floor_rows VALUES (gen_random_uuid(), 'message', 'Where does my sister keep her bees?');\n`
  )
  const args = ['-n', '-c', String(SENDERS), '-j', '2', '-T', String(SECONDS), '-f', script, databaseUrl]
  const output = execFileSync(pgbench, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return Number(/tps = ([\d.]+)/.exec(output)?.[1])
}

/** The rows of an accepted message in one transaction, and nothing else. */
async function openWriteFloor(pool: pg.Pool): Promise<() => Promise<void>> {
  await pool.query(`CREATE TABLE floor_rows (id uuid PRIMARY KEY, part text NOT NULL, body text NOT NULL)`)
  const body = 'Where does my sister number 8 keep her bees?'
  return async function write() {
    const client = await pool.connect()
    await client.query('BEGIN')
    for (const part of ['key', 'conversation', 'message', 'turn', 'event']) {
      await client.query('INSERT INTO floor_rows VALUES ($1, $2, $3)', [randomUUID(), part, body])
    }
    await client.query('COMMIT')
    client.release()
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
