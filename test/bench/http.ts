import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import autocannon from 'autocannon'
import pg from 'pg'
import { openHouse } from './house.ts'
import { type Figure, median } from './report.ts'

const ROUNDS = 5
const SECONDS = 3
const CONNECTIONS = 10

/** Requests a second of the API against what lies under it: bare Fastify, and the same transaction with bare pg. */
export async function benchHttp(): Promise<Figure[]> {
  const house = await openHouse()
  const bare = new Worker(new URL('./bare-fastify.ts', import.meta.url))
  try {
    const [bareUrl] = (await once(bare, 'message')) as [string]
    const headers = { authorization: house.authorization }
    const rates = { bare: [] as number[], api: [] as number[], pg: [] as number[], read: [] as number[] }
    // Taken in turn, so that a machine that slows down slows both sides.
    for (let round = 0; round < ROUNDS; round++) {
      rates.bare.push(await requestRate(bareUrl, {}))
      rates.api.push(await requestRate(`${house.url}/v1/models`, headers))
      rates.pg.push(await transactionRate(house.databaseUrl))
      rates.read.push(await requestRate(`${house.url}/v1/me`, headers))
    }
    const half = { at: 'least' as const, value: 0.5 }
    return [
      { name: 'bare Fastify', value: median(rates.bare), unit: 'requests/s' },
      { name: 'authenticated GET without the database', value: median(rates.api), unit: 'requests/s' },
      { name: '… of bare Fastify', value: median(rates.api) / median(rates.bare), unit: 'ratio', goal: half },
      { name: 'the transaction with bare pg', value: median(rates.pg), unit: 'transactions/s' },
      { name: 'owner-scoped read', value: median(rates.read), unit: 'requests/s' },
      { name: '… of bare pg', value: median(rates.read) / median(rates.pg), unit: 'ratio', goal: half }
    ]
  } finally {
    await bare.terminate()
    await house.close()
  }
}

async function requestRate(url: string, headers: Record<string, string>): Promise<number> {
  const result = await autocannon({ url, headers, connections: CONNECTIONS, duration: SECONDS })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx + result.errors} requests failed at ${url}`)
  return result.requests.average
}

/** Begin as an owner, read one row, commit: what an owner-scoped read costs without PAI. */
async function transactionRate(connectionString: string): Promise<number> {
  const pool = new pg.Pool({ connectionString, max: CONNECTIONS })
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM users LIMIT 1')
  const owner = rows[0]?.id ?? ''
  const end = performance.now() + SECONDS * 1000
  let count = 0
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < end) {
        const client = await pool.connect()
        await client.query(`BEGIN; SET LOCAL ROLE pai_app; SET LOCAL pai.owner_id = '${owner}'`)
        await client.query(
          'SELECT id, email, name, role, timezone, locale, instructions FROM users WHERE id = $1',
          [owner]
        )
        await client.query('COMMIT')
        client.release()
        count++
      }
    })
  )
  await pool.end()
  return count / SECONDS
}
