import { createHash } from 'node:crypto'
import type { FastifyRateLimitStore } from '@fastify/rate-limit'

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
 * a second the processes exchange what they have, so no request waits for it.
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

  /** What `@fastify/rate-limit` counts in. Limits of single routes count apart from the one of all others. */
  class Store implements FastifyRateLimitStore {
    readonly #route: string
    constructor(_options: unknown, route = '') {
      this.#route = route
    }
    incr(caller: string, answer: Answer): void {
      const entry = count(`${this.#route} ${caller}`)
      entry.fresh++
      tell(entry, answer)
    }
    read(caller: string, answer: Answer): void {
      tell(thisMinute().get(`${this.#route} ${caller}`) ?? { known: 0, fresh: 0 }, answer)
    }
    child(options: object): Store {
      const { routeInfo } = options as { routeInfo?: { method?: string; url?: string } }
      return new Store(options, [routeInfo?.method, routeInfo?.url].filter(Boolean).join(' '))
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
