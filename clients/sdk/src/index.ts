export { createPaiClient, type PaiClient, type PaiClientOptions, unwrap } from './client.ts'
export { type FieldError, NETWORK_ERROR_CODE, PaiError } from './errors.ts'
export type { TurnEvent } from './events.ts'
export { streamChat, streamContinue, streamRegenerate, streamTurn } from './stream.ts'
export type {
  Attachment,
  ChatBody,
  ChatModel,
  Citation,
  Consolidation,
  Conversation,
  Costs,
  FinishReason,
  FoundConversation,
  Me,
  Memory,
  MemoryCluster,
  MemoryConflict,
  MemoryExtraction,
  MemoryUsed,
  MemoryWhy,
  Message,
  Registration,
  SignedIn,
  Turn,
  TurnError,
  TurnStatus,
  Usage
} from './types.ts'
