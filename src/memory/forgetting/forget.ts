import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { messages, turns } from '../../chat/tables.ts'
import {
  consolidations,
  conversationSummaries,
  memoryClusterMembers,
  memoryClusters
} from '../../consolidation/tables.ts'
import type { Tx } from '../../db/client.ts'
import type { Queue } from '../../jobs/queue.ts'
import { analyzeTerms } from '../../search/analyze.ts'
import { releaseRivals } from '../closing.ts'
import { MemoryNotFound } from '../errors.ts'
import { record } from '../history.ts'
import { messageTerms, messageVectors } from '../recall/tables.ts'
import { memories } from '../tables.ts'
import { findWhatGoes, loadWhatWent, type WhatGoes } from './what-goes.ts'

/** For so long forgetting can be undone. */
const UNDO_WINDOW_MS = 10 * 60_000
/** Clocks of two machines are never quite the same: a purge that came early would do nothing. */
const CLOCK_MARGIN_S = 5
/** Memories and messages that a purge reads in about a second. */
const SMALL_OWNER = 5_000

/** What was taken down with a memory, to be put back by undo. The profile leaves out what is hidden by itself. */
export interface TakenDown {
  /** The memory's place in topics; of one that went as a whole, the places of all that were in it. */
  clusters: { id: string; topic: string; memoryId: string; whole?: boolean }[]
  /** Messages that could be found and hold the words. */
  messageIds: string[]
  /** What was found to go, for all that is shown until then to be without it. */
  texts?: string[]
  /** The memories whose sources go with them. */
  family?: string[]
  stays?: string[]
}

/**
 * Hides a memory and all that goes with it from this moment on, everywhere, and has it purged once it cannot be undone any
 * more, unless the caller does. Answers when that is. Throws where there is nothing to forget; what is hidden already may be purged sooner.
 */
export async function forget(
  tx: Tx,
  queue: Queue,
  ownerId: string,
  id: string,
  { now, atOnce, byCaller = false }: { now: Date; atOnce: boolean; byCaller?: boolean }
): Promise<Date> {
  const [memory] = await tx
    .select({ forgottenAt: memories.forgottenAt })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id)))
    .for('update')
  if (!memory || (memory.forgottenAt && !atOnce)) throw new MemoryNotFound(id)
  const purgeAt = new Date(now.getTime() + (atOnce ? 0 : UNDO_WINDOW_MS))
  if (memory.forgottenAt) await bringForward(tx, ownerId, id, purgeAt)
  else await hide(tx, ownerId, id, await findWhatGoes(tx, ownerId, id), now, purgeAt)
  if (!byCaller) {
    const afterSeconds = atOnce ? 0 : UNDO_WINDOW_MS / 1_000 + CLOCK_MARGIN_S
    await queue.enqueue(tx, 'memory.purge', { ownerId, memoryId: id }, { afterSeconds })
  }
  return purgeAt
}

/** Whether everything of an owner's is looked through while a request waits. */
export async function isSmall(tx: Tx, ownerId: string): Promise<boolean> {
  const { rows } = await tx.execute<{ count: number }>(sql`
    SELECT coalesce(sum(count), 0)::int AS count FROM term_counts WHERE owner_id = ${ownerId} AND term = ''`)
  return (rows[0]?.count ?? 0) <= SMALL_OWNER
}

/** What was hidden together goes together. */
async function bringForward(tx: Tx, ownerId: string, id: string, purgeAt: Date): Promise<void> {
  const ids = (await loadWhatWent(tx, ownerId, id))?.ids ?? []
  await tx
    .update(memories)
    .set({ purgeAt })
    .where(and(eq(memories.ownerId, ownerId), inArray(memories.id, ids)))
}

async function hide(
  tx: Tx,
  ownerId: string,
  id: string,
  going: WhatGoes,
  now: Date,
  purgeAt: Date
): Promise<void> {
  const hidden = await tx
    .update(memories)
    .set({ forgottenAt: now, purgeAt, updatedAt: sql`now()` })
    .where(and(eq(memories.ownerId, ownerId), inArray(memories.id, going.ids), isNull(memories.forgottenAt)))
    .returning({ id: memories.id })
  const taken = await takeDown(tx, ownerId, going)
  const batchId = uuidv7()
  for (const { id: memoryId } of hidden) {
    await record(tx, ownerId, memoryId, {
      action: 'forgotten',
      by: 'owner',
      reason: memoryId === id ? null : 'It went with another memory that says the same, or that it came from',
      before: { forgottenAt: null, purgeAt: null, ...(memoryId === id && { taken }) },
      after: { forgottenAt: now.toISOString(), purgeAt: purgeAt.toISOString() },
      batchId
    })
    await releaseRivals(tx, ownerId, memoryId, 'owner', now)
  }
}

/** Takes away what was made from these memories, or would lead to them. */
async function takeDown(tx: Tx, ownerId: string, going: WhatGoes): Promise<TakenDown> {
  const { ids, words, texts, family, stays } = going
  const messageIds = await findTelling(tx, ownerId, going)
  const summaries = await tx
    .select({ id: conversationSummaries.conversationId, text: conversationSummaries.text })
    .from(conversationSummaries)
    .where(eq(conversationSummaries.ownerId, ownerId))
  const telling = summaries.filter(({ text }) => words.repeatsIn(text, []).length > 0 || words.isIn(text))
  await tx.delete(conversationSummaries).where(
    and(
      eq(conversationSummaries.ownerId, ownerId),
      or(
        inArray(
          conversationSummaries.conversationId,
          telling.map(({ id }) => id)
        ),
        // A model tells in words of its own what it read.
        isSummaryOf(tx, ownerId, messageIds)
      )
    )
  )
  // What a consolidation could put back would not be looked through then.
  await tx
    .update(consolidations)
    .set({ report: sql`${consolidations.report} #- '{before,summaries}'` })
    .where(
      and(
        eq(consolidations.ownerId, ownerId),
        sql`${consolidations.report} #> '{before,summaries}' IS NOT NULL`
      )
    )
  // A vector that is being saved holds them until it is there to be deleted.
  await tx
    .select({ id: messages.id })
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, messageIds)))
    .orderBy(messages.id)
    .for('no key update')
  for (const index of [messageTerms, messageVectors]) {
    await tx.delete(index).where(and(eq(index.ownerId, ownerId), inArray(index.id, messageIds)))
  }
  return { clusters: await takeClusters(tx, ownerId, ids), messageIds, texts, family, stays }
}

/** Whether a summary was made from one of these messages, and can be made from them again. */
export function isSummaryOf(tx: Tx, ownerId: string, messageIds: string[]) {
  const told = tx
    .select({ id: messages.conversationId })
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, messageIds)))
  return inArray(conversationSummaries.conversationId, told)
}

/** Topics are left by these memories, and go as a whole where the others do not say all that they are called. */
async function takeClusters(tx: Tx, ownerId: string, ids: string[]): Promise<TakenDown['clusters']> {
  const { clusterId, memoryId } = memoryClusterMembers
  const ofOwner = eq(memoryClusterMembers.ownerId, ownerId)
  const theirs = tx
    .select({ id: clusterId })
    .from(memoryClusterMembers)
    .where(and(ofOwner, inArray(memoryId, ids)))
  const members = await tx
    .select({ id: clusterId, memoryId, topic: memoryClusters.topic, text: memories.text })
    .from(memoryClusterMembers)
    .innerJoin(memoryClusters, and(eq(memoryClusters.ownerId, ownerId), eq(memoryClusters.id, clusterId)))
    .innerJoin(memories, and(eq(memories.ownerId, ownerId), eq(memories.id, memoryId)))
    .where(and(ofOwner, inArray(clusterId, theirs)))
  const taken: TakenDown['clusters'] = []
  for (const [id, together] of Map.groupBy(members, (member) => member.id)) {
    const topic = together[0]?.topic ?? ''
    const left = together.filter((member) => !ids.includes(member.memoryId))
    const said = new Set(left.flatMap(({ text }) => analyzeTerms(text)))
    const whole = left.length === 0 || !analyzeTerms(topic).every((term) => said.has(term))
    const going = whole ? together : together.filter((member) => ids.includes(member.memoryId))
    taken.push(...going.map((member) => ({ id, topic, memoryId: member.memoryId, whole })))
    const isIt = and(eq(memoryClusters.ownerId, ownerId), eq(memoryClusters.id, id))
    if (whole) await tx.delete(memoryClusters).where(isIt)
    else await tx.update(memoryClusters).set({ size: left.length }).where(isIt)
  }
  await tx.delete(memoryClusterMembers).where(and(ofOwner, inArray(memoryId, ids)))
  return taken
}

/**
 * The messages that told it or say it again. The index offers those that have all its terms, since this answers a request;
 * the purge reads every message.
 */
async function findTelling(
  tx: Tx,
  ownerId: string,
  { ids, words, sources, texts }: WhatGoes
): Promise<string[]> {
  const offered = sources.flatMap(({ messageId }) => messageId ?? [])
  for (const text of texts) {
    const terms = [...new Set(analyzeTerms(text))]
    if (terms.length === 0) continue
    const rows = await tx
      .select({ id: messageTerms.id })
      .from(messageTerms)
      .where(and(eq(messageTerms.ownerId, ownerId), inArray(messageTerms.term, terms)))
      .groupBy(messageTerms.id)
      .having(sql`count(*) = ${terms.length}`)
    offered.push(...rows.map(({ id }) => id))
  }
  const replies = await tx
    .select({ id: turns.replyMessageId })
    .from(turns)
    .where(and(eq(turns.ownerId, ownerId), namesMemory(ids)))
  offered.push(...replies.flatMap(({ id }) => id ?? []))
  const rows = await tx
    .select({ id: messages.id, content: messages.content })
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, [...new Set(offered)])))
  const told = new Set(sources.map(({ messageId }) => messageId))
  return rows
    .filter(
      ({ id, content }) => told.has(id) || words.isIn(content) || words.repeatsIn(content, []).length > 0
    )
    .map(({ id }) => id)
}

/** Whether a turn used one of these memories. */
export function namesMemory(ids: string[]) {
  const used = sql.raw('memories_used')
  return sql`EXISTS (SELECT FROM jsonb_array_elements(${used}) used WHERE used ->> 'id' = ANY(${sql.param(ids)}::text[]))`
}
