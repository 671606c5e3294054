import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import { memories, memoryHistory, memorySources } from '../tables.ts'
import { createForgottenWords, type ForgottenWords, isStatedIn } from './forgotten-words.ts'

/** What is forgotten with a memory. */
export interface WhatGoes {
  /** Every memory that goes, the one that was asked for first. */
  ids: string[]
  words: ForgottenWords
  /** Those of them whose words and sources go: the others only say so as well. */
  family: string[]
  /** What was said where. */
  sources: { memoryId: string; messageId: string | null; quote: string; quoteStart: number | null }[]
  /** Their texts, as they are and as they were. */
  texts: string[]
  /** Memories that hold the words in a statement of their own, and stay. */
  stays: string[]
  /** By the database's clock: what was said after that stays. Null before they are hidden. */
  hiddenAt: Date | null
}

interface Known {
  id: string
  text: string
  subject: string | null
  createdAt: Date
  forgottenAt: Date | null
}

/**
 * The memory, what it replaced or was merged with, what was derived from them, and every other memory that makes the same
 * statement about the same subject: where one of these stayed, the fact would not be forgotten.
 */
export async function findWhatGoes(tx: Tx, ownerId: string, id: string): Promise<WhatGoes> {
  const family = await findFamily(tx, ownerId, [id])
  const known = await listKnown(tx, ownerId)
  const asked = known.find((memory) => memory.id === id)
  const saySo = known.filter(
    (memory) =>
      asked &&
      !family.includes(memory.id) &&
      isSameSubject(asked, memory) &&
      isStatedIn(asked.text, memory.text)
  )
  // What such a one replaced is another fact's history, and stays.
  const others = await findDerived(
    tx,
    ownerId,
    saySo.map((memory) => memory.id)
  )
  return describe(tx, ownerId, family, [...new Set([...family, ...others])], known, null)
}

/** What was hidden together with a memory, and nothing that was told since: it is not found anew. */
export async function loadWhatWent(tx: Tx, ownerId: string, id: string): Promise<WhatGoes | null> {
  const { rows } = await tx.execute<{ id: string; hiddenAt: string }>(sql`
    SELECT entry.memory_id AS id, asked.created_at AS "hiddenAt"
      FROM (SELECT batch_id, created_at FROM memory_history
             WHERE owner_id = ${ownerId} AND memory_id = ${id} AND action = 'forgotten' AND undone_at IS NULL
             ORDER BY id DESC LIMIT 1) asked
      JOIN memory_history entry ON entry.owner_id = ${ownerId} AND entry.batch_id = asked.batch_id
       AND entry.action = 'forgotten' AND entry.undone_at IS NULL
     ORDER BY entry.memory_id <> ${id}, entry.id`)
  const [first] = rows
  if (!first) return null
  const ids = rows.map((row) => row.id)
  const family = (await findFamily(tx, ownerId, [id])).filter((member) => ids.includes(member))
  return describe(tx, ownerId, family, ids, await listKnown(tx, ownerId), new Date(first.hiddenAt))
}

function listKnown(tx: Tx, ownerId: string): Promise<Known[]> {
  const { id, text, subject, createdAt, forgottenAt } = memories
  return tx
    .select({ id, text, subject, createdAt, forgottenAt })
    .from(memories)
    .where(eq(memories.ownerId, ownerId))
}

function isSameSubject(one: Known, other: Known): boolean {
  if (one.subject === null || other.subject === null) return true
  return one.subject.toLowerCase() === other.subject.toLowerCase()
}

async function describe(
  tx: Tx,
  ownerId: string,
  family: string[],
  ids: string[],
  known: Known[],
  hiddenAt: Date | null
): Promise<WhatGoes> {
  const sources = await tx
    .select({
      memoryId: memorySources.memoryId,
      messageId: memorySources.messageId,
      quote: memorySources.quote,
      quoteStart: memorySources.quoteStart
    })
    .from(memorySources)
    .where(and(eq(memorySources.ownerId, ownerId), inArray(memorySources.memoryId, family)))
  const now = known.filter(({ id }) => family.includes(id)).map(({ text }) => text)
  const others = known.filter(({ id }) => !ids.includes(id))
  const before = others.filter(
    ({ createdAt, forgottenAt }) => !forgottenAt && (!hiddenAt || createdAt <= hiddenAt)
  )
  const texts = [...new Set([...now, ...(await findEarlierTexts(tx, ownerId, family))])].filter(
    // What is still known by another memory is not to be forgotten everywhere.
    (text) => !before.some((memory) => isStatedIn(text, memory.text))
  )
  const words = createForgottenWords(texts)
  const stays = others.filter(({ text }) => words.isIn(text)).map(({ id }) => id)
  return { ids, words, family, sources, texts, stays, hiddenAt }
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
