import { setTimeout as wait } from 'node:timers/promises'
import type { Breaker } from './breaker.ts'
import { codeOf, retryAfterOf } from './errors.ts'
import { createRests } from './rests.ts'
import type { BeforeCall } from './usage-meter.ts'

export interface RetrySettings {
  tries: number
  /** The wait before the second try; each further one is twice as long. */
  firstWaitMs: number
  /** A provider that wants to be left alone for longer is not asked again. */
  longestWaitMs: number
  /** The same, where another model can be asked in its place. */
  longestWaitWithOthersMs: number
  /** No further try begins after so long. */
  withinMs: number
}

export const RETRIES: RetrySettings = {
  tries: 3,
  firstWaitMs: 200,
  longestWaitMs: 10_000,
  longestWaitWithOthersMs: 1_000,
  withinMs: 30_000
}

/** A silence is not tried again: whoever waits has waited as long as they may. */
const WORTH_ANOTHER_TRY = new Set(['PAI_MODEL_UNREACHABLE', 'PAI_MODEL_RATE_LIMITED', 'PAI_MODEL_FAILED'])
/** The provider's own faults. One that refuses or limits is at hand. */
const AWAY = new Set(['PAI_MODEL_UNREACHABLE', 'PAI_MODEL_TIMEOUT', 'PAI_MODEL_FAILED'])

/** Stands before every call of one provider: tries again what may pass, and leaves a failing provider alone. */
export interface Guard {
  /** `call` must be safe to repeat: of a stream, its first event. */
  run<T>(model: string, signal: AbortSignal, call: () => Promise<T>, hasOthers?: boolean): Promise<T>
  /** Hears of a failure after the first event, which nothing can repeat. */
  note(error: unknown): void
}

export function createGuard(
  breaker: Breaker,
  settings = RETRIES,
  beforeCall?: BeforeCall,
  now = () => performance.now()
): Guard {
  const rests = createRests(now)

  /** Waits for the end of a rest that is near; one that is further away ends the call before it is made. */
  async function waitForRest(model: string, longest: number, signal: AbortSignal): Promise<void> {
    const restMs = rests.leftMs(model)
    if (restMs > longest) throw rests.refusal(model)
    if (restMs > 0) await wait(restMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }

  async function tryAgain<T>(
    model: string,
    call: () => Promise<T>,
    signal: AbortSignal,
    longest: number
  ): Promise<T> {
    const { tries, withinMs } = settings
    const began = performance.now()
    for (let tried = 1; ; tried++) {
      try {
        return await call()
      } catch (error) {
        rests.note(model, error)
        if (signal.aborted || tried >= tries || !WORTH_ANOTHER_TRY.has(codeOf(error))) throw error
        const waitMs = retryAfterOf(error) ?? backOff(tried)
        if (waitMs > longest || performance.now() - began + waitMs > withinMs) throw error
        await wait(waitMs, undefined, { signal })
      }
    }
  }

  /** Spread, so that all who failed at once do not come back at once. */
  function backOff(tried: number): number {
    return settings.firstWaitMs * 2 ** (tried - 1) * (0.5 + Math.random() / 2)
  }

  return {
    async run(model, signal, call, hasOthers = false) {
      signal.throwIfAborted()
      await beforeCall?.(model)
      const longest = hasOthers ? settings.longestWaitWithOthersMs : settings.longestWaitMs
      await waitForRest(model, longest, signal)
      const leave = breaker.enter(model)
      try {
        const answer = await tryAgain(model, call, signal, longest)
        leave('answered')
        return answer
      } catch (error) {
        leave(signal.aborted ? 'unsaid' : AWAY.has(codeOf(error)) ? 'failed' : 'answered')
        signal.throwIfAborted()
        throw error
      }
    },
    note(error) {
      if (AWAY.has(codeOf(error))) breaker.noteFailure()
    }
  }
}
