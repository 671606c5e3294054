import { createHash } from 'node:crypto'
import type { FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyContextConfig } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Each request of this route is counted where all processes count, before it is answered. */
    countsExactly?: boolean
  }
}

const MINUTE_MS = 60_000
/** Processes tell each other what they have counted this often: so long may one let through what another would not. */
const EXCHANGE_MS = 1_000
/** Callers that are counted in a minute; beyond, those who came first are forgotten. */
const MAX_CALLERS = 50_000

/** Adds what this process has counted, and answers what all of them have, by key. */
export type Exchange = (counted: Record<string, number>) => Promise<Map<string, number>>

interface Count {
  /** By all processes, when they were last asked. */
  known: number
  /** By this one since. */
  fresh: number
}

type Answer = Parameters<FastifyRateLimitStore['incr']>[1]

/**
 * The counts behind the rate limits where several processes serve the same callers. A request is counted in memory, and once
 * a second the processes exchange what they have, so no request waits for it; but for routes that count exactly.
 */
export function createSharedCounts(exchange: Exchange, onError: (error: unknown) => void) {
  let minute = 0
  let counts = new Map<string, Count>()
  let exchanging = false

  /** Everybody begins anew with the minute, as in the table of all processes. */
  function thisMinute(): Map<string, Count> {
    const now = Math.floor(Date.now() / MINUTE_MS)
    if (now !== minute) {
      minute = now
      counts = new Map()
    }
    return counts
  }

  function count(caller: string): Count {
    const callers = thisMinute()
    const known = callers.get(caller) ?? { known: 0, fresh: 0 }
    if (!callers.has(caller)) {
      if (callers.size >= MAX_CALLERS) callers.delete(callers.keys().next().value ?? '')
      callers.set(caller, known)
    }
    return known
  }

  async function exchangeNow(): Promise<void> {
    const sent = [...thisMinute()]
      .filter(([, { fresh }]) => fresh > 0)
      .map(([caller, entry]) => ({ key: hash(caller), entry, fresh: entry.fresh }))
    if (sent.length === 0) return
    const totals = await exchange(Object.fromEntries(sent.map(({ key, fresh }) => [key, fresh])))
    for (const { key, entry, fresh } of sent) {
      entry.fresh -= fresh
      entry.known = totals.get(key) ?? entry.known + fresh
    }
  }

  const timer = setInterval(() => {
    if (exchanging) return
    exchanging = true
    exchangeNow()
      .catch(onError)
      .finally(() => {
        exchanging = false
      })
  }, EXCHANGE_MS)
  timer.unref()

  /** Asks for the count of all processes, which this request is a part of from then on. */
  async function countAtOnce(caller: string, max: number): Promise<Count> {
    const entry = count(caller)
    // Beyond the limit nothing depends on how far beyond.
    if (entry.known + entry.fresh < max) {
      try {
        const key = hash(caller)
        const total = (await exchange({ [key]: 1 })).get(key) ?? 0
        entry.known = Math.max(entry.known, total)
        return { known: total, fresh: 0 }
      } catch (error) {
        // A database that is away signs nobody in either.
        onError(error)
      }
    }
    entry.fresh++
    return entry
  }

  /** What `@fastify/rate-limit` counts in. Limits of single routes count apart from the one of all others. */
  class Store implements FastifyRateLimitStore {
    readonly #route: string
    readonly #isExact: boolean
    constructor(_options: unknown, route = '', isExact = false) {
      this.#route = route
      this.#isExact = isExact
    }
    incr(caller: string, answer: Answer, _timeWindow: number, max: number): void {
      const name = `${this.#route} ${caller}`
      if (this.#isExact) return void countAtOnce(name, max).then((counted) => tell(counted, answer))
      const entry = count(name)
      entry.fresh++
      tell(entry, answer)
    }
    read(caller: string, answer: Answer): void {
      tell(thisMinute().get(`${this.#route} ${caller}`) ?? { known: 0, fresh: 0 }, answer)
    }
    child(options: object): Store {
      const { routeInfo } = options as {
        routeInfo?: { method?: string; url?: string; config?: FastifyContextConfig }
      }
      const route = [routeInfo?.method, routeInfo?.url].filter(Boolean).join(' ')
      return new Store(options, route, routeInfo?.config?.countsExactly)
    }
  }

  return { Store, close: () => clearInterval(timer) }
}

function tell({ known, fresh }: Count, answer: Answer): void {
  answer(null, { current: known + fresh, ttl: MINUTE_MS - (Date.now() % MINUTE_MS) })
}

/** Who called is nobody's business in a table. */
function hash(caller: string): string {
  return createHash('sha256').update(caller).digest('base64url').slice(0, 22)
}
