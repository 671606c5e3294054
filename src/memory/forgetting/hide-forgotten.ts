import { and, eq, inArray, isNotNull, isNull } from 'drizzle-orm'
import type { Citation } from '../../chat/schemas.ts'
import { messages } from '../../chat/tables.ts'
import { allSettledOrThrow, type Tx } from '../../db/client.ts'
import { memories, memoryHistory, memorySources } from '../tables.ts'
import { createForgottenWords, takeOut } from './forgotten-words.ts'
import { findSpans, withoutCitations } from './redact-messages.ts'
import type { WhatGoes } from './what-goes.ts'
import { isSaidSince } from './what-stays.ts'

interface Said {
  id: string
  role: 'user' | 'assistant' | 'system'
  content: string
}

/** What is there, or on its way: it is asked for together with what is to be hidden of it. */
type Coming<T> = T | PromiseLike<T>

/**
 * What may be read or shown, without the words of what is forgotten and waits to be purged: the same as will be left of it
 * then, and all of it again where the forgetting is undone.
 */
export interface Hiding {
  messages<M extends Said & { citations?: Citation[] }>(
    tx: Tx,
    ownerId: string,
    said: Coming<M[]>
  ): Promise<M[]>
  /** A title may say again what was said, as a reply does. */
  titles<C extends { id: string; title: string; createdAt: Date }>(
    tx: Tx,
    ownerId: string,
    titled: Coming<C[]>
  ): Promise<C[]>
  /** The memories that a turn used. */
  used<U extends { id: string }>(tx: Tx, ownerId: string, used: U[]): Promise<U[]>
}

interface Hidden extends Pick<WhatGoes, 'ids' | 'words' | 'sources'> {
  hiddenAt: Date
}

/** Nearly always nothing waits, and then nothing is changed. */
export const hiding: Hiding = {
  async messages(tx, ownerId, coming) {
    const [waiting, said] = await withWaiting(tx, ownerId, coming)
    if (waiting.length === 0) return said
    const changed = new Map(said.map((message) => [message.id, { ...message, spans: [] as Spans }]))
    for (const [hiddenAt, hidden] of Map.groupBy(waiting, (one) => one.hiddenAt.getTime())) {
      const since = await findSaidSince(tx, ownerId, [...changed.keys()], new Date(hiddenAt))
      for (const message of changed.values()) {
        if (since.has(message.id)) continue
        const { citations } = message
        for (const one of hidden) {
          message.spans.push(...findSpans({ ...message, citations: citations ?? [] }, one))
          if (message.citations) message.citations = withoutCitations(message.citations, one)
        }
      }
    }
    return said.map((message) => {
      const { spans = [], citations } = changed.get(message.id) ?? {}
      return { ...message, content: takeOut(message.content, spans).text, ...(citations && { citations }) }
    })
  },

  async titles(tx, ownerId, coming) {
    const [waiting, titled] = await withWaiting(tx, ownerId, coming)
    return titled.map((row) => {
      const before = waiting.filter(({ hiddenAt }) => row.createdAt <= hiddenAt)
      const title = { id: row.id, role: 'assistant' as const, content: row.title, citations: [] }
      const spans = before.flatMap((hidden) => findSpans(title, hidden))
      return { ...row, title: takeOut(row.title, spans).text }
    })
  },

  async used(tx, ownerId, used) {
    if (used.length === 0) return used
    const hidden = (await findWaiting(tx, ownerId)).flatMap(({ ids }) => ids)
    return used.filter(({ id }) => !hidden.includes(id))
  }
}

type Spans = ReturnType<typeof findSpans>

async function withWaiting<T>(tx: Tx, ownerId: string, coming: Coming<T>): Promise<[Hidden[], T]> {
  const both = [findWaiting(tx, ownerId), Promise.resolve(coming)] as const
  await allSettledOrThrow([...both])
  return Promise.all(both)
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
