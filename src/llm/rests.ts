import { ModelProviderDown, ModelRateLimited, retryAfterOf } from './errors.ts'

/** A provider's clock may be wrong: after this long it is asked again. */
const LONGEST_MS = 3_600_000
const MAX_REMEMBERED = 1_000

/** Until when the models of a provider want to be left alone, as they said themselves. */
export function createRests(now: () => number) {
  const rests = new Map<string, { until: number; isLimit: boolean }>()

  return {
    /** Remembers what a failure says, if it says anything. */
    note(model: string, error: unknown): void {
      const waitMs = retryAfterOf(error)
      if (waitMs === undefined || waitMs === 0) return
      if (rests.size >= MAX_REMEMBERED) rests.clear()
      rests.set(model, {
        until: now() + Math.min(waitMs, LONGEST_MS),
        isLimit: error instanceof ModelRateLimited
      })
    },
    /** For how many milliseconds it is still to be left alone. */
    leftMs(model: string): number {
      return Math.max(0, (rests.get(model)?.until ?? 0) - now())
    },
    /** What a call ends with that is not made. */
    refusal(model: string): Error {
      const retryAfterMs = this.leftMs(model)
      const refusal = rests.get(model)?.isLimit
        ? new ModelRateLimited(model)
        : new ModelProviderDown(model, Math.ceil(retryAfterMs / 1_000))
      return Object.assign(refusal, { retryAfterMs })
    }
  }
}
