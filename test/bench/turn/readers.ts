import { request } from 'node:http'
import { parseArgs } from 'node:util'
import { quantile } from '../report.ts'

/**
 * Many readers in one process: of the turn `--turn`, which is there (they wait), or each of a turn of its own, `--per-second`
 * of them begun in one (they note how much later each token comes than it was sent).
 */
const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    /** Of each of the accounts that the readers are. */
    authorization: { type: 'string', multiple: true, default: [''] },
    count: { type: 'string', default: '0' },
    'per-second': { type: 'string', default: '50' },
    turn: { type: 'string' }
  }
})
const { authorization: accounts, turn } = values
const { hostname, port } = new URL(values.url)
const count = Number(values.count)
const STARTED_AT_ONCE = 100

interface Token {
  sentAt: number
  delayMs: number
}

let asking = 0

function ask(path: string, onPiece: (piece: string) => void): Promise<void> {
  const authorization = accounts[asking++ % accounts.length]
  const headers = { authorization, accept: 'text/event-stream', 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const method = turn ? 'GET' : 'POST'
    const asked = request({ hostname, port, path, headers, agent: false, method })
    asked.on('error', reject)
    asked.on('response', (response) => {
      if (response.statusCode !== 200) reject(new Error(`A reader was answered ${response.statusCode}`))
      response.on('data', (piece: Buffer) => onPiece(piece.toString('latin1')))
      response.on('end', resolve)
      response.on('error', reject)
    })
    asked.end(turn ? undefined : JSON.stringify({ message: 'Hello', useMemory: false }))
  })
}

async function wait(): Promise<void> {
  for (let begun = 0; begun < count; ) {
    // All at once would overflow the queue of connections that wait to be taken.
    const some = Math.min(STARTED_AT_ONCE, count - begun)
    begun += some
    await Promise.all(
      Array.from(
        { length: some },
        () =>
          new Promise<void>((resolve, reject) =>
            ask(`/v1/turns/${turn}/events`, () => resolve()).catch(reject)
          )
      )
    )
  }
  console.log('all are reading')
}

async function follow(): Promise<void> {
  const streams: Token[][] = []
  let pieces = 0
  async function read(): Promise<void> {
    const tokens: Token[] = []
    streams.push(tokens)
    await ask('/v1/chat', (piece) => {
      const now = performance.timeOrigin + performance.now()
      pieces++
      for (const [, sentAt] of piece.matchAll(/<(\d+\.\d)>/g))
        tokens.push({ sentAt: Number(sentAt), delayMs: now - Number(sentAt) })
    })
  }
  const reading: Promise<void>[] = []
  const began = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(
        count,
        Math.ceil(((performance.now() - began) / 1_000) * Number(values['per-second']))
      )
      while (reading.length < due) reading.push(read())
      if (due < count) return
      clearInterval(timer)
      resolve()
    }, 5)
  })
  await Promise.all(reading)
  // A reply that was cut off is missed among the tokens, and does not cut short what is looked at of the others.
  const begun = streams.filter((tokens) => tokens.length > 0)
  const from = Math.max(...begun.map(([first]) => first?.sentAt ?? 0))
  const until = begun[0]?.at(-1)?.sentAt ?? 0
  const whole = streams.flat()
  const together = whole.filter(({ sentAt }) => sentAt >= from && sentAt <= until)
  const summary = (tokens: Token[]) => {
    const delays = tokens.map(({ delayMs }) => delayMs)
    return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99) }
  }
  console.log(
    JSON.stringify({ whole: summary(whole), together: summary(together), tokens: whole.length, pieces })
  )
}

await (turn ? wait() : follow())
