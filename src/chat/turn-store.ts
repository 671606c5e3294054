import { and, desc, eq, type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { ask, fixed } from '../db/statement.ts'
import type { ConversationRow } from './conversation-store.ts'
import { TurnNotFound } from './errors.ts'
import type {
  Citation,
  FinishReason,
  MemoryUsed,
  TurnError,
  TurnOptions,
  TurnStatus,
  TurnUsage
} from './schemas.ts'
import { turns } from './tables.ts'

const UNFINISHED = sql`${turns.status} IN ('queued', 'running')`

export type TurnRow = typeof turns.$inferSelect

export async function loadTurn(tx: Tx, ownerId: string, id: string): Promise<TurnRow> {
  const [row] = await tx.select().from(turns).where(isTurn(ownerId, id))
  if (!row) throw new TurnNotFound(id)
  return row
}

/**
 * An unfinished turn that nobody keeps, locked: a runner that was only slow can neither renew it now nor write to its log.
 * With `evenLeased`, whether somebody keeps it or not.
 */
export async function lockAbandoned(
  tx: Tx,
  ownerId: string,
  id: string,
  evenLeased: boolean
): Promise<TurnRow | undefined> {
  const [row] = await tx
    .select()
    .from(turns)
    .where(and(isTurn(ownerId, id), UNFINISHED, evenLeased ? undefined : sql`${turns.leaseUntil} < now()`))
    .for('update')
  return row
}

/**
 * An unfinished turn of this runner's that has said nothing yet, kept for it from now on: one whose
 * acceptance was lost on its way to the runner.
 */
export async function renewUnbegun(
  tx: Tx,
  ownerId: string,
  id: string,
  runnerId: string
): Promise<TurnRow | undefined> {
  const [row] = await tx
    .update(turns)
    .set({ leaseUntil: sql`now() + interval '15 seconds'` })
    .where(
      and(
        isTurn(ownerId, id),
        UNFINISHED,
        eq(turns.runnerId, runnerId),
        sql`NOT EXISTS (SELECT FROM turn_events WHERE owner_id = ${ownerId} AND turn_id = ${id} AND id > 1)`
      )
    )
    .returning()
  return row
}

/** What the owner asked for when the message was last answered. */
export async function findOptions(
  tx: Tx,
  ownerId: string,
  userMessageId: string
): Promise<TurnOptions | undefined> {
  const [row] = await tx
    .select({ options: turns.options })
    .from(turns)
    .where(and(eq(turns.ownerId, ownerId), eq(turns.userMessageId, userMessageId)))
    .orderBy(desc(turns.createdAt), desc(turns.id))
    .limit(1)
  return row?.options
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

/** Asks whoever runs the turn to stop it. A turn that has ended stays as it is. */
export async function requestStop(tx: Tx, ownerId: string, id: string): Promise<void> {
  await tx
    .update(turns)
    .set({ stopRequestedAt: sql`now()` })
    .where(and(isTurn(ownerId, id), UNFINISHED))
}

export interface TurnEnd {
  model: string
  status: Exclude<TurnStatus, 'queued' | 'running'>
  memoriesUsed: MemoryUsed[]
  usage: TurnUsage
  finishReason: FinishReason | null
  error: TurnError | null
}

/** The reply that a turn leaves in its conversation. */
export interface Reply {
  id: string
  conversationId: string
  /** The message it answers. */
  parentId: string
  content: string
  citations: Citation[]
}

/**
 * Ends a turn that is still unfinished, and still `runnerId`'s when one is given, and stores its reply: one statement.
 * Answers null when it is not: somebody else has ended it, and nothing may be written.
 * Writers of a conversation wait here for each other, so the numbers of its messages have no gaps.
 */
export async function endTurn(
  tx: Tx,
  ownerId: string,
  id: string,
  runnerId: string | null,
  { model, status, memoriesUsed, usage, finishReason, error }: TurnEnd,
  reply: Reply | null
): Promise<{ titledBy: ConversationRow['titledBy'] } | null> {
  const end = reply ? END.replied : END.silent
  const [said] = await ask(
    tx,
    end({
      ownerId,
      id,
      runnerId,
      status,
      model,
      memoriesUsed: JSON.stringify(memoriesUsed),
      usage: JSON.stringify({ ...usage, ...(finishReason && { finishReason }) }),
      error: error && JSON.stringify(error),
      replyId: reply?.id ?? null,
      parentId: reply?.parentId,
      content: reply?.content,
      citations: JSON.stringify(reply?.citations)
    })
  )
  return said ?? null
}

interface EndValues extends Record<string, unknown> {
  ownerId: string
  id: string
  runnerId: string | null
  status: TurnStatus
  model: string
  memoriesUsed: string
  usage: string
  error: string | null
  replyId: string | null
  parentId: string | undefined
  content: string | undefined
  citations: string | undefined
}

type Places = { [Name in keyof EndValues]: Placeholder }

const END = {
  replied: ending(
    ({ ownerId, replyId, parentId, content, model, citations }) => sql`conversation AS (
        UPDATE conversations SET next_sequence = next_sequence + 1, updated_at = now()
          FROM ended WHERE conversations.owner_id = ${ownerId} AND conversations.id = ended.conversation_id
        RETURNING conversations.id, next_sequence - 1 AS sequence
      ), reply AS (
        INSERT INTO messages (owner_id, id, conversation_id, parent_id, sequence, role, content, model, citations)
        SELECT ${ownerId}::uuid, ${replyId}::uuid, id, ${parentId}::uuid, sequence,
               'assistant', ${content}, ${model}, ${citations}::jsonb FROM conversation
      ),`
  ),
  silent: ending(() => sql``)
}

function ending(reply: (value: Places) => SQL) {
  return fixed<EndValues, { titledBy: ConversationRow['titledBy'] }>((given) => {
    const value = given as Places
    return sql`
    WITH ended AS (
      UPDATE turns SET status = ${value.status}, model = ${value.model}, reply_message_id = ${value.replyId}::uuid,
             memories_used = ${value.memoriesUsed}::jsonb, usage = ${value.usage}::jsonb,
             error = ${value.error}::jsonb, finished_at = now(), lease_until = NULL
       WHERE owner_id = ${value.ownerId} AND id = ${value.id} AND status IN ('queued', 'running')
         AND (${value.runnerId}::uuid IS NULL OR runner_id = ${value.runnerId})
      RETURNING conversation_id
    ), ${reply(value)} said AS (
      SELECT titled_by AS "titledBy" FROM ended
        JOIN conversations ON conversations.owner_id = ${value.ownerId} AND conversations.id = ended.conversation_id
    ) SELECT * FROM said`
  })
}

function isTurn(ownerId: string, id: string) {
  return and(eq(turns.ownerId, ownerId), eq(turns.id, id))
}
