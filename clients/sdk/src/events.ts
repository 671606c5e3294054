import type { EventSourceMessage } from 'eventsource-parser'
import type { Citation, FinishReason, TurnStatus, Usage } from './types.ts'

/** What happens in a turn, in order. `id` counts from 1 without gaps; it is what `Last-Event-ID` resumes from. */
export type TurnEvent = { id: number } & (
  | { type: 'turn'; turnId: string; conversationId: string; userMessageId: string; model: string }
  | { type: 'text-delta'; text: string }
  | { type: 'reasoning-delta'; text: string }
  | { type: 'tool-call'; callId: string; name: string; arguments: unknown }
  | { type: 'tool-result'; callId: string; result: unknown; isError: boolean }
  | { type: 'citation'; citation: Citation }
  | { type: 'usage'; usage: Usage }
  /** Something to know, though the turn goes on. */
  | { type: 'notice'; code: string; message: string }
  | { type: 'error'; code: string; message: string; retryable: boolean }
  | { type: 'done'; status: TurnStatus; messageId: string | null; finishReason?: FinishReason }
)

const FLAT = new Set([
  'turn',
  'text-delta',
  'reasoning-delta',
  'tool-call',
  'tool-result',
  'notice',
  'error',
  'done'
])

/** null for an event this version does not know: a newer server may send more than we read. */
export function toTurnEvent(message: EventSourceMessage): TurnEvent | null {
  const type = message.event ?? ''
  const id = Number(message.id)
  // A citation carries an `id` of its own, so it is nested where the others are spread.
  if (type === 'citation') return { id, type, citation: JSON.parse(message.data) }
  if (type === 'usage') return { id, type, usage: JSON.parse(message.data) }
  return FLAT.has(type) ? { ...JSON.parse(message.data), id, type } : null
}
