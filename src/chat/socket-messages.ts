import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Id } from '../http/schemas.ts'
import type { LoggedEvent } from './events.ts'
import { ChatBody } from './schemas.ts'

export const MAX_REF = 100
/** The caller's own name for a message, which the answer to it carries. */
const ref = Type.Optional(Type.String({ maxLength: MAX_REF }))
/** The same key makes one turn, whatever is sent again; the same keys as over HTTP. */
const idempotencyKey = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }))
const closed = { additionalProperties: false }

/** What a client sends over the socket, one JSON text each. */
export const ClientMessage = Type.Union([
  /** The first one, and again before an access token expires. */
  Type.Object({ type: Type.Literal('authenticate'), ref, token: Type.String({ maxLength: 4_000 }) }, closed),
  Type.Object({ type: Type.Literal('chat'), ref, idempotencyKey, body: ChatBody }, closed),
  Type.Object({ type: Type.Literal('regenerate'), ref, idempotencyKey, messageId: Id }, closed),
  Type.Object({ type: Type.Literal('continue'), ref, idempotencyKey, turnId: Id }, closed),
  /** Follows a turn, after the event of that number. */
  Type.Object(
    {
      type: Type.Literal('watch'),
      ref,
      turnId: Id,
      after: Type.Optional(Type.Integer({ minimum: 0, default: 0 }))
    },
    closed
  ),
  /** Stops following, not the turn. */
  Type.Object({ type: Type.Literal('leave'), ref, turnId: Id }, closed),
  Type.Object({ type: Type.Literal('stop'), ref, turnId: Id }, closed)
])
export type ClientMessage = Static<typeof ClientMessage>

export const clientMessages = Compile(ClientMessage)

/** What the service sends. */
export type ServerMessage =
  /** The message with that `ref` was taken; with the turn it began, follows, left or asked to stop. */
  | { type: 'accepted'; ref?: string; turnId?: string }
  /** An event of a turn, as its event stream has it. */
  | { type: 'event'; turnId: string; id: number; event: LoggedEvent['type']; data: LoggedEvent['data'] }
  /** No more comes of this turn, and its `done` was not among it: it was deleted, or following it failed. */
  | { type: 'ended'; turnId: string }
  | { type: 'problem'; ref?: string; turnId?: string; problem: unknown }

/** Why the service closes a socket, beside WebSocket's own codes. */
export const CLOSED = {
  /** Nobody authenticated in time, or the credentials are good no more. */
  signedOut: 4401,
  /** Too much at once. */
  tooMuch: 4429
} as const
