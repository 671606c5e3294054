import createError from '@fastify/error'

/** A parameter of OpenAI's that PAI does not take, or a value of one; the second is its name. */
export const ParameterUnsupported = createError<[reason: string, param: string]>(
  'PAI_OPENAI_PARAMETER',
  '%s: %s',
  400
)
export const OpenAiModelNotFound = createError<[string]>(
  'PAI_OPENAI_MODEL_NOT_FOUND',
  'The model %s does not exist, or is not configured here',
  404
)
export const ApiKeyRequired = createError(
  'PAI_OPENAI_API_KEY_REQUIRED',
  'This API takes an API key of PAI’s, see POST /v1/api-keys, and no access token',
  401
)
export const ReplyStopped = createError('PAI_OPENAI_REPLY_STOPPED', 'The reply was stopped', 500)
export const OpenAiAddressUnknown = createError<[string]>(
  'PAI_OPENAI_ADDRESS_UNKNOWN',
  'Unknown request URL: %s',
  404
)
