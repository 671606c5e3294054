import type { paths } from './schema.gen.ts'

type Json<R, Status extends number> = Status extends keyof R
  ? R[Status] extends { content: { 'application/json': infer T } }
    ? T
    : never
  : never
type Answer<
  P extends keyof paths,
  M extends keyof paths[P],
  Status extends number = 200
> = paths[P][M] extends {
  responses: infer R
}
  ? Json<R, Status>
  : never
type JsonBody<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  requestBody: { content: { 'application/json': infer T } }
}
  ? T
  : never

// The shapes below are read off the calls that answer them, so they need no names in the OpenAPI document.
export type Me = Answer<'/v1/me', 'get'>
export type SignedIn = Answer<'/v1/auth/login', 'post'>
export type Registration = JsonBody<'/v1/auth/register', 'post'>
export type ChatBody = JsonBody<'/v1/chat', 'post'>
export type Turn = Answer<'/v1/turns/{id}', 'get'>
export type TurnStatus = Turn['status']
export type TurnError = NonNullable<Turn['error']>
/** Why a model ended its reply: `length` where a limit cut it off. */
export type FinishReason = NonNullable<Turn['finishReason']>
export type MemoryUsed = Turn['memoriesUsed'][number]
export type Usage = Turn['usage']
export type ChatModel = Answer<'/v1/models', 'get'>['items'][number]
export type Conversation = Answer<'/v1/conversations', 'get'>['items'][number]
export type Message = Answer<'/v1/conversations/{id}/messages', 'get'>['items'][number]
export type Citation = Message['citations'][number]
export type Attachment = Message['attachments'][number]
export type FoundConversation = Answer<'/v1/conversations/search', 'get'>['items'][number]
export type Memory = Answer<'/v1/memories', 'get'>['items'][number]
export type MemoryCluster = Answer<'/v1/memory-clusters', 'get'>['items'][number]
export type Consolidation = Answer<'/v1/consolidations', 'get'>['items'][number]
/** What models took and cost. */
export type Costs = Answer<'/v1/usage', 'get'>
export type MemoryWhy = Answer<'/v1/memories/{id}/why', 'get'>
export type MemoryConflict = Answer<'/v1/memory-conflicts', 'get'>['items'][number]
export type MemoryExtraction = Answer<'/v1/memory-extractions', 'get'>['items'][number]
