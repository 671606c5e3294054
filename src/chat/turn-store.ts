import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { type ConversationRow, loadConversation } from './conversation-store.ts'
import { MessageNotFound, TurnNotFound } from './errors.ts'
import { firstEvent } from './events.ts'
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

/** How long a runner owns a turn without renewing. */
const LEASE = sql`now() + interval '15 seconds'`
const UNFINISHED = sql`${turns.status} IN ('queued', 'running')`

export type TurnRow = typeof turns.$inferSelect

export interface NewTurn {
  id: string
  /** The model that answers, unless its conversation has one of its own. */
  model: string
  options: TurnOptions
  runnerId: string
  userMessageId: string
  conversationId: string
}

/** What was stored with a message: what its conversation says of its turn. */
export interface Accepted {
  temporary: boolean
  model: string
}

/** What a turn answers: a message to be stored with it, in a conversation that is there or begins with it. */
export interface NewTurnMessage {
  text: string
  /** undefined: the conversation's newest message; null: none, beside the message the conversation began with. */
  parentId: string | null | undefined
  /** Set when the conversation begins with this message. */
  begins: { title: string; temporary: boolean } | null
}

/**
 * Stores a message, its turn and the first event of the log, once for the row of `claimed`: one statement, since the person
 * waits for it. null when `claimed` had no row and nothing was stored.
 * Throws where the conversation, or the parent in it, is not the owner's.
 */
export async function acceptMessage(
  tx: Tx,
  ownerId: string,
  turn: NewTurn,
  { text, parentId, begins }: NewTurnMessage,
  claimed: SQL
): Promise<Accepted | null> {
  const { conversationId, userMessageId } = turn
  const conversation = begins
    ? sql`INSERT INTO conversations (owner_id, id, title, temporary, next_sequence)
          SELECT ${ownerId}::uuid, ${conversationId}::uuid, ${begins.title}, ${begins.temporary}::boolean, 2 FROM claimed
          RETURNING 1 AS sequence, temporary, model`
    : sql`UPDATE conversations SET next_sequence = next_sequence + 1, updated_at = now(), archived_at = NULL
           WHERE owner_id = ${ownerId} AND id = ${conversationId} AND EXISTS (SELECT FROM claimed)
             AND (${parentId ?? null}::uuid IS NULL OR EXISTS (SELECT FROM messages
                  WHERE owner_id = ${ownerId} AND id = ${parentId ?? null} AND conversation_id = ${conversationId}))
          RETURNING next_sequence - 1 AS sequence, temporary, model`
  // A conversation that begins has no message yet.
  const parent =
    begins || parentId === null
      ? sql`NULL::uuid`
      : sql`coalesce(${parentId ?? null}::uuid, (SELECT id FROM messages
        WHERE owner_id = ${ownerId} AND conversation_id = ${conversationId} ORDER BY sequence DESC LIMIT 1))`
  const { rows } = await tx.execute<{ mine: boolean; temporary: boolean | null; model: string | null }>(sql`
    WITH claimed AS (${claimed}), conversation AS (${conversation}),
    message AS (
      INSERT INTO messages (owner_id, id, conversation_id, parent_id, sequence, role, content)
      SELECT ${ownerId}::uuid, ${userMessageId}::uuid, ${conversationId}::uuid, ${parent}, sequence, 'user', ${text}
        FROM conversation
    ), ${insertTurn(ownerId, turn, sql`SELECT model FROM conversation`)}
    SELECT EXISTS (SELECT FROM claimed) AS mine, (SELECT temporary FROM conversation),
           (SELECT model FROM turn)`)
  const [stored] = rows
  if (!stored?.mine) return null
  if (stored.temporary !== null) return { temporary: stored.temporary, model: stored.model ?? turn.model }
  await loadConversation(tx, ownerId, conversationId)
  throw new MessageNotFound(parentId ?? '')
}

/** Stores a turn for a message that is there, with the first event of its log. What is archived comes back. */
export async function acceptAgain(tx: Tx, ownerId: string, turn: NewTurn): Promise<void> {
  const { conversationId } = turn
  await tx.execute(sql`WITH unarchived AS (
      UPDATE conversations SET archived_at = NULL
       WHERE owner_id = ${ownerId} AND id = ${conversationId} AND archived_at IS NOT NULL
    ), ${insertTurn(ownerId, turn, sql`SELECT NULL::text AS model`)} SELECT`)
}

/**
 * A turn, once for the row of `from`, owned by its runner from the start; its log begins with who it is. A model that the
 * turn was asked to be answered by goes before the one that `from` names, and that before the deployment's.
 */
function insertTurn(ownerId: string, turn: NewTurn, from: SQL): SQL {
  const { id, conversationId, userMessageId, model, options, runnerId } = turn
  const { type, data } = firstEvent(turn)
  return sql`turn AS (
      INSERT INTO turns (owner_id, id, conversation_id, user_message_id, status, model, options, runner_id, lease_until)
      SELECT ${ownerId}::uuid, ${id}::uuid, ${conversationId}::uuid, ${userMessageId}::uuid, 'running',
             ${options.model ? model : sql`coalesce(once.model, ${model})`},
             ${JSON.stringify(options)}::jsonb, ${runnerId}::uuid, ${LEASE} FROM (${from}) AS once
      RETURNING model
    ), event AS (
      INSERT INTO turn_events (owner_id, turn_id, id, type, data)
      SELECT ${ownerId}::uuid, ${id}::uuid, 1, ${type}, jsonb_set(${JSON.stringify(data)}::jsonb, '{model}', to_jsonb(model)) FROM turn
    )`
}

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
  const stored = reply
    ? sql`conversation AS (
        UPDATE conversations SET next_sequence = next_sequence + 1, updated_at = now()
         WHERE owner_id = ${ownerId} AND id = ${reply.conversationId} AND EXISTS (SELECT FROM ended)
        RETURNING next_sequence - 1 AS sequence
      ), reply AS (
        INSERT INTO messages (owner_id, id, conversation_id, parent_id, sequence, role, content, model, citations)
        SELECT ${ownerId}::uuid, ${reply.id}::uuid, ${reply.conversationId}::uuid, ${reply.parentId}::uuid, sequence,
               'assistant', ${reply.content}, ${model}, ${JSON.stringify(reply.citations)}::jsonb FROM conversation
      ),`
    : sql``
  const { rows } = await tx.execute<{ titledBy: ConversationRow['titledBy'] }>(sql`
    WITH ended AS (
      UPDATE turns SET status = ${status}, model = ${model}, reply_message_id = ${reply?.id ?? null}::uuid,
             memories_used = ${JSON.stringify(memoriesUsed)}::jsonb, usage = ${JSON.stringify({ ...usage, ...(finishReason && { finishReason }) })}::jsonb,
             error = ${error && JSON.stringify(error)}::jsonb, finished_at = now(), lease_until = NULL
       WHERE ${isTurn(ownerId, id)} AND ${UNFINISHED} ${runnerId === null ? sql`` : sql`AND ${eq(turns.runnerId, runnerId)}`}
      RETURNING conversation_id
    ), ${stored} said AS (
      SELECT titled_by AS "titledBy" FROM ended
        JOIN conversations ON conversations.owner_id = ${ownerId} AND conversations.id = ended.conversation_id
    ) SELECT * FROM said`)
  return rows[0] ?? null
}

function isTurn(ownerId: string, id: string) {
  return and(eq(turns.ownerId, ownerId), eq(turns.id, id))
}
