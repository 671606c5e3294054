import { and, eq, inArray, notInArray, or, sql } from 'drizzle-orm'
import { conversations, messages, turns } from '../../chat/tables.ts'
import { conversationSummaries } from '../../consolidation/tables.ts'
import type { Tx } from '../../db/client.ts'
import { indexMessages } from '../recall/index-messages.ts'
import { messageVectors } from '../recall/tables.ts'
import { memoryExtractions, memorySources } from '../tables.ts'
import { namesMemory } from './forget.ts'
import { type ForgottenWords, type Shortened, takeOut } from './forgotten-words.ts'
import type { HidingDeps } from './hide-forgotten.ts'
import { lookThrough, type Place } from './places.ts'
import { titleLeft } from './title-left.ts'
import { findSpans, moveQuote, withoutCitations } from './told-spans.ts'
import type { WhatGoes } from './what-goes.ts'
import { isSaidSince } from './what-stays.ts'

/** How far a message's words reach into the index of its neighbours. */
const NEIGHBOURS = 2

type MessageRow = Pick<
  typeof messages.$inferSelect,
  'id' | 'conversationId' | 'role' | 'name' | 'content' | 'citations'
>

/**
 * Takes the words out of every message that told them or repeats them, and what was made from these messages with them.
 * Answers the messages that are to be indexed anew.
 */
export async function redactMessages(
  tx: Tx,
  ownerId: string,
  place: Place,
  going: WhatGoes,
  { toTitle }: HidingDeps
): Promise<{ messageIds: string[]; conversationIds: string[] }> {
  const told = new Set(going.sources.map(({ messageId }) => messageId))
  const changed = (await findAffected(tx, ownerId, place, going)).flatMap((row) => {
    const citations = withoutCitations(row.citations, going)
    const name = row.name === null ? null : going.words.takeOutOf(row.name)
    const change = { row, name, citations, ...takeOut(row.content, findSpans(row, going)) }
    const isSame =
      change.text === row.content &&
      name === row.name &&
      JSON.stringify(citations) === JSON.stringify(row.citations)
    return isSame && !told.has(row.id) ? [] : [change]
  })
  for (const { row, text, name, citations } of changed) {
    await tx
      .update(messages)
      .set({
        content: text,
        name,
        citations,
        // What is left of it is not read again: it could only lead back to what was forgotten.
        extractedAt: sql`coalesce(extracted_at, now())`
      })
      .where(and(eq(messages.ownerId, ownerId), eq(messages.id, row.id)))
  }
  const ids = changed.map(({ row }) => row.id)
  await tx
    .delete(memoryExtractions)
    .where(and(eq(memoryExtractions.ownerId, ownerId), inArray(memoryExtractions.messageId, ids)))
  await moveQuotes(tx, ownerId, changed, going)
  const conversationIds = [...new Set(changed.map(({ row }) => row.conversationId))]
  await retitle(tx, ownerId, changed, going.words, toTitle)
  await tx
    .delete(conversationSummaries)
    .where(
      and(
        eq(conversationSummaries.ownerId, ownerId),
        inArray(conversationSummaries.conversationId, conversationIds)
      )
    )
  return { messageIds: ids, conversationIds }
}

/**
 * The messages that told it, those that hold its words, and the replies that may repeat it: those that used it, cite it, or
 * answer in a conversation where it was told.
 */
async function findAffected(
  tx: Tx,
  ownerId: string,
  place: Place,
  { ids, words, sources, hiddenAt }: WhatGoes
): Promise<MessageRow[]> {
  const { found } = await lookThrough(tx, place, words.isIn)
  const names = found.filter(({ column }) => column === 'name').map(({ value }) => value)
  const contents = found.filter(({ column }) => column === 'content').map(({ value }) => value)
  const cited = found.filter(({ column }) => column === 'citations').map(({ value }) => JSON.stringify(value))
  const told = sources.flatMap(({ messageId }) => messageId ?? [])
  const used = tx
    .select({ id: turns.replyMessageId })
    .from(turns)
    .where(and(eq(turns.ownerId, ownerId), namesMemory(ids)))
  const { id, conversationId, role, name, content, citations } = messages
  return tx
    .select({ id, conversationId, role, name, content, citations })
    .from(messages)
    .where(
      and(
        eq(messages.ownerId, ownerId),
        sql`NOT ${isSaidSince(ownerId, hiddenAt, 'messages')}`,
        or(
          inArray(id, told),
          inArray(id, used),
          sql`${content} = ANY(${sql.param(contents)}::text[])`,
          sql`${name} = ANY(${sql.param(names)}::text[])`,
          sql`${citations} = ANY(${sql.param(cited)}::jsonb[])`,
          sql`EXISTS (SELECT FROM jsonb_array_elements(${citations}) cited
            WHERE cited ->> 'id' = ANY(${sql.param([...ids, ...told])}::text[]))`,
          sql`${role} = 'assistant' AND ${conversationId} IN (SELECT conversation_id FROM messages said
            WHERE said.owner_id = ${ownerId} AND said.id = ANY(${sql.param(told)}::uuid[]))`
        )
      )
    )
    .orderBy(id)
}

/** Quotes of other memories in these messages follow the words they point at. */
async function moveQuotes(
  tx: Tx,
  ownerId: string,
  changed: (Shortened & { row: MessageRow })[],
  { ids }: WhatGoes
): Promise<void> {
  for (const { row, ...shortened } of changed) {
    const others = await tx
      .select({ id: memorySources.id, quote: memorySources.quote, quoteStart: memorySources.quoteStart })
      .from(memorySources)
      .where(
        and(
          eq(memorySources.ownerId, ownerId),
          eq(memorySources.messageId, row.id),
          notInArray(memorySources.memoryId, ids)
        )
      )
    for (const { id, quote, quoteStart } of others) {
      if (quoteStart === null) continue
      await tx
        .update(memorySources)
        .set(moveQuote(shortened, quote, quoteStart))
        .where(and(eq(memorySources.ownerId, ownerId), eq(memorySources.id, id)))
    }
  }
}

async function retitle(
  tx: Tx,
  ownerId: string,
  changed: (Shortened & { row: MessageRow })[],
  words: ForgottenWords,
  toTitle: (text: string) => string
): Promise<void> {
  for (const [id, told] of Map.groupBy(changed, ({ row }) => row.conversationId)) {
    const mine = and(eq(conversations.ownerId, ownerId), eq(conversations.id, id))
    const [conversation] = await tx.select().from(conversations).where(mine)
    if (!conversation) continue
    const left = {
      changed: told.map(({ row, text }) => ({ content: row.content, text })),
      first: await firstWords(tx, ownerId, id)
    }
    const title = titleLeft(conversation, left, words, toTitle)
    const titledBy = conversation.titledBy === 'model' ? 'words' : conversation.titledBy
    if (title === conversation.title && titledBy === conversation.titledBy) continue
    await tx.update(conversations).set({ title, titledBy }).where(mine)
  }
}

async function firstWords(tx: Tx, ownerId: string, conversationId: string): Promise<string> {
  const [first] = await tx
    .select({ content: messages.content })
    .from(messages)
    .where(
      and(
        eq(messages.ownerId, ownerId),
        eq(messages.conversationId, conversationId),
        eq(messages.role, 'user')
      )
    )
    .orderBy(messages.sequence)
    .limit(1)
  return first?.content ?? ''
}

/** Indexes messages and those around them anew; what is not to be found is left out. */
export async function indexAnew(tx: Tx, ownerId: string, messageIds: string[]): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    SELECT DISTINCT around.id FROM messages said
      JOIN conversations ON conversations.owner_id = ${ownerId} AND conversations.id = said.conversation_id
       AND NOT conversations.temporary
      JOIN messages around ON around.owner_id = ${ownerId} AND around.conversation_id = said.conversation_id
       AND around.sequence BETWEEN said.sequence - ${NEIGHBOURS}::int AND said.sequence + ${NEIGHBOURS}::int
     WHERE said.owner_id = ${ownerId} AND said.id = ANY(${sql.param(messageIds)}::uuid[])`)
  const ids = rows.map(({ id }) => id)
  await tx
    .delete(messageVectors)
    .where(and(eq(messageVectors.ownerId, ownerId), inArray(messageVectors.id, [...messageIds, ...ids])))
  await indexMessages(tx, ownerId, ids)
  return ids
}
