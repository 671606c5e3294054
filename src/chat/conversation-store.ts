import { and, asc, desc, eq, getTableColumns, gt, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import type { Cursor } from '../http/cursor.ts'
import { ConversationNotFound, MessageNotFound } from './errors.ts'
import type { Attachment, FinishReason, Message, TurnError, TurnStatus } from './schemas.ts'
import { conversations, messages } from './tables.ts'

export type MessageRow = typeof messages.$inferSelect
/** A message with what else is shown of it. */
export interface ShownMessage extends MessageRow {
  turnId: string | null
  finishReason: FinishReason | null
  turnStatus: TurnStatus | null
  turnError: TurnError | null
  attachments: Attachment[]
}
export type ConversationRow = typeof conversations.$inferSelect

export async function createConversation(
  tx: Tx,
  ownerId: string,
  values: { id: string; title: string; temporary: boolean; model: string | null }
): Promise<ConversationRow> {
  const titledBy = values.title === '' ? 'words' : 'owner'
  const [row] = await tx
    .insert(conversations)
    .values({ ownerId, titledBy, ...values })
    .returning()
  return row as ConversationRow
}

export async function findConversation(
  tx: Tx,
  ownerId: string,
  id: string
): Promise<ConversationRow | undefined> {
  const [row] = await tx.select().from(conversations).where(isConversation(ownerId, id))
  return row
}

export async function loadConversation(tx: Tx, ownerId: string, id: string): Promise<ConversationRow> {
  const row = await findConversation(tx, ownerId, id)
  if (!row) throw new ConversationNotFound(id)
  return row
}

/** Whether those that are archived are listed: not, only those, or with the others. */
export type Archived = 'false' | 'true' | 'all'

/** Newest first, one row more than `limit`. A temporary chat is known only to whoever began it. */
export function listConversations(
  tx: Tx,
  ownerId: string,
  { limit, after, archived = 'false' }: { limit: number; after?: Cursor | undefined; archived?: Archived }
): Promise<ConversationRow[]> {
  const { updatedAt, id, archivedAt } = conversations
  const isListed = { false: isNull(archivedAt), true: isNotNull(archivedAt), all: undefined }[archived]
  const isAfter = after && or(lt(updatedAt, after.at), and(eq(updatedAt, after.at), lt(id, after.id)))
  return tx
    .select()
    .from(conversations)
    .where(and(eq(conversations.ownerId, ownerId), eq(conversations.temporary, false), isListed, isAfter))
    .orderBy(desc(updatedAt), desc(id))
    .limit(limit + 1)
}

/** What is left of a title without case and accents: as much as words of a search keep. */
const FOLDED_TITLE = sql`translate(lower(regexp_replace(normalize(title, NFKD), '[\u0300-\u036f]', '', 'g')),
  'øØđĐłŁħıŧ', 'ooddllhit')`

/** Conversations whose title may hold one of these folded words, or a longer one that begins or ends with it. */
export function findTitled(
  tx: Tx,
  ownerId: string,
  words: string[],
  limit: number
): Promise<Pick<ConversationRow, 'id' | 'title' | 'titledBy' | 'createdAt'>[]> {
  const { id, title, titledBy, createdAt } = conversations
  const patterns = words.map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`)
  return tx
    .select({ id, title, titledBy, createdAt })
    .from(conversations)
    .where(
      and(
        eq(conversations.ownerId, ownerId),
        eq(conversations.temporary, false),
        sql`${FOLDED_TITLE} LIKE ANY (${sql.param(patterns)}::text[])`
      )
    )
    .orderBy(desc(conversations.updatedAt), desc(conversations.id))
    .limit(limit)
}

export function listByIds(tx: Tx, ownerId: string, ids: string[]): Promise<ConversationRow[]> {
  return tx
    .select()
    .from(conversations)
    .where(
      and(
        eq(conversations.ownerId, ownerId),
        eq(conversations.temporary, false),
        inArray(conversations.id, ids)
      )
    )
}

export async function changeConversation(
  tx: Tx,
  ownerId: string,
  id: string,
  {
    archived,
    ...change
  }: { title?: string; memoryPaused?: boolean; archived?: boolean; model?: string | null }
): Promise<ConversationRow> {
  const archivedAt = archived ? sql`coalesce(${conversations.archivedAt}, now())` : null
  const [row] = await tx
    .update(conversations)
    .set({
      ...change,
      ...(change.title !== undefined && { titledBy: 'owner' as const }),
      ...(archived !== undefined && { archivedAt })
    })
    .where(isConversation(ownerId, id))
    .returning()
  if (!row) throw new ConversationNotFound(id)
  return row
}

export async function removeConversation(tx: Tx, ownerId: string, id: string): Promise<void> {
  const gone = await tx
    .delete(conversations)
    .where(isConversation(ownerId, id))
    .returning({ id: conversations.id })
  if (gone.length === 0) throw new ConversationNotFound(id)
}

export async function loadMessage(tx: Tx, ownerId: string, id: string): Promise<MessageRow> {
  const [row] = await tx
    .select()
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), eq(messages.id, id)))
  if (!row) throw new MessageNotFound(id)
  return row
}

export function findMessages(tx: Tx, ownerId: string, ids: string[]): Promise<MessageRow[]> {
  return tx
    .select()
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, ids)))
}

/** The whole tree, oldest first, one row more than `limit`. */
export function listMessages(
  tx: Tx,
  ownerId: string,
  conversationId: string,
  limit: number,
  afterSequence: number
): Promise<ShownMessage[]> {
  return tx
    .select({
      ...getTableColumns(messages),
      turnId: sql<string | null>`turn.id`,
      finishReason: sql<FinishReason | null>`turn.usage ->> 'finishReason'`,
      turnStatus: sql<TurnStatus | null>`turn.status`,
      turnError: sql<TurnError | null>`turn.error`,
      attachments: sql<
        Attachment[]
      >`(SELECT coalesce(jsonb_agg(jsonb_build_object('id', image.id, 'mediaType',
          image.media_type, 'name', image.name, 'size', image.size) ORDER BY image.id), '[]') FROM attachments image
        WHERE image.owner_id = ${ownerId} AND image.message_id = messages.id)`
    })
    .from(messages)
    .leftJoinLateral(
      sql`((SELECT id, usage, status, error FROM turns
             WHERE turns.owner_id = ${ownerId} AND turns.reply_message_id = ${messages.id} LIMIT 1)
           UNION ALL
           (SELECT NULL, NULL, status, error FROM turns
             WHERE ${messages.role} = 'user' AND turns.owner_id = ${ownerId} AND turns.user_message_id = ${messages.id}
             ORDER BY created_at DESC, id DESC LIMIT 1)) AS turn`,
      sql`true`
    )
    .where(
      and(
        eq(messages.ownerId, ownerId),
        eq(messages.conversationId, conversationId),
        gt(messages.sequence, afterSequence)
      )
    )
    .orderBy(asc(messages.sequence))
    .limit(limit + 1)
}

/** A message of a branch, as much of it as a prompt may need. */
export interface BranchMessage extends Pick<MessageRow, 'id' | 'role' | 'content' | 'sequence'> {
  hasImages: boolean
}

/** A message and what it answers, up to `limit` messages, oldest first. */
export async function loadBranch(
  tx: Tx,
  ownerId: string,
  messageId: string,
  limit: number
): Promise<BranchMessage[]> {
  const { rows } = await tx.execute<BranchMessage & Record<string, unknown>>(sql`
    WITH RECURSIVE branch AS (
      SELECT id, parent_id, role, content, sequence, 1 AS depth FROM messages
       WHERE owner_id = ${ownerId} AND id = ${messageId}
      UNION ALL
      SELECT parent.id, parent.parent_id, parent.role, parent.content, parent.sequence, branch.depth + 1
        FROM branch JOIN messages parent ON parent.owner_id = ${ownerId} AND parent.id = branch.parent_id
       WHERE branch.depth < ${limit}
    )
    SELECT id, role, content, sequence, EXISTS (SELECT FROM attachments
        WHERE attachments.owner_id = ${ownerId} AND attachments.message_id = branch.id) AS "hasImages"
      FROM branch ORDER BY depth DESC`)
  return rows
}

export function toMessage(row: ShownMessage): Message {
  const { id, conversationId, parentId, role, name, content, model, citations, createdAt } = row
  return {
    id,
    conversationId,
    parentId,
    role,
    ...(name === null ? {} : { name }),
    content,
    model,
    citations,
    attachments: row.attachments,
    turnId: row.turnId,
    finishReason: row.finishReason,
    turnStatus: row.turnStatus,
    turnError: row.turnError,
    createdAt: createdAt.toISOString()
  }
}

function isConversation(ownerId: string, id: string) {
  return and(eq(conversations.ownerId, ownerId), eq(conversations.id, id))
}
