import createError from '@fastify/error'

export const FileUnknown = createError(
  'PAI_TRANSFER_FILE_UNKNOWN',
  'This is neither an export of PAI nor the conversations.json of ChatGPT or Claude',
  400
)
export const FileInvalid = createError<[string]>(
  'PAI_TRANSFER_FILE_INVALID',
  'The file looks like an export of %s, but a part of it cannot be read',
  400
)
