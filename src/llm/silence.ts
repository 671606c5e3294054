/** Calls back when nothing arrives for too long, and remembers that it did. */
export function createSilence(onTooLong: () => void) {
  let timer: NodeJS.Timeout | undefined
  let tooLong = false
  return {
    startTimer(limitMs: number) {
      clearTimeout(timer)
      timer = setTimeout(() => {
        tooLong = true
        onTooLong()
      }, limitMs)
    },
    stopTimer: () => clearTimeout(timer),
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
