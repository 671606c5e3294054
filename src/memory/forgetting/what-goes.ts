import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import { memories, memoryHistory, memorySources } from '../tables.ts'
import { createForgottenWords, type ForgottenFact, type ForgottenWords } from './forgotten-words.ts'

/** What is forgotten with a memory. */
export interface WhatGoes {
  /** Every memory that goes, the one that was asked for first. */
  ids: string[]
  words: ForgottenWords
  /** What was said where. */
  sources: { memoryId: string; messageId: string | null; quote: string; quoteStart: number | null }[]
  /** Their texts, as they are and as they were. */
  texts: string[]
}

/**
 * The memory, what it replaced or was merged with, what was derived from them, and every other memory that says the same
 * in its own words: where one of these stayed, the fact would not be forgotten.
 */
export async function findWhatGoes(tx: Tx, ownerId: string, id: string): Promise<WhatGoes> {
  const core = await findFamily(tx, ownerId, [id])
  const sources = await tx
    .select({
      memoryId: memorySources.memoryId,
      messageId: memorySources.messageId,
      quote: memorySources.quote,
      quoteStart: memorySources.quoteStart
    })
    .from(memorySources)
    .where(and(eq(memorySources.ownerId, ownerId), inArray(memorySources.memoryId, core)))
  const now = await tx
    .select({ id: memories.id, text: memories.text })
    .from(memories)
    .where(eq(memories.ownerId, ownerId))
  const facts: ForgottenFact[] = now
    .filter((memory) => core.includes(memory.id))
    .map((memory) => ({
      text: memory.text,
      quotes: sources.filter(({ memoryId }) => memoryId === memory.id).map(({ quote }) => quote)
    }))
  for (const text of await findEarlierTexts(tx, ownerId, core)) facts.push({ text, quotes: [] })
  const words = createForgottenWords(facts)
  const saySo = now.filter((memory) => !core.includes(memory.id) && words.isIn(memory.text))
  // What such a one replaced is another fact's history, and stays.
  const others = await findDerived(
    tx,
    ownerId,
    saySo.map((memory) => memory.id)
  )
  return { ids: [...new Set([...core, ...others])], words, sources, texts: facts.map(({ text }) => text) }
}

/** Memories with what they replaced, what they were merged with, and what was derived from all of these. */
async function findFamily(tx: Tx, ownerId: string, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const { rows } = await tx.execute<{ id: string }>(sql`
    WITH RECURSIVE going AS (
      SELECT id FROM memories WHERE owner_id = ${ownerId} AND id = ANY(${sql.param(ids)}::uuid[])
      UNION
      SELECT next.id FROM going CROSS JOIN LATERAL (
        SELECT memory_id AS id FROM memory_dependencies WHERE owner_id = ${ownerId} AND depends_on = going.id
        UNION ALL
        SELECT id FROM memories WHERE owner_id = ${ownerId} AND superseded_by = going.id
        UNION ALL
        -- What it was merged into says the same; what merely came after it does not.
        SELECT merged.memory_id FROM memories lost
          JOIN memory_history merged ON merged.owner_id = ${ownerId} AND merged.memory_id = lost.superseded_by
           AND merged.action = 'merged' AND merged.undone_at IS NULL
          JOIN memory_history superseded ON superseded.owner_id = ${ownerId} AND superseded.memory_id = lost.id
           AND superseded.batch_id = merged.batch_id AND superseded.undone_at IS NULL
         WHERE lost.owner_id = ${ownerId} AND lost.id = going.id
      ) next
    ) SELECT id FROM going`)
  const found = rows.map(({ id }) => id)
  return [...ids.filter((id) => found.includes(id)), ...found.filter((id) => !ids.includes(id))]
}

async function findDerived(tx: Tx, ownerId: string, ids: string[]): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    WITH RECURSIVE going AS (
      SELECT id FROM memories WHERE owner_id = ${ownerId} AND id = ANY(${sql.param(ids)}::uuid[])
      UNION
      SELECT derived.memory_id FROM going
        JOIN memory_dependencies derived ON derived.owner_id = ${ownerId} AND derived.depends_on = going.id
    ) SELECT id FROM going`)
  return rows.map(({ id }) => id)
}

async function findEarlierTexts(tx: Tx, ownerId: string, ids: string[]): Promise<string[]> {
  const rows = await tx
    .select({ before: memoryHistory.before, after: memoryHistory.after })
    .from(memoryHistory)
    .where(and(eq(memoryHistory.ownerId, ownerId), inArray(memoryHistory.memoryId, ids)))
  const texts = rows.flatMap(({ before, after }) => [before?.text, after?.text])
  return [...new Set(texts.filter((text) => typeof text === 'string'))]
}
