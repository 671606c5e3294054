import { toProblem } from '../http/error-handler.ts'

/** As OpenAI's API has it, for every failure. */
export interface OpenAiError {
  error: { message: string; type: string; param: string | null; code: string | null }
}

const TYPES: Record<number, string> = {
  401: 'authentication_error',
  402: 'insufficient_quota',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error'
}
/** Where OpenAI's clients branch on the code, theirs; else ours. */
const CODES: Record<string, string> = {
  PAI_AUTH_REQUIRED: 'invalid_api_key',
  PAI_AUTH_TOKEN_INVALID: 'invalid_api_key',
  PAI_AUTH_TOKEN_EXPIRED: 'invalid_api_key',
  PAI_OPENAI_API_KEY_REQUIRED: 'invalid_api_key',
  PAI_OPENAI_ADDRESS_UNKNOWN: 'unknown_url',
  PAI_OPENAI_MODEL_NOT_FOUND: 'model_not_found',
  PAI_MODEL_UNKNOWN: 'model_not_found',
  PAI_MODEL_GONE: 'model_not_found',
  PAI_MODEL_CONTEXT_TOO_LONG: 'context_length_exceeded',
  PAI_MODEL_RATE_LIMITED: 'rate_limit_exceeded',
  PAI_MODEL_OUT_OF_QUOTA: 'insufficient_quota',
  PAI_RATE_LIMITED: 'rate_limit_exceeded',
  PAI_USAGE_BUDGET_SPENT: 'insufficient_quota'
}

/** The status and the body that an OpenAI client understands. */
export function toOpenAiError(error: unknown): { status: number; body: OpenAiError } {
  const { status: known, detail, code, errors } = toProblem(error)
  // What is wrong with a body is 400 there, whatever it is here; a model that is not there is no address.
  const status = STATUSES[code] ?? (known === 422 ? 400 : known)
  return { status, body: describe(status, detail, code, paramOf(error, errors)) }
}

/** The error a turn ended with, in the words it came to its owner in. */
export function toTurnFailure(error: { code: string; message: string }): {
  status: number
  body: OpenAiError
} {
  const status = STATUSES[error.code] ?? 500
  return { status, body: describe(status, error.message, error.code, null) }
}

/** Of what a turn may end with, and of what is another status there than here. */
const STATUSES: Record<string, number> = {
  PAI_CHAT_REPLY_TOO_LONG: 502,
  PAI_DATABASE_UNAVAILABLE: 503,
  PAI_MODEL_RATE_LIMITED: 429,
  PAI_MODEL_OUT_OF_QUOTA: 429,
  PAI_MODEL_PROVIDER_DOWN: 503,
  PAI_MODEL_IMAGES_TOO_LARGE: 400,
  PAI_OPENAI_MODEL_NOT_FOUND: 404,
  PAI_USAGE_BUDGET_SPENT: 402,
  PAI_MODEL_CONTEXT_TOO_LONG: 400,
  PAI_MODEL_NO_IMAGES: 400,
  PAI_MODEL_UNKNOWN: 404,
  PAI_MODEL_GONE: 404,
  PAI_MODEL_UNREACHABLE: 503,
  PAI_MODEL_TIMEOUT: 504,
  PAI_MODEL_FAILED: 502,
  PAI_MODEL_REFUSED: 502,
  PAI_MODEL_UNREADABLE: 502
}

function describe(status: number, message: string, code: string, param: string | null): OpenAiError {
  const type = TYPES[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error')
  return { error: { message, type, param, code: CODES[code] ?? code } }
}

/** The name a parameter is refused by: ours says it last, a schema's errors by their path. */
function paramOf(error: unknown, errors: { path: string }[] | undefined): string | null {
  const { param } = (error ?? {}) as { param?: unknown }
  if (typeof param === 'string') return param
  const [, path] = /^body\/(.+)$/.exec(errors?.[0]?.path ?? '') ?? []
  return path?.replaceAll('/', '.') ?? null
}
