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
import { findCode, sanitiseCause } from './sanitise-cause.ts'
import { tellsTooLong } from './tells-too-long.ts'

const NAMES: Record<string, typeof ModelFailed> = {
  ThrottlingException: ModelRateLimited,
  TooManyRequestsException: ModelRateLimited,
  /** Its weights are still being loaded. */
  ModelNotReadyException: ModelRateLimited,
  ServiceQuotaExceededException: ModelOutOfQuota,
  ModelErrorException: ModelFailed,
  ModelTimeoutException: ModelTimeout,
  TimeoutError: ModelTimeout,
  AccessDeniedException: ModelRefused,
  ConflictException: ModelRefused,
  CredentialsProviderError: ModelRefused,
  ExpiredTokenException: ModelRefused,
  ResourceNotFoundException: ModelRefused,
  UnrecognizedClientException: ModelRefused,
  ValidationException: ModelRefused
}
/** What the system says where no connection came about or it broke before an answer. */
const CONNECTION_CODES = /^(?:ECONN\w+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE)$/

interface Answered {
  $metadata?: { httpStatusCode?: number }
  /** The SDK hides it from whoever lists an error's properties. */
  $response?: { headers?: Record<string, string> }
}

/** Every failure of the AWS SDK, also in the middle of a stream, as one of ours; `model` is its id. */
export function mapBedrockError(error: unknown, model: string): Error {
  if (error instanceof Error && codeOf(error).startsWith('PAI_')) return error
  const options = { cause: sanitiseCause(error) }
  if (!(error instanceof Error)) return new ModelFailed(model, options)
  const mapped = mapSdkError(error, model, options)
  const { headers = {} } = (error as Answered).$response ?? {}
  const retryAfterMs = readRetryAfter((header) => headers[header])
  return retryAfterMs === undefined ? mapped : Object.assign(mapped, { retryAfterMs })
}

function mapSdkError(error: Error, model: string, options: { cause: Error }): Error {
  const { $metadata } = error as Answered
  if (error.name === 'ValidationException' && tellsTooLong(error.message)) {
    return new ModelContextTooLong(model, options)
  }
  // Before the names: the SDK calls a connection that was reset a timeout.
  if (CONNECTION_CODES.test(findCode(error) ?? '')) return new ModelUnreachable(model, options)
  const Named = NAMES[error.name]
  if (Named) return new Named(model, options)
  const status = $metadata?.httpStatusCode ?? 500
  if (status === 429) return new ModelRateLimited(model, options)
  return status >= 400 && status < 500 ? new ModelRefused(model, options) : new ModelFailed(model, options)
}
