import createError from '@fastify/error'

/** The model's id; the cause must be free of the owner's words and of keys. */
type Args = [model: string, options?: { cause: unknown }]

/** What a client may show and branch on when a model fails. */
export const ModelUnreachable = createError<Args>(
  'PAI_MODEL_UNREACHABLE',
  'The model %s cannot be reached',
  502
)
export const ModelTimeout = createError<Args>('PAI_MODEL_TIMEOUT', 'The model %s did not answer in time', 504)
export const ModelRateLimited = createError<Args>(
  'PAI_MODEL_RATE_LIMITED',
  'The model %s is rate limited',
  503
)
export const ModelRefused = createError<Args>(
  'PAI_MODEL_REFUSED',
  'The model %s refused the request: check the key, the model name and the account',
  502
)
export const ModelFailed = createError<Args>('PAI_MODEL_FAILED', 'The model %s failed', 502)
export const ModelUnreadable = createError<Args>(
  'PAI_MODEL_UNREADABLE',
  'The model %s answered in another shape than it was asked for',
  502
)
export const ModelContextTooLong = createError<Args>(
  'PAI_MODEL_CONTEXT_TOO_LONG',
  'The conversation is too long for the model %s',
  400
)

/** Named for what its owner sees: the words so far are kept. */
export const ReplyTooLong = createError(
  'PAI_CHAT_REPLY_TOO_LONG',
  'The model did not come to an end, and its reply was cut off',
  502
)
export const ModelOutOfQuota = createError<Args>(
  'PAI_MODEL_OUT_OF_QUOTA',
  'The account that pays for the model %s has used up its quota',
  503
)
export const ModelProviderDown = createError<[model: string, seconds: number]>(
  'PAI_MODEL_PROVIDER_DOWN',
  'The provider of the model %s fails at the moment: it is asked again in %d seconds',
  503
)
export const ModelUnknown = createError<[name: string]>(
  'PAI_MODEL_UNKNOWN',
  'There is no model %s here: GET /v1/models lists those there are',
  400
)
export const ModelGone = createError<[name: string, own: string, others: string]>(
  'PAI_MODEL_GONE',
  'The model %s is here no more, and what was said to it is not sent to %s unless you choose that. There are: %s',
  409
)
export const ModelNoImages = createError<[model: string]>(
  'PAI_MODEL_NO_IMAGES',
  'The model %s does not see images: choose one that does, or leave them out',
  400
)

export const ModelImagesTooLarge = createError<[model: string, count: number, megabytes: number]>(
  'PAI_MODEL_IMAGES_TOO_LARGE',
  'The model %s takes %d images at most, each of %d MB at most: choose another model, or send fewer or smaller ones',
  400
)

export const EmbeddingTooShort = createError<[model: string, given: number, asked: number]>(
  'PAI_MODEL_EMBEDDING_TOO_SHORT',
  'The model %s gives vectors of %d dimensions where PAI_EMBEDDING_DIMENSIONS asks for %d',
  500
)

const RETRYABLE = new Set([
  'PAI_MODEL_UNREACHABLE',
  'PAI_MODEL_TIMEOUT',
  'PAI_MODEL_RATE_LIMITED',
  'PAI_MODEL_PROVIDER_DOWN',
  'PAI_MODEL_FAILED'
])

/** Whether the same turn may succeed when it is tried again. */
export function isRetryable(code: string): boolean {
  return RETRYABLE.has(code)
}

/** Whether a call was not made because nobody pays for it: work is then put off, and has not failed. */
export function isOutOfBudget(error: unknown): boolean {
  return codeOf(error) === 'PAI_USAGE_BUDGET_SPENT'
}

/** The code of one of our errors; of any other, nothing. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : ''
}

/** How long the provider asked to be left alone, where it did. */
export function retryAfterOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as { retryAfterMs?: number }).retryAfterMs : undefined
}
