import { and, eq, inArray, isNotNull, isNull } from 'drizzle-orm'
import { messages } from '../../chat/tables.ts'
import type { Tx } from '../../db/client.ts'
import { memories, memoryHistory, memorySources } from '../tables.ts'
import { createForgottenWords, takeOut } from './forgotten-words.ts'
import { findSpans } from './redact-messages.ts'
import type { WhatGoes } from './what-goes.ts'
import { isSaidSince } from './what-stays.ts'

interface Said {
  id: string
  role: 'user' | 'assistant' | 'system'
  content: string
}

/** Messages as a prompt may hold them: without the words of what is forgotten and waits to be purged. */
export type HideForgotten = <M extends Said>(tx: Tx, ownerId: string, said: M[]) => Promise<M[]>

interface Hidden extends Pick<WhatGoes, 'ids' | 'words' | 'sources'> {
  hiddenAt: Date
}

/** Nearly always nothing waits, and then nothing is changed. */
export const hideForgotten: HideForgotten = async (tx, ownerId, said) => {
  const waiting = await findWaiting(tx, ownerId)
  if (waiting.length === 0) return said
  const spans = new Map(said.map(({ id }) => [id, [] as ReturnType<typeof findSpans>]))
  for (const [hiddenAt, hidden] of Map.groupBy(waiting, (one) => one.hiddenAt.getTime())) {
    const since = await findSaidSince(tx, ownerId, spans.keys().toArray(), new Date(hiddenAt))
    for (const message of said) {
      if (since.has(message.id)) continue
      for (const one of hidden) spans.get(message.id)?.push(...findSpans({ ...message, citations: [] }, one))
    }
  }
  return said.map((message) => ({
    ...message,
    content: takeOut(message.content, spans.get(message.id) ?? []).text
  }))
}

async function findWaiting(tx: Tx, ownerId: string): Promise<Hidden[]> {
  const rows = await tx
    .select({
      memoryId: memories.id,
      text: memories.text,
      messageId: memorySources.messageId,
      quote: memorySources.quote,
      quoteStart: memorySources.quoteStart,
      hiddenAt: memoryHistory.createdAt
    })
    .from(memories)
    .innerJoin(
      memoryHistory,
      and(
        eq(memoryHistory.ownerId, ownerId),
        eq(memoryHistory.memoryId, memories.id),
        eq(memoryHistory.action, 'forgotten'),
        isNull(memoryHistory.undoneAt)
      )
    )
    .leftJoin(memorySources, and(eq(memorySources.ownerId, ownerId), eq(memorySources.memoryId, memories.id)))
    .where(and(eq(memories.ownerId, ownerId), isNotNull(memories.purgeAt)))
  return [...Map.groupBy(rows, ({ memoryId }) => memoryId)].map(([id, told]) => ({
    ids: [id],
    words: createForgottenWords(told.slice(0, 1).map(({ text }) => text)),
    sources: told.map((source) => ({ ...source, quote: source.quote ?? '' })),
    hiddenAt: told[0]?.hiddenAt ?? new Date()
  }))
}

/** Those that told it again after it was hidden. */
async function findSaidSince(tx: Tx, ownerId: string, ids: string[], hiddenAt: Date): Promise<Set<string>> {
  const rows = await tx
    .select({ id: messages.id })
    .from(messages)
    .where(
      and(
        eq(messages.ownerId, ownerId),
        inArray(messages.id, ids),
        isSaidSince(ownerId, hiddenAt, 'messages')
      )
    )
  return new Set(rows.map(({ id }) => id))
}
