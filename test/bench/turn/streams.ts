import { readFileSync } from 'node:fs'
import { type Child, startChild } from '../../support/child.ts'
import { type House, openHouse, post, register } from '../house.ts'
import type { Figure } from '../report.ts'

const IDLE = 10_000
/** The goal is for the larger number; the smaller one tells a slow service from one that has too few cores. */
const STREAMS = [100, 1_000]
const TOKENS_A_SECOND = 30
/** For so long all of them write. */
const SECONDS = 10
/** Turns begin one after the other, as people do: what a turn costs to begin is measured elsewhere. */
const BEGUN_A_SECOND = 50
const OWNERS = 20
const PROXY = `${import.meta.dirname}/bare-proxy.ts`
const READERS = `${import.meta.dirname}/readers.ts`
const SOURCE = `${import.meta.dirname}/token-source.ts`

/** What one more reader costs who waits for a turn that says nothing: the service's memory before and after. */
export async function measureIdle(): Promise<Figure[]> {
  const source = startChild([SOURCE, '--silent'])
  const house = await openHouse({ ...(await pointAt(source)), PAI_FIRST_TOKEN_SECONDS: '600' })
  try {
    const turnId = await begin(house)
    // Whatever a first reader makes the service load is not the ten-thousandth's.
    const first = startReaders(house.url, [house.authorization], 100, turnId)
    await first.line((line) => line === 'all are reading')
    const before = memoryOf(house.pid)
    const readers = startReaders(house.url, [house.authorization], IDLE, turnId)
    await readers.line((line) => line === 'all are reading')
    const value = (memoryOf(house.pid) - before) / IDLE
    await Promise.all([first.kill(), readers.kill()])
    return [
      {
        name: `memory of an idle stream, ${IDLE} of them`,
        value,
        unit: 'KiB',
        goal: { at: 'most', value: 40 }
      }
    ]
  } finally {
    await house.close()
    await source.kill()
  }
}

/** What readers of many replies at once noted, in milliseconds. */
interface Read {
  /** While all of them were being written. */
  together: { p50: number; p99: number }
  /** From the first to the last word: while turns begin and end, too. */
  whole: { p50: number; p99: number }
  tokens: number
  /** Pieces in which the words came. */
  pieces: number
}

/** Replies at once, each as fast as a quick model writes: how much later a token arrives than it was sent. */
export async function measureMany(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const streams of STREAMS) figures.push(...(await measureStreams(streams)))
  return figures
}

async function measureStreams(streams: number): Promise<Figure[]> {
  const seconds = streams / BEGUN_A_SECOND + SECONDS
  const source = startChild([SOURCE, '--rate', String(TOKENS_A_SECOND), '--seconds', String(seconds)])
  try {
    const { OPENAI_BASE_URL: upstream = '' } = await pointAt(source)
    const floor = await readThroughProxy(streams, upstream)
    const house = await openHouse({ OPENAI_BASE_URL: upstream })
    try {
      const accounts: string[] = []
      for (let owner = 0; owner < OWNERS; owner++)
        accounts.push(await register(house.url, `reader-${owner}@example.com`))
      const before = cpuOf(house.pid)
      const read = await readMany(house.url, accounts, streams)
      const cpuMicroseconds = ((cpuOf(house.pid) - before) * 1e6) / read.tokens
      const sent = streams * TOKENS_A_SECOND * seconds
      const name = `${streams} streams of ${TOKENS_A_SECOND} tokens/s`
      const { together, whole } = read
      return [
        { name: `${name}, added p50`, value: together.p50, unit: 'ms', floor: floor.together.p50 },
        {
          name: `${name}, added p99`,
          value: together.p99,
          unit: 'ms',
          floor: floor.together.p99,
          ...(streams === STREAMS.at(-1) && { goal: { at: 'most' as const, value: 50 } })
        },
        {
          name: `${name}, added p99 with beginnings and ends`,
          value: whole.p99,
          unit: 'ms',
          floor: floor.whole.p99
        },
        { name: `${name}, arrived`, value: read.tokens / sent, unit: '', goal: { at: 'least', value: 1 } },
        { name: `${name}, tokens in a piece`, value: read.tokens / read.pieces, unit: '' },
        { name: `${name}, CPU of PAI's process`, value: cpuMicroseconds, unit: 'µs/token' }
      ]
    } finally {
      await house.close()
    }
  } finally {
    await source.kill()
  }
}

/** The same source and the same readers, with nothing between them but a node that hands on: no less can be had here. */
async function readThroughProxy(streams: number, upstream: string): Promise<Read> {
  const proxy = startChild([PROXY, upstream])
  try {
    const url = await proxy.line((line) => line.startsWith('http'))
    return await readMany(url, [''], streams)
  } finally {
    await proxy.kill()
  }
}

async function readMany(url: string, accounts: string[], streams: number): Promise<Read> {
  const readers = startReaders(url, accounts, streams)
  const line = await readers.line((one) => one.startsWith('{'))
  await readers.kill()
  return JSON.parse(line)
}

function startReaders(url: string, accounts: string[], count: number, turnId?: string): Child {
  const options = { url, count, 'per-second': BEGUN_A_SECOND, ...(turnId && { turn: turnId }) }
  return startChild([
    READERS,
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    ...accounts.map((authorization) => `--authorization=${authorization}`)
  ])
}

async function pointAt(source: ReturnType<typeof startChild>): Promise<NodeJS.ProcessEnv> {
  return { OPENAI_BASE_URL: await source.line((line) => line.startsWith('http')) }
}

/** A turn that will say nothing; answers its id. */
async function begin(house: House): Promise<string> {
  const response = await post(
    `${house.url}/v1/chat`,
    house.authorization,
    { message: 'Hello', useMemory: false },
    { accept: 'text/event-stream' }
  )
  let text = ''
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece).toString()
    const [, turnId] = /"turnId":"([^"]+)"/.exec(text) ?? []
    if (turnId) return turnId
  }
  throw new Error(`No turn began: ${text}`)
}

/** Resident memory of a process, in KiB. */
function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Seconds of CPU that a process has had; a hundredth is what Linux counts in. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number)
  return (user + system) / 100
}
