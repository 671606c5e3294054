import { NETWORK_ERROR_CODE, PaiError, type TurnEvent } from '@pai/sdk'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  applyEvent,
  asTurnError,
  endedWell,
  isBusy,
  type LiveTurn,
  newTurn,
  replyOf,
  type TurnRequest
} from '../src/chat/live-turn.ts'

const SEND: TurnRequest = { kind: 'send', body: { message: 'Where?' }, attachments: [] }
const TURN: TurnEvent = {
  id: 1,
  type: 'turn',
  turnId: 't1',
  conversationId: 'c1',
  userMessageId: 'm1',
  model: 'openai:gpt-5-mini'
}
const CITATION = { index: 1, kind: 'memory', id: 'x', quote: 'bees in Tromsø' } as const

afterEach(() => void vi.unstubAllGlobals())

describe('a new turn', () => {
  test('is on its way until it is acknowledged, under a key of its own', () => {
    const turn = newTurn(SEND)
    expect(turn).toMatchObject({ phase: 'sending', turnId: null, userMessageId: null, lastEventId: 0 })
    expect(newTurn(SEND).idempotencyKey).not.toBe(turn.idempotencyKey)
  })

  test('knows what it answers, or that it runs', () => {
    expect(newTurn({ kind: 'regenerate', userMessageId: 'm1' })).toMatchObject({
      phase: 'sending',
      userMessageId: 'm1'
    })
    expect(newTurn({ kind: 'follow', turnId: 't1' })).toMatchObject({ phase: 'running', turnId: 't1' })
  })

  test('has a key where the page is not a secure context', () => {
    vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array) => bytes.fill(171) })
    expect(newTurn(SEND).idempotencyKey).toBe('ab'.repeat(16))
  })
})

describe('the events of a turn', () => {
  test('make the reply', () => {
    const turn = play(
      TURN,
      { id: 2, type: 'reasoning-delta', text: 'Bees' },
      { id: 3, type: 'reasoning-delta', text: ' then' },
      { id: 4, type: 'text-delta', text: 'In Tromsø' },
      { id: 5, type: 'text-delta', text: ' [1].' },
      { id: 6, type: 'citation', citation: CITATION },
      { id: 7, type: 'usage', usage: { inputTokens: 5, outputTokens: 2, cachedTokens: 0 } }
    )
    expect(turn).toMatchObject({
      phase: 'running',
      turnId: 't1',
      lastEventId: 7,
      userMessageId: 'm1',
      messageId: null,
      reasoning: 'Bees then',
      text: 'In Tromsø [1].',
      citations: [CITATION]
    })
    expect(replyOf(turn, 'c1')).toBeNull()
    expect(replyOf(play(TURN, { id: 2, type: 'done', status: 'stopped', messageId: null }), 'c1')).toBeNull()
    const done = applyEvent(turn, { id: 8, type: 'done', status: 'completed', messageId: 'm2' })
    expect(replyOf(done, 'c1')).toMatchObject({
      id: 'm2',
      conversationId: 'c1',
      parentId: 'm1',
      role: 'assistant',
      content: 'In Tromsø [1].',
      model: 'openai:gpt-5-mini',
      citations: [CITATION]
    })
  })

  test('say how each tool fared', () => {
    const turn = play(
      { id: 2, type: 'tool-call', callId: 'a', name: 'search', arguments: '{}' },
      { id: 3, type: 'tool-call', callId: 'b', name: 'mail', arguments: '{}' },
      { id: 4, type: 'tool-call', callId: 'c', name: 'clock', arguments: '{}' },
      { id: 5, type: 'tool-result', callId: 'b', result: '', isError: true },
      { id: 6, type: 'tool-result', callId: 'a', result: '', isError: false }
    )
    expect(turn.tools).toEqual([
      { callId: 'a', name: 'search', state: 'done' },
      { callId: 'b', name: 'mail', state: 'failed' },
      { callId: 'c', name: 'clock', state: 'running' }
    ])
  })

  test('do not undo a wish to stop that came before the acknowledgement', () => {
    expect(applyEvent({ ...newTurn(SEND), phase: 'stopping' }, TURN).phase).toBe('stopping')
  })

  test('leave the turn they are applied to as it was', () => {
    const turn = newTurn(SEND)
    const before = structuredClone(turn)
    applyEvent(turn, { id: 1, type: 'citation', citation: CITATION })
    applyEvent(turn, { id: 1, type: 'tool-call', callId: 'a', name: 'search', arguments: '{}' })
    expect(turn).toEqual(before)
  })

  test('keep why it failed', () => {
    const error = { code: 'PAI_MODEL_TIMEOUT', message: 'Too slow', retryable: true }
    expect(play(TURN, { id: 2, type: 'error', ...error }).error).toEqual(error)
  })
})

test('a turn is busy until it ends, however it does', () => {
  const phases = ['sending', 'running', 'stopping', 'unsent', 'lost', 'failed'] as const
  expect(phases.filter((phase) => isBusy({ ...newTurn(SEND), phase }))).toEqual([
    'sending',
    'running',
    'stopping'
  ])
  expect(isBusy(undefined)).toBe(false)
})

test('a reply that was stopped is an answer; one that failed or broke off is not', () => {
  expect((['completed', 'stopped', 'failed', 'interrupted'] as const).filter(endedWell)).toEqual([
    'completed',
    'stopped'
  ])
})

test('an error is worth another try where the fault may pass', () => {
  const failure = (status: number) => new PaiError({ code: 'PAI_X', status, detail: 'No' })
  expect(asTurnError(failure(400))).toEqual({ code: 'PAI_X', message: 'No', retryable: false })
  expect(asTurnError(failure(429)).retryable).toBe(true)
  expect(asTurnError(failure(503)).retryable).toBe(true)
  const unreached = new PaiError({ code: NETWORK_ERROR_CODE, status: 0, detail: 'Out of reach' })
  expect(asTurnError(unreached).retryable).toBe(true)
  expect(asTurnError(new SyntaxError('x'))).toMatchObject({ code: 'PAI_CLIENT_ERROR', retryable: true })
})

const play = (...events: TurnEvent[]): LiveTurn => events.reduce(applyEvent, newTurn(SEND))
