import { readFileSync } from 'node:fs'
import { startChild } from '../../support/child.ts'
import { type House, openHouse, post } from '../house.ts'
import { type Figure, quantile } from '../report.ts'

const IDLE = 10_000
/** The goal is for the larger number; the smaller one tells a slow service from one that has too few cores. */
const STREAMS = [100, 1_000]
const TOKENS_A_SECOND = 30
const SECONDS = 10
const READERS = `${import.meta.dirname}/readers.ts`
const SOURCE = `${import.meta.dirname}/token-source.ts`

/** What one more reader costs who waits for a turn that says nothing: the service's memory before and after. */
export async function measureIdle(): Promise<Figure[]> {
  const source = startChild([SOURCE, '--silent'])
  const house = await openHouse({ ...(await pointAt(source)), PAI_FIRST_TOKEN_SECONDS: '600' })
  try {
    const turnId = await begin(house)
    // Whatever a first reader makes the service load is not the ten-thousandth's.
    const first = startChild([READERS, house.url, house.authorization, '100', turnId])
    await first.line((line) => line === 'all are reading')
    const before = memoryOf(house.pid)
    const readers = startChild([READERS, house.url, house.authorization, String(IDLE), turnId])
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

/** Replies at once, each as fast as a quick model writes: how much later a token arrives than it was sent. */
export async function measureMany(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const streams of STREAMS) figures.push(...(await measureStreams(streams)))
  return figures
}

async function measureStreams(streams: number): Promise<Figure[]> {
  const source = startChild([SOURCE, '--rate', String(TOKENS_A_SECOND), '--seconds', String(SECONDS)])
  const house = await openHouse(await pointAt(source))
  try {
    const readers = startChild([READERS, house.url, house.authorization, String(streams)])
    const line = await readers.line((one) => one.startsWith('{'))
    const { delaysMs, events } = JSON.parse(line) as { delaysMs: number[]; events: number }
    await readers.kill()
    const name = `${streams} streams of ${TOKENS_A_SECOND} tokens/s`
    return [
      { name: `${name}, added p50`, value: quantile(delaysMs, 0.5), unit: 'ms' },
      {
        name: `${name}, added p99`,
        value: quantile(delaysMs, 0.99),
        unit: 'ms',
        ...(streams === STREAMS.at(-1) && { goal: { at: 'most' as const, value: 50 } })
      },
      { name: `${name}, events delivered`, value: events / SECONDS, unit: '/s' }
    ]
  } finally {
    await house.close()
    await source.kill()
  }
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
