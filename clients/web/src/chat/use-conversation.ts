import type { Message } from '@pai/sdk'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { conversationQuery, messagesQuery } from '../queries.ts'
import { useServices } from '../services.ts'
import type { LiveTurn } from './live-turn.ts'
import { NEW_SLOT } from './live-turns.ts'
import type { ReplyActions } from './reply.tsx'
import { branchKey, type Choices, type PathStep, visiblePath } from './tree.ts'

const NO_CHOICES: Choices = new Map()
const NO_MESSAGES: Message[] = []

export interface ConversationView {
  /** What is stored, along the branch that is shown. */
  path: PathStep[]
  turn: LiveTurn | undefined
  actions: ReplyActions
  pending: boolean
  error: unknown
  retry: () => void
  /** A message was stored, no reply to it was, and none is on its way. */
  unanswered: Message | null
  /** Asks for another reply to a message of the owner. */
  regenerate: (userMessageId: string) => void
  /** Goes on from the words of a turn that was cut off. */
  goOn: (turnId: string, userMessageId: string) => void
}

/** The stored messages and the running turn of one conversation, as one thing to show. */
export function useConversation(slot: string): ConversationView {
  const { session, liveTurns } = useServices()
  const enabled = slot !== NEW_SLOT
  const stored = useQuery({ ...messagesQuery(session.client, slot), enabled })
  const conversation = useQuery({ ...conversationQuery(session.client, slot), enabled })
  const turn = useSyncExternalStore(liveTurns.subscribe, () => liveTurns.get(slot))
  const [chosen, setChosen] = useState<{ slot: string; choices: Choices }>({ slot, choices: NO_CHOICES })
  const choices = chosen.slot === slot ? chosen.choices : NO_CHOICES
  const messages = stored.data ?? NO_MESSAGES
  const path = useMemo(() => visiblePath(messages, choices), [messages, choices])

  const choose = useCallback(
    (parentId: string | null, id: string | null) =>
      setChosen((current) => {
        const next = new Map(current.slot === slot ? current.choices : NO_CHOICES)
        if (id === null) next.delete(branchKey(parentId))
        else next.set(branchKey(parentId), id)
        return { slot, choices: next }
      }),
    [slot]
  )

  const regenerate = useCallback(
    (userMessageId: string) => {
      // The newest branch is shown where nothing is chosen, and the new reply will be the newest.
      choose(userMessageId, null)
      liveTurns.start(slot, { kind: 'regenerate', userMessageId })
    },
    [slot, choose, liveTurns]
  )

  const goOn = useCallback(
    (turnId: string, userMessageId: string) => {
      choose(userMessageId, null)
      liveTurns.start(slot, { kind: 'continue', turnId, userMessageId })
    },
    [slot, choose, liveTurns]
  )

  const actions = useMemo<ReplyActions>(
    () => ({
      choose,
      regenerate: (reply) => reply.parentId !== null && regenerate(reply.parentId),
      goOn: ({ turnId, parentId }) => turnId !== null && parentId !== null && goOn(turnId, parentId),
      edit({ parentId, attachments }, message) {
        choose(parentId, null)
        const attachmentIds = attachments.map(({ id }) => id)
        const body = {
          message,
          conversationId: slot,
          parentId,
          ...(attachmentIds.length > 0 && { attachmentIds })
        }
        liveTurns.start(slot, { kind: 'send', body, attachments })
      }
    }),
    [slot, choose, regenerate, goOn, liveTurns]
  )

  const activeTurnId = conversation.data?.activeTurnId ?? null
  useEffect(() => {
    // Started in another tab, or before a reload.
    if (activeTurnId !== null && liveTurns.get(slot) === undefined) {
      liveTurns.start(slot, { kind: 'follow', turnId: activeTurnId })
    }
  }, [activeTurnId, slot, liveTurns])

  const last = path.at(-1)?.message
  const settled =
    turn === undefined && conversation.isSuccess && !conversation.isFetching && activeTurnId === null
  return {
    path,
    turn,
    actions,
    pending: enabled && stored.isPending,
    error: stored.data === undefined ? stored.error : null,
    retry: () => void stored.refetch(),
    goOn,
    unanswered: settled && !stored.isFetching && last?.role === 'user' ? last : null,
    regenerate
  }
}
