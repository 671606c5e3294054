import { and, eq, inArray } from 'drizzle-orm'
import type { Citation } from '../../chat/schemas.ts'
import { messages } from '../../chat/tables.ts'
import type { Tx } from '../../db/client.ts'
import { type Shortened, type Span, takeOut } from './forgotten-words.ts'
import { findSpans, moveQuote, type Said, withoutCitations } from './told-spans.ts'
import { type Coming, type Hidden, withWaiting } from './waiting.ts'
import { saidAtOf } from './what-stays.ts'

/** A message with what is shown of it. */
export type Shown = Said & { citations?: Citation[]; name?: string | null }

/** Messages as they may be read. Nearly always nothing waits, and then nothing is changed. */
export async function hideInMessages<M extends Shown>(
  tx: Tx,
  ownerId: string,
  coming: Coming<M[]>
): Promise<M[]> {
  const [waiting, said] = await withWaiting(tx, ownerId, coming)
  return waiting.length === 0 ? said : hideIn(tx, ownerId, waiting, said)
}

async function hideIn<M extends Shown>(
  tx: Tx,
  ownerId: string,
  waiting: Hidden[],
  said: M[]
): Promise<(M & { shortened: Shortened })[]> {
  if (said.length === 0) return []
  const saidAt = await findSaidAt(tx, ownerId, said)
  return said.map((unchanged) => {
    const message = { ...unchanged }
    const spans: Span[] = []
    for (const one of waiting) {
      // It told it again after that was hidden.
      if ((saidAt.get(message.id) ?? 0) > one.hiddenAt.getTime()) continue
      spans.push(...findSpans({ ...message, citations: message.citations ?? [] }, one))
      if (message.citations) message.citations = withoutCitations(message.citations, one)
      if (message.name) message.name = one.words.takeOutOf(message.name)
    }
    const shortened = takeOut(message.content, spans)
    return { ...message, content: shortened.text, shortened }
  })
}

/** When each was said, in milliseconds since 1970. What was hidden before that it tells again, as `isSaidSince` has it. */
async function findSaidAt(tx: Tx, ownerId: string, said: Said[]): Promise<Map<string, number>> {
  const ids = said.map(({ id }) => id)
  const rows = await tx
    .select({ id: messages.id, saidAt: saidAtOf(ownerId) })
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, ids)))
  return new Map(rows.map(({ id, saidAt }) => [id, new Date(saidAt).getTime()]))
}

/** Messages by their ids, as they were said and as they may be read while this waits. */
export async function readHidden(tx: Tx, ownerId: string, waiting: Hidden[], ids: string[]) {
  const { id, conversationId, role, name, content, citations, sequence } = messages
  const said = await tx
    .select({ id, conversationId, role, name, content, citations, sequence })
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(id, ids)))
  const left = await hideIn(tx, ownerId, waiting, said)
  return said.map((message, index) => ({ said: message, left: left[index] as (typeof left)[number] }))
}

interface Quoted {
  memoryId: string
  messageId: string | null
  quote: string
  quoteStart: number | null
  saidAt: Date
}

/** What memories quote: of two that were told in one sentence, one may be forgotten. */
export async function hideInSources<S extends Quoted>(
  tx: Tx,
  ownerId: string,
  coming: Coming<S[]>
): Promise<S[]> {
  const [waiting, sources] = await withWaiting(tx, ownerId, coming)
  if (waiting.length === 0) return sources
  const ids = sources.flatMap(({ messageId }) => messageId ?? [])
  const read = await readHidden(tx, ownerId, waiting, ids)
  const byId = new Map(read.map(({ left }) => [left.id, left.shortened]))
  return sources.map((source) => {
    const { memoryId, messageId, quote, quoteStart, saidAt } = source
    const shortened = byId.get(messageId ?? '')
    if (shortened && quoteStart !== null) return { ...source, ...moveQuote(shortened, quote, quoteStart) }
    const hidden = waiting.filter(({ hiddenAt, stays }) => saidAt <= hiddenAt && !stays.includes(memoryId))
    const spans = hidden.flatMap(({ words }) => words.spansIn(quote))
    return { ...source, quote: takeOut(quote, spans).text }
  })
}
