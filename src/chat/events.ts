import type { Citation, FinishReason, TurnError, TurnStatus, TurnUsage } from './schemas.ts'

/** What happens in a turn, as it is kept in the turn log and sent to watchers. */
export type TurnEvent =
  | { type: 'turn'; data: { turnId: string; conversationId: string; userMessageId: string; model: string } }
  | { type: 'text-delta'; data: { text: string } }
  | { type: 'reasoning-delta'; data: { text: string } }
  | { type: 'tool-call'; data: { callId: string; name: string; arguments: string } }
  | { type: 'tool-result'; data: { callId: string; result: string; isError: boolean } }
  | { type: 'citation'; data: Citation }
  /** Something its owner should know, though the turn goes on. */
  | { type: 'notice'; data: { code: string; message: string } }
  | { type: 'usage'; data: TurnUsage }
  | { type: 'error'; data: TurnError }
  | { type: 'done'; data: { status: TurnStatus; messageId: string | null; finishReason?: FinishReason } }

/** What every log begins with: which turn it is. */
export function firstEvent(turn: {
  id: string
  conversationId: string
  userMessageId: string
  model: string
}): Extract<TurnEvent, { type: 'turn' }> {
  const { id: turnId, conversationId, userMessageId, model } = turn
  return { type: 'turn', data: { turnId, conversationId, userMessageId, model } }
}

/** An event with its number in the log, from 1 without gaps. */
export type LoggedEvent = TurnEvent & { id: number }

/**
 * An event as it is sent, its fields in one order: jsonb forgets theirs, and whether an event comes as it happens or from
 * the log, on any node, it is the same to the byte.
 */
export function toLogged(event: TurnEvent, id: number): LoggedEvent {
  const { type, data } = event
  // Most are words, which have one field.
  if (type === 'text-delta') return { id, type, data: { text: data.text } }
  const fields = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))
  return { id, type, data: Object.fromEntries(fields) } as LoggedEvent
}
