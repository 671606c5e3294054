import {
  type Message,
  type PaiClient,
  PaiError,
  streamChat,
  streamContinue,
  streamRegenerate,
  streamTurn,
  type TurnStatus,
  unwrap
} from '@pai/sdk'
import type { QueryClient } from '@tanstack/react-query'
import { keys } from '../queries.ts'
import { readDraft, writeDraft } from './drafts.ts'
import {
  applyEvent,
  asTurnError,
  endedWell,
  isBusy,
  type LiveTurn,
  newTurn,
  replyOf,
  type TurnRequest
} from './live-turn.ts'

/** Where a turn is shown until the server has named its conversation. */
export const NEW_SLOT = 'new'
/** By then a new conversation mostly has the title that a model finds it. */
const TITLE_MS = 4_000

type SlotMoved = (conversationId: string) => void | Promise<void>

export type LiveTurns = ReturnType<typeof createLiveTurns>

/**
 * The turns this page watches, at most one a conversation, kept outside React: they go on while the reader looks at
 * another conversation, and a new word re-renders only who subscribed.
 */
export function createLiveTurns({ client, queryClient }: { client: PaiClient; queryClient: QueryClient }) {
  const turns = new Map<string, LiveTurn>()
  const watching = new Map<LiveTurn['idempotencyKey'], AbortController>()
  const listeners = new Set<() => void>()
  let frame = 0

  function notify() {
    cancelAnimationFrame(frame)
    frame = 0
    for (const listener of listeners) listener()
  }

  function put(slot: string, turn: LiveTurn, when: 'now' | 'next-frame' = 'now') {
    turns.set(slot, turn)
    if (when === 'now') notify()
    else frame ||= requestAnimationFrame(notify)
  }

  function drop(slot: string) {
    turns.delete(slot)
    notify()
  }

  function open(turn: LiveTurn, signal: AbortSignal) {
    const { request, idempotencyKey, turnId, lastEventId } = turn
    if (turnId !== null) return streamTurn(client, turnId, { lastEventId, signal })
    if (request.kind === 'send') return streamChat(client, request.body, { signal, idempotencyKey })
    if (request.kind === 'regenerate') {
      return streamRegenerate(client, request.userMessageId, { signal, idempotencyKey })
    }
    if (request.kind === 'continue') {
      return streamContinue(client, request.turnId, { signal, idempotencyKey })
    }
    return streamTurn(client, request.turnId, { signal })
  }

  async function watch(startSlot: string, started: LiveTurn, moved?: SlotMoved) {
    const abort = new AbortController()
    watching.set(started.idempotencyKey, abort)
    let slot = startSlot
    let turn = started
    put(slot, turn)
    try {
      for await (const event of open(started, abort.signal)) {
        // The reader may have asked to stop since the last event.
        const phase = turns.get(slot)?.phase ?? turn.phase
        turn = applyEvent({ ...turn, phase }, event)
        if (event.type === 'turn') {
          slot = event.conversationId
          await acknowledge(startSlot, slot, turn)
          put(slot, turn)
          if (slot !== startSlot) void handOver(startSlot, slot, turn, moved)
          if (turn.phase === 'stopping') void requestStop(slot, event.turnId)
        } else if (event.type === 'done') {
          await finish(slot, turn, event.status)
        } else {
          put(slot, turn, 'next-frame')
        }
      }
    } catch (error) {
      if (!abort.signal.aborted) giveUp(slot, turn, error)
    } finally {
      watching.delete(started.idempotencyKey)
    }
  }

  /** The first slot keeps its turn until the page has moved on, so that nothing blinks in between. */
  async function handOver(from: string, to: string, turn: LiveTurn, moved: SlotMoved | undefined) {
    await moved?.(to)
    if (turns.get(from)?.idempotencyKey === turn.idempotencyKey) drop(from)
  }

  /** The server has the user's message: it joins the stored ones, under its real id. */
  async function acknowledge(draftSlot: string, conversationId: string, turn: LiveTurn) {
    if (turn.request.kind !== 'send' || turn.userMessageId === null) return
    const message: Message = {
      id: turn.userMessageId,
      conversationId,
      parentId: turn.request.body.parentId ?? null,
      role: 'user',
      content: turn.request.body.message,
      model: null,
      citations: [],
      attachments: turn.request.attachments,
      turnId: null,
      finishReason: null,
      turnStatus: 'running',
      turnError: null,
      createdAt: new Date().toISOString()
    }
    if (readDraft(draftSlot) === message.content) writeDraft(draftSlot, '')
    // An answer still under way was asked before this message existed.
    await queryClient.cancelQueries({ queryKey: keys.messages(conversationId) })
    addMessage(conversationId, message)
    void queryClient.invalidateQueries({ queryKey: keys.conversationList })
  }

  function addMessage(conversationId: string, message: Message) {
    queryClient.setQueryData<Message[]>(keys.messages(conversationId), (known = []) =>
      known.some((other) => other.id === message.id) ? known : [...known, message]
    )
  }

  async function finish(conversationId: string, turn: LiveTurn, status: TurnStatus) {
    // An answer still under way was asked while this turn was active, and would have it followed once more.
    await queryClient.cancelQueries({ queryKey: keys.conversation(conversationId) })
    const reply = replyOf(turn, conversationId)
    if (reply) addMessage(conversationId, reply)
    queryClient.setQueryData<{ activeTurnId: string | null }>(
      keys.conversation(conversationId),
      (known) => known && { ...known, activeTurnId: null }
    )
    if (endedWell(status)) drop(conversationId)
    else put(conversationId, { ...turn, phase: 'failed', error: turn.error ?? INTERRUPTED })
    if (turn.turnId !== null && reply) void loadMemoriesUsed(turn.turnId, reply.id)
    void queryClient.invalidateQueries({ queryKey: keys.messages(conversationId) })
    void queryClient.invalidateQueries({ queryKey: keys.conversations })
    void queryClient.invalidateQueries({ queryKey: keys.memories })
    // A model may find it a title, after the reply.
    setTimeout(() => queryClient.invalidateQueries({ queryKey: keys.conversations }), TITLE_MS)
  }

  async function loadMemoriesUsed(id: string, messageId: string) {
    const turn = await unwrap(client.GET('/v1/turns/{id}', { params: { path: { id } } })).catch(() => null)
    if (turn) queryClient.setQueryData(keys.memoriesUsed(messageId), turn.memoriesUsed)
  }

  function giveUp(slot: string, turn: LiveTurn, error: unknown) {
    // The log of an old turn is gone, or the conversation is: the stored messages are the record.
    if (error instanceof PaiError && (error.status === 410 || error.status === 404) && turn.turnId !== null) {
      drop(slot)
      void queryClient.invalidateQueries({ queryKey: keys.messages(slot) })
      void queryClient.invalidateQueries({ queryKey: keys.conversation(slot) })
      return
    }
    put(slot, { ...turn, phase: turn.turnId === null ? 'unsent' : 'lost', error: asTurnError(error) })
    // A message that was not sent must survive a reload, like any other draft.
    if (turn.turnId === null && turn.request.kind === 'send' && readDraft(slot) === '') {
      writeDraft(slot, turn.request.body.message)
    }
  }

  async function requestStop(slot: string, turnId: string) {
    try {
      await unwrap(client.POST('/v1/turns/{id}/stop', { params: { path: { id: turnId } } }))
    } catch {
      const turn = turns.get(slot)
      // It goes on, so the button must come back.
      if (turn?.turnId === turnId && turn.phase === 'stopping') put(slot, { ...turn, phase: 'running' })
    }
  }

  return {
    get: (slot: string) => turns.get(slot),

    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },

    start(slot: string, request: TurnRequest, moved?: SlotMoved) {
      if (!isBusy(turns.get(slot))) void watch(slot, newTurn(request), moved)
    },

    /** Tries a turn that was not sent, or is no longer heard, again: the same key, from where it broke off. */
    resume(slot: string, moved?: SlotMoved) {
      const turn = turns.get(slot)
      if (!turn || isBusy(turn)) return
      const phase = turn.turnId === null ? 'sending' : 'running'
      void watch(slot, { ...turn, phase, error: null }, moved)
    },

    stop(slot: string) {
      const turn = turns.get(slot)
      if (!turn || !isBusy(turn)) return
      put(slot, { ...turn, phase: 'stopping' })
      if (turn.turnId !== null) void requestStop(slot, turn.turnId)
    },

    /** Takes a turn off the page; it goes on where it runs. */
    dismiss(slot: string) {
      watching.get(turns.get(slot)?.idempotencyKey ?? '')?.abort()
      drop(slot)
    },

    /** Stops watching everything; the turns themselves go on. */
    reset() {
      for (const abort of watching.values()) abort.abort()
      turns.clear()
      notify()
    }
  }
}

const INTERRUPTED = {
  code: 'PAI_CHAT_TURN_INTERRUPTED',
  message: 'The reply was interrupted',
  retryable: true
}
