import { ModelProviderDown } from './errors.ts'
import type { ProviderState } from './model.ts'

export interface BreakerSettings {
  /** So many calls must fail … */
  failures: number
  /** … within this time for the provider to be left alone … */
  windowMs: number
  /** … for this long, after which one call tries it. */
  restMs: number
}

const BREAKER: BreakerSettings = { failures: 5, windowMs: 60_000, restMs: 15_000 }

/** What a call came to: `unsaid` where it was given up before the provider had its say. */
export type CallResult = 'answered' | 'failed' | 'unsaid'

/** Keeps calls from a provider that fails: they would each wait for its timeouts, and keep it from getting well. */
export interface Breaker {
  /** Lets a call of this model through, and is told what came of it; throws while the provider is left alone. */
  enter(model: string): (result: CallResult) => void
  /** A failure of a call that had been answered at first. */
  noteFailure(): void
  state(): ProviderState['circuit']
}

export function createBreaker(settings = BREAKER, now = () => performance.now()): Breaker {
  let failedAt: number[] = []
  let restsUntil: number | null = null
  let trying = false

  function fail(): void {
    const since = now() - settings.windowMs
    failedAt = [...failedAt.filter((at) => at > since), now()].slice(-settings.failures)
    if (restsUntil !== null || failedAt.length >= settings.failures) restsUntil = now() + settings.restMs
  }

  function recover(): void {
    failedAt = []
    restsUntil = null
  }

  return {
    enter(model) {
      if (restsUntil === null) {
        return (result) => {
          if (result === 'failed') fail()
        }
      }
      const restMs = restsUntil - now()
      if (restMs > 0 || trying) {
        const down = new ModelProviderDown(model, Math.max(1, Math.ceil(restMs / 1_000)))
        throw Object.assign(down, { retryAfterMs: Math.max(restMs, 1_000) })
      }
      trying = true
      return (result) => {
        trying = false
        if (result === 'failed') fail()
        if (result === 'answered') recover()
      }
    },
    noteFailure: fail,
    state() {
      if (restsUntil === null) return 'closed'
      return restsUntil > now() ? 'open' : 'half-open'
    }
  }
}
