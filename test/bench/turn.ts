import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { openHouse, post } from './house.ts'
import { type Figure, quantile } from './report.ts'

const WARM_UP = 50
const SAMPLES = 400

/**
 * What PAI adds to a chat turn, one at a time: the time until a message is durably accepted, beside the same rows written
 * with bare pg, and the time to the first token of a whole turn, beside calling the model directly.
 */
export async function benchTurn(): Promise<Figure[]> {
  const house = await openHouse()
  const pool = new pg.Pool({ connectionString: house.databaseUrl, max: 1 })
  try {
    const writeFloor = await openWriteFloor(pool)
    await rememberSome(house.url, house.authorization)
    // Autovacuum would have done it within the minute; a new table's guesses are not what people work with.
    await pool.query('ANALYZE')
    const accepted: number[] = []
    const written: number[] = []
    const first: number[] = []
    const direct: number[] = []
    for (let sample = -WARM_UP; sample < SAMPLES; sample++) {
      const turn = await timeTurn(house.url, house.authorization)
      const floor = await timed(writeFloor)
      const call = await timeDirect(house.upstreamUrl)
      if (sample < 0) continue
      accepted.push(turn.acceptedMs)
      first.push(turn.firstTokenMs)
      written.push(floor)
      direct.push(call)
    }
    const added = first.map((ms, index) => ms - (direct[index] ?? 0))
    const at = 'most' as const
    return [
      {
        name: 'message accepted, p50',
        value: quantile(accepted, 0.5),
        unit: 'ms',
        floor: quantile(written, 0.5),
        goal: { at, value: 3 }
      },
      {
        name: 'message accepted, p99',
        value: quantile(accepted, 0.99),
        unit: 'ms',
        floor: quantile(written, 0.99),
        goal: { at, value: 15 }
      },
      { name: 'first token, the model alone, p50', value: quantile(direct, 0.5), unit: 'ms' },
      {
        name: 'first token, whole turn, p50',
        value: quantile(first, 0.5),
        unit: 'ms',
        floor: quantile(direct, 0.5)
      },
      {
        name: 'added time to first token, p50',
        value: quantile(added, 0.5),
        unit: 'ms',
        goal: { at, value: 10 }
      },
      {
        name: 'added time to first token, p95',
        value: quantile(added, 0.95),
        unit: 'ms',
        goal: { at, value: 25 }
      }
    ]
  } finally {
    await pool.end()
    await house.close()
  }
}

/** Facts for recall to go through, as an owner of some weeks has them. */
async function rememberSome(url: string, authorization: string): Promise<void> {
  for (let index = 0; index < 200; index++) {
    await post(`${url}/v1/memories`, authorization, {
      text: `My ${['sister', 'brother', 'friend', 'neighbour'][index % 4]} number ${index} keeps ${index * 7} bees in town ${index % 13}`
    })
  }
}

async function timeTurn(
  url: string,
  authorization: string
): Promise<{ acceptedMs: number; firstTokenMs: number }> {
  const began = performance.now()
  const response = await post(
    `${url}/v1/chat`,
    authorization,
    { message: 'Where does my sister number 8 keep her bees?' },
    { accept: 'text/event-stream', 'idempotency-key': randomUUID() }
  )
  let acceptedMs = 0
  let firstTokenMs = 0
  let text = ''
  for await (const chunk of decoded(response)) {
    text += chunk
    if (!acceptedMs && text.includes('event: turn')) acceptedMs = performance.now() - began
    if (!firstTokenMs && text.includes('event: text-delta')) firstTokenMs = performance.now() - began
  }
  if (!text.includes('"status":"completed"')) throw new Error(`A turn did not complete: ${text.slice(-300)}`)
  return { acceptedMs, firstTokenMs }
}

async function timeDirect(baseUrl: string): Promise<number> {
  const began = performance.now()
  const response = await post(`${baseUrl}/chat/completions`, 'Bearer none', {
    model: 'scripted',
    stream: true,
    messages: [{ role: 'user', content: 'Where does my sister number 8 keep her bees?' }]
  })
  let firstTokenMs = 0
  for await (const chunk of decoded(response)) {
    if (!firstTokenMs && /"content":"[^"]/.test(chunk)) firstTokenMs = performance.now() - began
  }
  return firstTokenMs
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

async function* decoded({ body }: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  if (!body) return
  for await (const chunk of body) yield decoder.decode(chunk as Uint8Array, { stream: true })
}
