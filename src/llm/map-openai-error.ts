import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import {
  codeOf,
  ModelContextTooLong,
  ModelFailed,
  ModelOutOfQuota,
  ModelRateLimited,
  ModelRefused,
  ModelTimeout,
  ModelUnreachable
} from './errors.ts'
import { readRetryAfter } from './retry-after.ts'
import { sanitiseCause } from './sanitise-cause.ts'
import { tellsTooLong } from './tells-too-long.ts'

/** Compatible servers name this fault differently: OpenAI by code, llama.cpp by type, others in words only. */
const TOO_LONG_CODES = new Set(['context_length_exceeded', 'exceed_context_size_error'])
/** A 429 that waiting does not cure. */
const QUOTA_CODES = new Set(['insufficient_quota', 'billing_hard_limit_reached'])
const LIMIT_CODES = new Set(['rate_limit_exceeded', 'rate_limit_error', 'tokens', 'requests'])

/** Every failure of the SDK, of the connection or of the answer's shape as one of ours; `model` is its id. */
export function mapOpenAiError(error: unknown, model: string): Error {
  if (error instanceof Error && codeOf(error).startsWith('PAI_')) return error
  const options = { cause: sanitiseCause(error) }
  if (error instanceof APIConnectionTimeoutError) return new ModelTimeout(model, options)
  if (error instanceof APIConnectionError) return new ModelUnreachable(model, options)
  if (!(error instanceof APIError)) return new ModelFailed(model, options)
  const mapped = mapApiError(error, model, options)
  const retryAfterMs = readRetryAfter((header) => error.headers?.get(header))
  return retryAfterMs === undefined ? mapped : Object.assign(mapped, { retryAfterMs })
}

function mapApiError(error: APIError, model: string, options: { cause: Error }): Error {
  const codes = [error.code, error.type].filter((code) => typeof code === 'string')
  const status = error.status ?? readStatus(error.code)
  if (codes.some((code) => QUOTA_CODES.has(code)) || status === 402) {
    return new ModelOutOfQuota(model, options)
  }
  // Groq limits by the minute with a 413.
  if (status === 429 || codes.some((code) => LIMIT_CODES.has(code))) {
    return new ModelRateLimited(model, options)
  }
  if (status === 401 || status === 403) return new ModelRefused(model, options)
  if (status === 413 || codes.some((code) => TOO_LONG_CODES.has(code)) || tellsTooLong(error.message)) {
    return new ModelContextTooLong(model, options)
  }
  if (status === 408) return new ModelTimeout(model, options)
  // One that sends its callers elsewhere is not where the settings say.
  if (status !== undefined && status >= 300 && status < 500) return new ModelRefused(model, options)
  return new ModelFailed(model, options)
}

/** An error inside a stream has no status of its own, and vLLM and OpenRouter give it as the code. */
function readStatus(code: unknown): number | undefined {
  const status = Number(code)
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined
}
