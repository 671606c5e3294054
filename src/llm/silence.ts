/**
 * Calls back when nothing arrives for too long, and remembers that it did. Its one timer runs on while tokens come and go, and
 * looks at its end what time is left: setting one anew for each of them costs more than it tells.
 */
export function createSilence(onTooLong: () => void) {
  let timer: NodeJS.Timeout | undefined
  let timerEndsAt = Number.POSITIVE_INFINITY
  let tooLongAt = Number.POSITIVE_INFINITY
  let tooLong = false

  function setTimer(milliseconds: number): void {
    clearTimeout(timer)
    timerEndsAt = performance.now() + milliseconds
    timer = setTimeout(() => {
      timer = undefined
      timerEndsAt = Number.POSITIVE_INFINITY
      if (tooLongAt === Number.POSITIVE_INFINITY) return
      const left = tooLongAt - performance.now()
      if (left > 0) return setTimer(Math.ceil(left))
      tooLong = true
      onTooLong()
    }, milliseconds)
  }

  return {
    startTimer(limitMs: number) {
      tooLongAt = performance.now() + limitMs
      if (timerEndsAt > tooLongAt) setTimer(limitMs)
    },
    /** Nothing is waited for at the moment. */
    pauseTimer() {
      tooLongAt = Number.POSITIVE_INFINITY
    },
    stopTimer() {
      tooLongAt = Number.POSITIVE_INFINITY
      timerEndsAt = Number.POSITIVE_INFINITY
      clearTimeout(timer)
    },
    wasTooLong: () => tooLong
  }
}

export interface ModelTimeouts {
  firstTokenMs: number
  betweenTokensMs: number
  /** How long the usage may follow the last word: the reply is whole without it. */
  afterFinishMs: number
  /** For an answer of a given shape, which comes in one piece. */
  answerMs: number
  embeddingMs: number
}

/** The times of a model that may think and pause for so long. */
export function modelTimeouts(firstTokenMs: number, betweenTokensMs: number): ModelTimeouts {
  const answerMs = firstTokenMs + betweenTokensMs
  return { firstTokenMs, betweenTokensMs, afterFinishMs: 2_000, answerMs, embeddingMs: 30_000 }
}

export const MODEL_TIMEOUTS = modelTimeouts(60_000, 60_000)

/** Runs a call that must be over in time: its body counts, not its headers alone. `onTooLong` makes the error. */
export async function withinTime<T>(
  limitMs: number,
  signal: AbortSignal,
  onTooLong: () => Error,
  call: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  signal.throwIfAborted()
  const request = new AbortController()
  const abort = () => request.abort(signal.reason)
  const silence = createSilence(() => request.abort())
  signal.addEventListener('abort', abort, { once: true })
  silence.startTimer(limitMs)
  try {
    return await call(request.signal)
  } catch (error) {
    signal.throwIfAborted()
    throw silence.wasTooLong() ? onTooLong() : error
  } finally {
    silence.stopTimer()
    signal.removeEventListener('abort', abort)
  }
}
