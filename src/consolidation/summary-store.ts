import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Citation } from '../chat/schemas.ts'
import { messages } from '../chat/tables.ts'
import type { Tx } from '../db/client.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import { conversationSummaries, type StoredReport } from './tables.ts'

type Reading = Pick<Hiding, 'messages'>

export type SummaryRow = typeof conversationSummaries.$inferSelect

/** A message as a summary reads it. */
export interface SpokenMessage extends Record<string, unknown> {
  sequence: number
  role: 'user' | 'assistant'
  name: string | null
  content: string
  at: Date
}

/** A conversation's newest branch, as far as it is to be summarised. */
export interface Uncovered {
  /** What is covered and belongs to this branch. */
  summary: SummaryRow | undefined
  /** The messages after that, oldest first. */
  messages: SpokenMessage[]
}

/** Conversations with more than `least` messages that no summary covers, the longest unread first. */
export async function listLong(tx: Tx, ownerId: string, least: number, limit: number): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    SELECT conversation.id FROM conversations conversation
      LEFT JOIN conversation_summaries summary
        ON summary.owner_id = ${ownerId} AND summary.conversation_id = conversation.id
     WHERE conversation.owner_id = ${ownerId} AND NOT conversation.temporary
       AND conversation.next_sequence - 1 - coalesce(summary.through_sequence, 0) > ${least}
     ORDER BY conversation.next_sequence - coalesce(summary.through_sequence, 0) DESC, conversation.id LIMIT ${limit}`)
  return rows.map(({ id }) => id)
}

/**
 * What is not covered of the branch that ends with the newest message, without what is forgotten; from its beginning, if the
 * summary is of another.
 */
export async function findUncovered(
  tx: Tx,
  hiding: Reading,
  ownerId: string,
  conversationId: string,
  limit: number
): Promise<Uncovered> {
  const summary = await findSummary(tx, ownerId, conversationId)
  const { rows } = await tx.execute<SpokenMessage & { id: string; citations: Citation[] }>(sql`
    WITH RECURSIVE branch AS (
      SELECT * FROM (SELECT id, parent_id, sequence FROM messages
        WHERE owner_id = ${ownerId} AND conversation_id = ${conversationId} ORDER BY sequence DESC LIMIT 1) AS newest
      UNION ALL
      SELECT parent.id, parent.parent_id, parent.sequence
        FROM branch JOIN messages parent ON parent.owner_id = ${ownerId} AND parent.id = branch.parent_id
    ), through AS (
      SELECT coalesce(max(sequence), 0) AS sequence FROM branch WHERE sequence = ${summary?.throughSequence ?? 0}
    )
    SELECT said.id, said.sequence, said.role, said.name, said.content, said.citations, said.created_at AS at
      FROM branch JOIN messages said ON said.owner_id = ${ownerId} AND said.id = branch.id
     WHERE said.sequence >= (SELECT sequence FROM through) AND said.role <> 'system'
       -- An offline reply quotes what was said, or says that it cannot answer.
       AND said.model IS DISTINCT FROM 'offline'
     ORDER BY said.sequence LIMIT ${limit + 1}`)
  const isOfBranch = rows[0] !== undefined && rows[0].sequence === summary?.throughSequence
  const shown = await hiding.messages(tx, ownerId, rows)
  const said = shown.map((row) => ({ ...row, at: new Date(row.at) }))
  return isOfBranch
    ? { summary, messages: said.slice(1) }
    : { summary: undefined, messages: said.slice(0, limit) }
}

export async function findSummary(
  tx: Tx,
  ownerId: string,
  conversationId: string
): Promise<SummaryRow | undefined> {
  const [row] = await tx
    .select()
    .from(conversationSummaries)
    .where(
      and(
        eq(conversationSummaries.ownerId, ownerId),
        eq(conversationSummaries.conversationId, conversationId)
      )
    )
  return row
}

/**
 * Whether a conversation is as it was read, and keeps it so until the transaction ends: something of it may have been
 * forgotten, or it may have been summarised or deleted meanwhile.
 */
export async function isUnchanged(
  tx: Tx,
  hiding: Reading,
  ownerId: string,
  conversationId: string,
  { summary, messages: read }: Uncovered
): Promise<boolean> {
  const known = await findSummary(tx, ownerId, conversationId)
  // A summary of another branch is replaced.
  if (summary && known?.text !== summary.text) return false
  const { id, role, content, citations } = messages
  const rows = await tx
    .select({ id, role, content, citations })
    .from(messages)
    .where(
      and(
        eq(messages.ownerId, ownerId),
        eq(messages.conversationId, conversationId),
        inArray(
          messages.sequence,
          read.map(({ sequence }) => sequence)
        )
      )
    )
    .orderBy(messages.sequence)
    .for('share')
  const shown = await hiding.messages(tx, ownerId, rows)
  return shown.length === read.length && shown.every(({ content }, index) => content === read[index]?.content)
}

export async function saveSummary(tx: Tx, summary: SummaryRow): Promise<void> {
  const { text, throughSequence, builtAt } = summary
  await tx
    .insert(conversationSummaries)
    .values(summary)
    .onConflictDoUpdate({
      target: [conversationSummaries.ownerId, conversationSummaries.conversationId],
      set: { text, throughSequence, builtAt }
    })
}

/** Removes those of one run, which are dated by its beginning, and puts back what they replaced. */
export async function undoSummaries(
  tx: Tx,
  ownerId: string,
  builtAt: Date,
  before: NonNullable<StoredReport['before']>['summaries'] = {}
): Promise<void> {
  const removed = await tx
    .delete(conversationSummaries)
    .where(and(eq(conversationSummaries.ownerId, ownerId), eq(conversationSummaries.builtAt, builtAt)))
    .returning({ id: conversationSummaries.conversationId })
  for (const { id: conversationId } of removed) {
    const summary = before[conversationId]
    if (!summary) continue
    await saveSummary(tx, { ...summary, ownerId, conversationId, builtAt: new Date(summary.builtAt) })
  }
}
