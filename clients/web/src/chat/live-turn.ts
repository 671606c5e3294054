import {
  type Attachment,
  type ChatBody,
  type Citation,
  type FinishReason,
  type Message,
  PaiError,
  type TurnError,
  type TurnEvent,
  type TurnStatus
} from '@pai/sdk'

export type TurnRequest =
  | { kind: 'send'; body: ChatBody; attachments: Attachment[] }
  | { kind: 'regenerate'; userMessageId: string }
  | { kind: 'continue'; turnId: string; userMessageId: string }
  | { kind: 'follow'; turnId: string }

export interface ToolUse {
  callId: string
  name: string
  state: 'running' | 'done' | 'failed'
}

/**
 * A turn this page is watching.
 * `sending`: not acknowledged yet. `unsent`: it never was, or nobody knows. `lost`: it runs, but we no longer hear it.
 * `failed`: it ended with an error.
 */
export type Phase = 'sending' | 'running' | 'stopping' | 'unsent' | 'lost' | 'failed'

export interface LiveTurn {
  request: TurnRequest
  /** Sent with the request, so that sending again after a broken connection cannot make a second turn. */
  idempotencyKey: string
  phase: Phase
  turnId: string | null
  lastEventId: number
  /** The message the reply answers; null until the server has named it. */
  userMessageId: string | null
  /** The stored reply, once there is one. */
  messageId: string | null
  model: string | null
  text: string
  reasoning: string
  tools: ToolUse[]
  citations: Citation[]
  /** Something to know, though the turn goes on. */
  notice: string
  finishReason: FinishReason | null
  /** How it ended, once it has. */
  status: TurnStatus | null
  error: TurnError | null
}

export function newTurn(request: TurnRequest): LiveTurn {
  return {
    request,
    idempotencyKey: newKey(),
    phase: request.kind === 'follow' ? 'running' : 'sending',
    turnId: request.kind === 'follow' ? request.turnId : null,
    lastEventId: 0,
    userMessageId: 'userMessageId' in request ? request.userMessageId : null,
    messageId: null,
    model: null,
    text: '',
    reasoning: '',
    tools: [],
    citations: [],
    notice: '',
    finishReason: null,
    status: null,
    error: null
  }
}

export const isBusy = (turn: LiveTurn | undefined) =>
  turn?.phase === 'sending' || turn?.phase === 'running' || turn?.phase === 'stopping'

/** The turn after one more event. */
export function applyEvent(turn: LiveTurn, event: TurnEvent): LiveTurn {
  const next = { ...turn, lastEventId: event.id }
  switch (event.type) {
    case 'turn': {
      const { turnId, userMessageId, model } = event
      return {
        ...next,
        turnId,
        userMessageId,
        model,
        phase: turn.phase === 'sending' ? 'running' : turn.phase
      }
    }
    case 'text-delta':
      return { ...next, text: turn.text + event.text }
    case 'reasoning-delta':
      return { ...next, reasoning: turn.reasoning + event.text }
    case 'tool-call':
      return { ...next, tools: [...turn.tools, { callId: event.callId, name: event.name, state: 'running' }] }
    case 'tool-result': {
      const state = event.isError ? 'failed' : 'done'
      const tools = turn.tools.map((tool) => (tool.callId === event.callId ? { ...tool, state } : tool))
      return { ...next, tools: tools as ToolUse[] }
    }
    case 'citation':
      return { ...next, citations: [...turn.citations, event.citation] }
    case 'error':
      return { ...next, error: { code: event.code, message: event.message, retryable: event.retryable } }
    case 'notice':
      return { ...next, notice: event.message }
    case 'done':
      return {
        ...next,
        messageId: event.messageId,
        status: event.status,
        finishReason: event.finishReason ?? null
      }
    case 'usage':
      return next
  }
}

/** A turn that ended so has an answer, whole or cut short on request; the others need a word and a way on. */
export const endedWell = (status: TurnStatus) => status === 'completed' || status === 'stopped'

/** The reply as the message it was stored as, so that it need not be fetched to be shown. */
export function replyOf(turn: LiveTurn, conversationId: string): Message | null {
  if (turn.messageId === null) return null
  return {
    id: turn.messageId,
    conversationId,
    parentId: turn.userMessageId,
    role: 'assistant',
    content: turn.text,
    model: turn.model,
    citations: turn.citations,
    attachments: [],
    turnId: turn.turnId,
    finishReason: turn.finishReason,
    turnStatus: turn.status,
    turnError: turn.error,
    createdAt: new Date().toISOString()
  }
}

export function asTurnError(error: unknown): TurnError {
  if (error instanceof PaiError) {
    return { code: error.code, message: error.detail, retryable: error.isNetwork || error.status >= 429 }
  }
  return { code: 'PAI_CLIENT_ERROR', message: 'This page could not read the answer', retryable: true }
}

function newKey(): string {
  // randomUUID exists in secure contexts only, and PAI is also reached over plain HTTP on a home network.
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0')
  ).join('')
}
