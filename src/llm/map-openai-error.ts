import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai'
import {
  EmbeddingTooShort,
  ModelContextTooLong,
  ModelFailed,
  ModelRateLimited,
  ModelRefused,
  ModelTimeout,
  ModelUnreachable,
  ModelUnreadable
} from './errors.ts'

const OURS = [
  EmbeddingTooShort,
  ModelContextTooLong,
  ModelFailed,
  ModelRateLimited,
  ModelRefused,
  ModelTimeout,
  ModelUnreachable,
  ModelUnreadable
]
/** Compatible servers name this fault differently: OpenAI by code, llama.cpp by type, vLLM in words only. */
const TOO_LONG_CODES = new Set(['context_length_exceeded', 'exceed_context_size_error'])
const TOO_LONG_WORDS = /context (?:length|size|window)/i
/** A 429 that waiting does not cure. */
const QUOTA_CODES = new Set(['insufficient_quota', 'billing_hard_limit_reached'])

/** Every failure of the SDK, of the connection or of the answer's shape as one of ours; `model` is its id. */
export function mapOpenAiError(error: unknown, model: string): Error {
  if (error instanceof Error && OURS.some((Ours) => error instanceof Ours)) return error
  const options = { cause: sanitiseCause(error) }
  if (error instanceof APIConnectionTimeoutError) return new ModelTimeout(model, options)
  if (error instanceof APIConnectionError) return new ModelUnreachable(model, options)
  if (error instanceof APIError && error.status !== undefined)
    return mapStatus(error, error.status, model, options)
  return new ModelFailed(model, options)
}

function mapStatus(error: APIError, status: number, model: string, options: { cause: Error }): Error {
  const codes = [error.code, error.type].filter((code) => typeof code === 'string')
  if (status === 413) return new ModelContextTooLong(model, options)
  if (
    status === 400 &&
    (codes.some((code) => TOO_LONG_CODES.has(code)) || TOO_LONG_WORDS.test(error.message))
  ) {
    return new ModelContextTooLong(model, options)
  }
  if (status === 408) return new ModelTimeout(model, options)
  if (status === 429) {
    return codes.some((code) => QUOTA_CODES.has(code))
      ? new ModelRefused(model, options)
      : new ModelRateLimited(model, options)
  }
  if (status >= 400 && status < 500) return new ModelRefused(model, options)
  return new ModelFailed(model, options)
}

/**
 * What of a foreign error may reach a log. Its message, body and headers may not: servers echo the prompt and
 * part of the key in them.
 */
function sanitiseCause(error: unknown): Error {
  const name = error instanceof Error ? error.constructor.name : typeof error
  const status = error instanceof APIError ? error.status : undefined
  const code = findCode(error)
  const cause = new Error([name, status, code].filter((part) => part !== undefined).join(' '))
  cause.name = name
  return Object.assign(cause, status !== undefined && { status }, code !== undefined && { code })
}

/** The first code along the causes: the system's ("ECONNREFUSED") lies two levels under the SDK's error. */
function findCode(error: unknown): string | undefined {
  let current = error
  for (let depth = 0; depth < 4 && current instanceof Error; depth++) {
    const code = (current as { code?: unknown }).code
    if (typeof code === 'string' && /^[\w.-]{1,64}$/.test(code)) return code
    current = current.cause
  }
  return undefined
}
