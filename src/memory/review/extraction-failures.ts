import { and, desc, eq, inArray, lt, or, sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import type { Cursor } from '../../http/cursor.ts'
import { ExtractionNotFound } from '../errors.ts'
import { memoryExtractions } from '../tables.ts'
import type { MemoryExtraction } from './review-schemas.ts'

/** What could not be read, newest first, one more than `limit`. */
export async function listExtractions(
  tx: Tx,
  ownerId: string,
  limit: number,
  after?: Cursor
): Promise<MemoryExtraction[]> {
  const { updatedAt, messageId } = memoryExtractions
  const rows = await tx
    .select()
    .from(memoryExtractions)
    .where(
      and(
        eq(memoryExtractions.ownerId, ownerId),
        after && or(lt(updatedAt, after.at), and(eq(updatedAt, after.at), lt(messageId, after.id)))
      )
    )
    .orderBy(desc(updatedAt), desc(messageId))
    .limit(limit + 1)
  return rows.map(toExtraction)
}

function toExtraction(row: typeof memoryExtractions.$inferSelect): MemoryExtraction {
  const { messageId, status, attempts, errorCode } = row
  return { messageId, status, attempts, errorCode, updatedAt: row.updatedAt.toISOString() }
}

/** Lets a parked message be read again. */
export async function unparkExtraction(
  tx: Tx,
  ownerId: string,
  messageId: string
): Promise<MemoryExtraction> {
  const [row] = await tx
    .update(memoryExtractions)
    .set({ status: 'failing', updatedAt: sql`now()` })
    .where(and(eq(memoryExtractions.ownerId, ownerId), eq(memoryExtractions.messageId, messageId)))
    .returning()
  if (!row) throw new ExtractionNotFound(messageId)
  return toExtraction(row)
}

/** Notes that a message could not be read. */
export async function noteFailure(
  tx: Tx,
  ownerId: string,
  messageIds: string[],
  status: 'failing' | 'parked',
  errorCode: string
): Promise<void> {
  const rows = messageIds.map((messageId) => ({ ownerId, messageId, status, attempts: 1, errorCode }))
  if (rows.length === 0) return
  await tx
    .insert(memoryExtractions)
    .values(rows)
    .onConflictDoUpdate({
      target: [memoryExtractions.ownerId, memoryExtractions.messageId],
      set: { status, errorCode, attempts: sql`${memoryExtractions.attempts} + 1`, updatedAt: sql`now()` }
    })
}

export async function clearFailure(tx: Tx, ownerId: string, messageId: string): Promise<void> {
  await tx
    .delete(memoryExtractions)
    .where(and(eq(memoryExtractions.ownerId, ownerId), eq(memoryExtractions.messageId, messageId)))
}

/** Those of these messages that extraction gave up on. */
export async function findParked(tx: Tx, ownerId: string, messageIds: string[]): Promise<Set<string>> {
  const rows = await tx
    .select({ messageId: memoryExtractions.messageId })
    .from(memoryExtractions)
    .where(
      and(
        eq(memoryExtractions.ownerId, ownerId),
        eq(memoryExtractions.status, 'parked'),
        inArray(memoryExtractions.messageId, messageIds)
      )
    )
  return new Set(rows.map(({ messageId }) => messageId))
}

/**
 * The messages that failed so long ago that the queue has given up, noted as asked for again. The oftener one has failed,
 * the longer it is left alone, up to a day: what cannot be read today costs little, and is read once it can be.
 */
export async function askAgain(tx: Tx, ownerId: string, at: Date, limit: number): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    UPDATE memory_extractions SET updated_at = ${at}
     WHERE owner_id = ${ownerId} AND message_id IN (
       SELECT message_id FROM memory_extractions
        WHERE owner_id = ${ownerId} AND status = 'failing'
          AND updated_at < ${at}::timestamptz - least(greatest(attempts, 10) * interval '6 minutes', interval '1 day')
        ORDER BY updated_at, message_id LIMIT ${limit})
    RETURNING message_id AS id`)
  return rows.map(({ id }) => id)
}
