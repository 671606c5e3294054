import { and, asc, desc, eq, gt, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { TurnNotFound } from './errors.ts'
import type { LoggedEvent, TurnEvent } from './events.ts'
import type { Citation, TurnError, TurnOptions, TurnStatus, TurnUsage } from './schemas.ts'
import { turnEvents, turns } from './tables.ts'

/** How long a runner owns a turn without renewing. */
const LEASE = sql`now() + interval '15 seconds'`
const UNFINISHED = sql`${turns.status} IN ('queued', 'running')`

export type TurnRow = typeof turns.$inferSelect

export interface NewTurn {
  id: string
  conversationId: string
  userMessageId: string
  model: string
  options: TurnOptions
  runnerId: string
}

/** Stores a turn with the first event of its log, owned by `runnerId` from the start. */
export async function createTurn(tx: Tx, ownerId: string, turn: NewTurn): Promise<void> {
  await tx.insert(turns).values({ ...turn, ownerId, status: 'running', leaseUntil: LEASE })
  const { id, conversationId, userMessageId, model } = turn
  await appendEvents(tx, ownerId, id, 1, [
    { type: 'turn', data: { turnId: id, conversationId, userMessageId, model } }
  ])
}

export async function loadTurn(tx: Tx, ownerId: string, id: string): Promise<TurnRow> {
  const [row] = await tx.select().from(turns).where(isTurn(ownerId, id))
  if (!row) throw new TurnNotFound(id)
  return row
}

export async function findActiveTurnId(
  tx: Tx,
  ownerId: string,
  conversationId: string
): Promise<string | null> {
  const [row] = await tx
    .select({ id: turns.id })
    .from(turns)
    .where(and(eq(turns.ownerId, ownerId), eq(turns.conversationId, conversationId), UNFINISHED))
    .orderBy(desc(turns.createdAt))
    .limit(1)
  return row?.id ?? null
}

/** Keeps the turn for its runner; answers whether it is still the runner's, and whether its owner wants it stopped. */
export async function renewLease(
  tx: Tx,
  ownerId: string,
  id: string,
  runnerId: string
): Promise<{ held: boolean; stopRequested: boolean }> {
  const [row] = await tx
    .update(turns)
    .set({ leaseUntil: LEASE })
    .where(and(isTurn(ownerId, id), eq(turns.runnerId, runnerId)))
    .returning({ stopRequestedAt: turns.stopRequestedAt, status: turns.status })
  return {
    held: row !== undefined && (row.status === 'queued' || row.status === 'running'),
    stopRequested: row?.stopRequestedAt != null
  }
}

/** Asks whoever runs the turn to stop it. A turn that has ended stays as it is. */
export async function requestStop(tx: Tx, ownerId: string, id: string): Promise<void> {
  await tx
    .update(turns)
    .set({ stopRequestedAt: sql`now()` })
    .where(and(isTurn(ownerId, id), UNFINISHED))
}

export interface TurnEnd {
  status: Exclude<TurnStatus, 'queued' | 'running'>
  replyMessageId: string | null
  memoriesUsed?: TurnRow['memoriesUsed']
  usage: TurnUsage
  error: TurnError | null
}

/**
 * Ends a turn that is still unfinished, and still `runnerId`'s when one is given. Answers false when it is not: somebody
 * else has ended it, and nothing may be written.
 */
export async function endTurn(
  tx: Tx,
  ownerId: string,
  id: string,
  runnerId: string | null,
  end: TurnEnd
): Promise<boolean> {
  const ended = await tx
    .update(turns)
    .set({ ...end, finishedAt: sql`now()`, leaseUntil: null })
    .where(and(isTurn(ownerId, id), UNFINISHED, runnerId === null ? undefined : eq(turns.runnerId, runnerId)))
    .returning({ id: turns.id })
  return ended.length > 0
}

/** Marks that memory extraction has dealt with the turn; false when it had already. */
export async function markExtracted(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const marked = await tx
    .update(turns)
    .set({ extractedAt: sql`now()` })
    .where(and(isTurn(ownerId, id), sql`${turns.extractedAt} IS NULL`))
    .returning({ id: turns.id })
  return marked.length > 0
}

export async function appendEvents(
  tx: Tx,
  ownerId: string,
  turnId: string,
  firstId: number,
  events: TurnEvent[]
): Promise<void> {
  if (events.length === 0) return
  await tx
    .insert(turnEvents)
    .values(events.map(({ type, data }, index) => ({ ownerId, turnId, id: firstId + index, type, data })))
}

export async function readEvents(
  tx: Tx,
  ownerId: string,
  turnId: string,
  afterId: number,
  limit = 1_000
): Promise<LoggedEvent[]> {
  const rows = await tx
    .select({ id: turnEvents.id, type: turnEvents.type, data: turnEvents.data })
    .from(turnEvents)
    .where(and(eq(turnEvents.ownerId, ownerId), eq(turnEvents.turnId, turnId), gt(turnEvents.id, afterId)))
    .orderBy(asc(turnEvents.id))
    .limit(limit)
  return rows as LoggedEvent[]
}

/** The words and the number of the last event of a turn's log so far. */
export async function readWords(
  tx: Tx,
  ownerId: string,
  turnId: string
): Promise<{ text: string; citations: Citation[]; lastId: number }> {
  const [row] = await tx
    .select({
      text: sql<string>`coalesce(string_agg(${turnEvents.data} ->> 'text', '' ORDER BY ${turnEvents.id})
        FILTER (WHERE ${turnEvents.type} = 'text-delta'), '')`,
      citations: sql<Citation[]>`coalesce(jsonb_agg(${turnEvents.data} ORDER BY ${turnEvents.id})
        FILTER (WHERE ${turnEvents.type} = 'citation'), '[]')`,
      lastId: sql<number>`coalesce(max(${turnEvents.id}), 0)::int`
    })
    .from(turnEvents)
    .where(and(eq(turnEvents.ownerId, ownerId), eq(turnEvents.turnId, turnId)))
  return row ?? { text: '', citations: [], lastId: 0 }
}

function isTurn(ownerId: string, id: string) {
  return and(eq(turns.ownerId, ownerId), eq(turns.id, id))
}
