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
export const ReplyStopped = createError('PAI_OPENAI_REPLY_STOPPED', 'The reply was stopped', 500)
export const OpenAiAddressUnknown = createError<[string]>(
  'PAI_OPENAI_ADDRESS_UNKNOWN',
  'Unknown request URL: %s',
  404
)
