import { randomUUID } from 'node:crypto'
import pg from 'pg'
import {
  conversationOf,
  imageBytes,
  isWhole,
  type Kind,
  questionAt,
  readEvents,
  SHARES,
  wordsAt
} from '../../load/work.ts'
import { type House, openHouse, post } from './house.ts'
import { type Figure, quantile } from './report.ts'
import { timeDirect } from './turn/ask.ts'

/** Callers at once, each with its next call as soon as the last is answered. */
const CALLERS = 8
const WARM_UP = 40
const CALLS = 1_200
const SEEDED_MESSAGES = 100
const IMPORTED_MESSAGES = 20

interface Call {
  kind: Kind
  /** Asks PAI; throws when the answer is not what it should be. */
  ask: (number: number) => Promise<void>
  /** The same without PAI: the model alone, or the rows alone with bare pg. */
  floor: () => Promise<void>
}

/** What people do, all at once, in the shares of load/work.ts: how long each kind of call takes, and that none fails. */
export async function benchMix(): Promise<Figure[]> {
  const house = await openHouse()
  const pool = new pg.Pool({ connectionString: house.databaseUrl, max: CALLERS })
  try {
    const { url, authorization } = house
    await post(`${url}/v1/conversations/import`, authorization, conversationOf(SEEDED_MESSAGES))
    const calls = await callsOf(house, pool)
    await runAll(calls, WARM_UP)
    const began = performance.now()
    const { asked, floors, errors } = await runAll(calls, CALLS)
    const seconds = (performance.now() - began) / 1_000
    console.log(`${CALLS} calls of ${CALLERS} callers in ${seconds.toFixed(1)} s, each beside its floor`)
    for (const error of errors.slice(0, 5)) console.log(`failed: ${error}`)
    return [
      ...calls.flatMap(({ kind }) =>
        [0.5, 0.95, 0.99].map((share) => ({
          name: `${kind}, p${Math.round(share * 100)}`,
          value: quantile(asked[kind], share),
          unit: 'ms',
          floor: quantile(floors[kind], share)
        }))
      ),
      { name: 'calls that failed', value: errors.length, unit: '', goal: { at: 'most', value: 0 } }
    ]
  } finally {
    await pool.end()
    await house.close()
  }
}

async function runAll(calls: Call[], count: number) {
  const none = () =>
    Object.fromEntries(calls.map(({ kind }) => [kind, [] as number[]])) as Record<Kind, number[]>
  const asked = none()
  const floors = none()
  const errors: string[] = []
  let begun = 0
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (begun < count) {
        const number = begun++
        const call = callAt(calls, number)
        try {
          asked[call.kind].push(await timed(() => call.ask(number)))
        } catch (error) {
          errors.push(`${call.kind}: ${(error as Error).message}`)
        }
        floors[call.kind].push(await timed(call.floor))
      }
    })
  )
  return { asked, floors, errors }
}

/** The kinds mixed evenly, the same in every run: a step that shares no factor with 100 meets every place once. */
function callAt(calls: Call[], number: number): Call {
  let place = (number * 37) % 100
  for (const call of calls) {
    place -= SHARES[call.kind]
    if (place < 0) return call
  }
  throw new Error('The shares of load/work.ts do not make a hundred')
}

async function callsOf({ url, authorization, upstreamUrl }: House, pool: pg.Pool): Promise<Call[]> {
  const { read, write, remove } = await openFloors(pool)
  const image = imageBytes()
  const brought = conversationOf(IMPORTED_MESSAGES)
  const key = () => ({ 'idempotency-key': randomUUID() })
  const found = async (response: Response) => {
    const { items } = (await response.json()) as { items: unknown[] }
    if (items.length === 0) throw new Error('nothing was found')
  }
  return [
    {
      kind: 'chat',
      async ask(number) {
        const headers = { accept: 'text/event-stream', ...key() }
        const response = await post(`${url}/v1/chat`, authorization, { message: questionAt(number) }, headers)
        if (!isWhole(readEvents(await response.text()))) throw new Error('a turn was not whole')
      },
      floor: async () => void (await timeDirect(upstreamUrl))
    },
    {
      kind: 'recall',
      ask: async (number) =>
        found(await post(`${url}/v1/recall`, authorization, { query: questionAt(number), limit: 10 })),
      floor: read
    },
    {
      kind: 'search',
      async ask(number) {
        const words = encodeURIComponent(wordsAt(number))
        const response = await fetch(`${url}/v1/conversations/search?query=${words}`, {
          headers: { authorization }
        })
        if (!response.ok) throw new Error(`answered ${response.status}`)
        await found(response)
      },
      floor: read
    },
    {
      kind: 'attachment',
      async ask() {
        const body = new FormData()
        body.append('file', new Blob([image], { type: 'image/png' }), 'load.png')
        const headers = { authorization, ...key() }
        const response = await fetch(`${url}/v1/attachments`, { method: 'POST', headers, body })
        if (!response.ok) throw new Error(`answered ${response.status}`)
        const { id } = (await response.json()) as { id: string }
        const removed = await fetch(`${url}/v1/attachments/${id}`, {
          method: 'DELETE',
          headers: { authorization }
        })
        if (!removed.ok) throw new Error(`answered ${removed.status}`)
      },
      floor: async () => remove(await write([image]))
    },
    {
      kind: 'conversation',
      async ask() {
        const response = await post(`${url}/v1/conversations/import`, authorization, brought, key())
        const { messageIds } = (await response.json()) as { messageIds: string[] }
        if (messageIds.length !== IMPORTED_MESSAGES) throw new Error('an import is not whole')
      },
      floor: async () => void (await write(brought.messages.map(({ content }) => Buffer.from(content))))
    }
  ]
}

/** One row of one owner read, rows written, and rows removed, each in a transaction of its own. */
async function openFloors(pool: pg.Pool) {
  await pool.query('CREATE TABLE floor_rows (id uuid PRIMARY KEY, body bytea NOT NULL)')
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM users LIMIT 1')
  const owner = rows[0]?.id ?? ''
  async function inTransaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    client.release()
    return result
  }
  return {
    read: async () => {
      await inTransaction((client) =>
        client.query('SELECT id, email, name FROM users WHERE id = $1', [owner])
      )
    },
    write: (bodies: Uint8Array[]) =>
      inTransaction(async (client) => {
        const ids = bodies.map(() => randomUUID())
        for (const [index, body] of bodies.entries())
          await client.query('INSERT INTO floor_rows VALUES ($1, $2)', [ids[index], Buffer.from(body)])
        return ids
      }),
    remove: async (ids: string[]) => {
      await inTransaction((client) => client.query('DELETE FROM floor_rows WHERE id = ANY($1)', [ids]))
    }
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
