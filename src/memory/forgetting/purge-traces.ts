import { and, eq, gt, inArray, isNull, notInArray, or, sql } from 'drizzle-orm'
import { turnEvents, turns } from '../../chat/tables.ts'
import { memoryClusterMembers, memoryClusters, profiles } from '../../consolidation/tables.ts'
import type { Tx } from '../../db/client.ts'
import { idempotencyKeys } from '../../db/idempotency-table.ts'
import { fileImportParts } from '../../transfer/tables.ts'
import { record } from '../history.ts'
import { memories, memoryConflicts, memoryHistory } from '../tables.ts'
import { namesMemory, type TakenDown } from './forget.ts'
import type { ForgottenWords } from './forgotten-words.ts'
import { holds } from './places.ts'
import type { WhatGoes } from './what-goes.ts'

/** Removes what turns, retries and consolidation have kept of it. */
export async function purgeTraces(
  tx: Tx,
  ownerId: string,
  going: WhatGoes,
  conversationIds: string[]
): Promise<void> {
  await purgeTurns(tx, ownerId, going, conversationIds)
  await purgeAnswers(tx, ownerId, going)
  await purgeGroups(tx, ownerId, going)
  await purgeFiles(tx, ownerId, going)
  await settleConflicts(tx, ownerId, going.ids)
}

/** A log has its words in pieces, so it goes as a whole: the messages are the record. */
async function purgeTurns(
  tx: Tx,
  ownerId: string,
  going: WhatGoes,
  conversationIds: string[]
): Promise<void> {
  const { ids } = going
  const used = await tx
    .select({ id: turns.id, memoriesUsed: turns.memoriesUsed })
    .from(turns)
    .where(and(eq(turns.ownerId, ownerId), namesMemory(ids)))
  for (const { id, memoriesUsed } of used) {
    const others = memoriesUsed.filter((memory) => !ids.includes(memory.id))
    await tx
      .update(turns)
      .set({ memoriesUsed: others })
      .where(and(eq(turns.ownerId, ownerId), eq(turns.id, id)))
  }
  const logs = await findLogs(tx, ownerId, going)
  const told = tx
    .select({ id: turns.id })
    .from(turns)
    .where(
      and(
        eq(turns.ownerId, ownerId),
        sql`${turns.finishedAt} IS NOT NULL`,
        or(
          inArray(turns.conversationId, conversationIds),
          inArray(
            turns.id,
            used.map(({ id }) => id)
          ),
          inArray(turns.id, logs)
        )
      )
    )
  await tx.delete(turnEvents).where(and(eq(turnEvents.ownerId, ownerId), inArray(turnEvents.turnId, told)))
}

/** The turns whose log holds the words, across its pieces; not those in which it was told again. */
export async function findLogs(tx: Tx, ownerId: string, { words, hiddenAt }: WhatGoes): Promise<string[]> {
  const since = tx
    .select({ id: turns.id })
    .from(turns)
    .where(and(eq(turns.ownerId, ownerId), hiddenAt ? gt(turns.createdAt, hiddenAt) : sql`false`))
  const rows = await tx
    .select({
      id: turnEvents.turnId,
      text: sql<string>`string_agg(${turnEvents.data} ->> 'text', '' ORDER BY ${turnEvents.id})`
    })
    .from(turnEvents)
    .where(
      and(
        eq(turnEvents.ownerId, ownerId),
        inArray(turnEvents.type, ['text-delta', 'reasoning-delta']),
        notInArray(turnEvents.turnId, since)
      )
    )
    .groupBy(turnEvents.turnId, turnEvents.type)
  return [...new Set(rows.filter(({ text }) => words.isIn(text ?? '')).map(({ id }) => id))]
}

/** Answers kept for retries. One that is gone makes the retry a new request, which is what forgetting means. */
async function purgeAnswers(tx: Tx, ownerId: string, { ids, words }: WhatGoes): Promise<void> {
  const rows = await tx
    .select({ key: idempotencyKeys.key, response: idempotencyKeys.response })
    .from(idempotencyKeys)
    .where(eq(idempotencyKeys.ownerId, ownerId))
  const told = rows.filter(({ key, response }) =>
    holds([key, response], (text) => words.isIn(text) || ids.includes(text))
  )
  await tx.delete(idempotencyKeys).where(
    and(
      eq(idempotencyKeys.ownerId, ownerId),
      inArray(
        idempotencyKeys.key,
        told.map(({ key }) => key)
      )
    )
  )
}

/** Topics and the profile were made from these memories among others: they are made again from the others. */
async function purgeGroups(tx: Tx, ownerId: string, { ids, words }: WhatGoes): Promise<void> {
  const held = await tx
    .select({ id: memoryClusterMembers.clusterId })
    .from(memoryClusterMembers)
    .where(and(eq(memoryClusterMembers.ownerId, ownerId), inArray(memoryClusterMembers.memoryId, ids)))
  const left = (await findTakenDown(tx, ownerId, ids)).flatMap(({ clusters }) => clusters)
  await tx.delete(memoryClusters).where(
    and(
      eq(memoryClusters.ownerId, ownerId),
      inArray(
        memoryClusters.id,
        [...held, ...left].map(({ id }) => id)
      )
    )
  )
  await purgeProfile(tx, ownerId, ids, words)
}

/** What is still on its way in from a file must not bring it back. */
async function purgeFiles(tx: Tx, ownerId: string, { ids, words }: WhatGoes): Promise<void> {
  const ofOwner = eq(fileImportParts.ownerId, ownerId)
  const parts = await tx
    .select()
    .from(fileImportParts)
    .where(and(ofOwner, sql`${fileImportParts.content} ? 'memories'`))
  for (const { importId, place, content } of parts) {
    const { memories: coming } = content as { memories: { id: string; text: string }[] }
    const staying = coming.filter(({ id, text }) => !ids.includes(id) && !words.isIn(text))
    if (staying.length === coming.length) continue
    await tx
      .update(fileImportParts)
      .set({ content: { memories: staying } })
      .where(and(ofOwner, eq(fileImportParts.importId, importId), eq(fileImportParts.place, place)))
  }
}

/** The profile keeps what its other memories say, until it is built again; what it said before goes. */
async function purgeProfile(tx: Tx, ownerId: string, ids: string[], words: ForgottenWords): Promise<void> {
  const ofOwner = eq(profiles.ownerId, ownerId)
  const [profile] = await tx.select().from(profiles).where(ofOwner).for('update')
  const { memoryIds = [], previousMemoryIds = [], text = '', previousText = '' } = profile ?? {}
  const isMadeFrom = [...memoryIds, ...(previousMemoryIds ?? [])].some((id) => ids.includes(id))
  if (!isMadeFrom && !holds([text, previousText], words.isIn)) return
  const left = memoryIds.filter((id) => !ids.includes(id))
  const rows = await tx
    .select({ id: memories.id, text: memories.text })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), inArray(memories.id, left), isNull(memories.forgottenAt)))
  const lines = left.flatMap((id) => rows.find((row) => row.id === id)?.text ?? [])
  await tx
    .update(profiles)
    .set({
      text: lines.join('\n'),
      memoryIds: rows.map(({ id }) => id),
      previousText: null,
      previousMemoryIds: null
    })
    .where(ofOwner)
}

/** What was taken down when these were hidden. */
export async function findTakenDown(tx: Tx, ownerId: string, ids: string[]): Promise<TakenDown[]> {
  const rows = await tx
    .select({ before: memoryHistory.before })
    .from(memoryHistory)
    .where(
      and(
        eq(memoryHistory.ownerId, ownerId),
        inArray(memoryHistory.memoryId, ids),
        eq(memoryHistory.action, 'forgotten')
      )
    )
  return rows.flatMap(({ before }) => (before?.taken ? [before.taken as TakenDown] : []))
}

/** Where one of two that cannot both be true is gone, the other stands alone again. */
async function settleConflicts(tx: Tx, ownerId: string, ids: string[]): Promise<void> {
  const ofOwner = eq(memoryConflicts.ownerId, ownerId)
  const open = sql`${memoryConflicts.resolvedAt} IS NULL`
  const conflicts = await tx
    .select({ memoryId: memoryConflicts.memoryId, otherId: memoryConflicts.otherId })
    .from(memoryConflicts)
    .where(
      and(ofOwner, open, or(inArray(memoryConflicts.memoryId, ids), inArray(memoryConflicts.otherId, ids)))
    )
  const partners = conflicts
    .flatMap(({ memoryId, otherId }) => [memoryId, otherId])
    .filter((id) => !ids.includes(id))
  for (const id of new Set(partners)) {
    const { rows } = await tx.execute<{ id: string }>(sql`
      UPDATE memories SET status = 'active', updated_at = now()
       WHERE owner_id = ${ownerId} AND id = ${id} AND status = 'conflicting' AND NOT EXISTS (
         SELECT FROM memory_conflicts other WHERE other.owner_id = ${ownerId} AND other.resolved_at IS NULL
            AND (other.memory_id = ${id} AND NOT other.other_id = ANY(${sql.param(ids)}::uuid[])
              OR other.other_id = ${id} AND NOT other.memory_id = ANY(${sql.param(ids)}::uuid[])))
      RETURNING id`)
    if (rows.length === 0) continue
    await record(tx, ownerId, id, {
      action: 'resolved',
      by: 'owner',
      reason: 'What it conflicted with was forgotten',
      before: { status: 'conflicting' },
      after: { status: 'active' }
    })
  }
}

/** Removes the memories themselves; their history, sources, terms and vectors go with them. */
export async function removeMemories(tx: Tx, ownerId: string, ids: string[]): Promise<void> {
  await tx.delete(memories).where(and(eq(memories.ownerId, ownerId), inArray(memories.id, ids)))
}
