import createError from '@fastify/error'
import type { TurnError } from './schemas.ts'

export const ConversationNotFound = createError<[string]>(
  'PAI_CHAT_CONVERSATION_NOT_FOUND',
  'Conversation %s was not found',
  404
)
export const ConversationNotTemporary = createError<[string]>(
  'PAI_CHAT_CONVERSATION_NOT_TEMPORARY',
  'Conversation %s is remembered: only a new one can be made temporary',
  409
)
export const MessageNotFound = createError<[string]>(
  'PAI_CHAT_MESSAGE_NOT_FOUND',
  'Message %s was not found',
  404
)
export const QueryEmpty = createError('PAI_CHAT_QUERY_EMPTY', 'Say what to look for: the query is empty', 400)
export const AttachmentNotFound = createError<[string]>(
  'PAI_CHAT_ATTACHMENT_NOT_FOUND',
  'Attachment %s was not found',
  404
)
export const AttachmentTaken = createError<[string]>(
  'PAI_CHAT_ATTACHMENT_TAKEN',
  'Attachment %s belongs to a message already',
  409
)
export const AttachmentsWaiting = createError<[string]>(
  'PAI_CHAT_ATTACHMENTS_WAITING',
  '%s images wait for a message already: send or remove some first',
  409
)
export const ImageInvalid = createError(
  'PAI_CHAT_IMAGE_INVALID',
  'The file is not a PNG, JPEG, WebP or GIF image',
  400
)
export const ImageTooLarge = createError(
  'PAI_CHAT_IMAGE_TOO_LARGE',
  'The image is over 5 MB, the most that can be sent',
  413
)
export const ImportNotFound = createError<[string]>(
  'PAI_CHAT_IMPORT_NOT_FOUND',
  'Import %s was not found',
  404
)
export const TurnNotFound = createError<[string]>('PAI_CHAT_TURN_NOT_FOUND', 'Turn %s was not found', 404)
export const SocketMessageInvalid = createError(
  'PAI_CHAT_SOCKET_MESSAGE_INVALID',
  'The message is not one this socket takes, or nobody has authenticated yet',
  400
)
export const SocketBusy = createError<[string]>(
  'PAI_CHAT_SOCKET_BUSY',
  'One socket follows at most %s turns at once',
  429
)
export const TurnNotCutOff = createError<[string]>(
  'PAI_CHAT_TURN_NOT_CUT_OFF',
  'Turn %s has not been cut off: only one that was stopped, interrupted, failed or cut at a limit can be continued',
  409
)
export const TurnLogGone = createError<[string]>(
  'PAI_CHAT_TURN_LOG_GONE',
  'The events of turn %s are no longer kept: read its message instead',
  410
)
export const EventIdInvalid = createError(
  'PAI_CHAT_EVENT_ID_INVALID',
  'Last-Event-ID must be the number of an event of this turn',
  400
)
export const TurnInterrupted = createError(
  'PAI_CHAT_TURN_INTERRUPTED',
  'The reply was cut off when the service stopped',
  500
)

/** Of a turn whose model has left the deployment's list since it was chosen. */
export function goneNotice(chosen: string, answers: string): { code: string; message: string } {
  return { code: 'PAI_MODEL_GONE', message: `The model ${chosen} is here no more: ${answers} answers` }
}

/** What a turn that was cut off ends with. */
export function interruptedError(): TurnError {
  const { code, message } = new TurnInterrupted()
  return { code, message, retryable: true }
}
