import { and, asc, eq, getTableColumns, gt, inArray, isNull, sql } from 'drizzle-orm'
import { users } from '../auth/tables.ts'
import { attachments, conversations, messages } from '../chat/tables.ts'
import type { Tx } from '../db/client.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import {
  memories,
  memoryConflicts,
  memoryDependencies,
  memoryHistory,
  memorySources
} from '../memory/tables.ts'
import type { Archive, ArchivedConflict, ArchivedImage, ArchivedMemory, ArchivedMessage } from './schemas.ts'

export async function loadAccount(tx: Tx, ownerId: string): Promise<Archive['account'] | undefined> {
  const [account] = await tx
    .select({
      name: users.name,
      timezone: users.timezone,
      locale: users.locale,
      instructions: users.instructions,
      memoryPaused: users.memoryPaused
    })
    .from(users)
    .where(eq(users.id, ownerId))
  return account
}

type ConversationRow = typeof conversations.$inferSelect
export type ConversationHead = Omit<Archive['conversations'][number], 'messages'>

/** By id, after one of them; a temporary chat is nothing to keep. */
export function listConversations(
  tx: Tx,
  ownerId: string,
  after: string | null,
  limit: number
): Promise<ConversationRow[]> {
  return tx
    .select()
    .from(conversations)
    .where(
      and(
        eq(conversations.ownerId, ownerId),
        eq(conversations.temporary, false),
        after === null ? undefined : gt(conversations.id, after)
      )
    )
    .orderBy(asc(conversations.id))
    .limit(limit)
}

export function toHead(row: ConversationRow): ConversationHead {
  const { id, title, titledBy, memoryPaused, archivedAt, createdAt, updatedAt } = row
  return {
    id,
    title,
    titledBy,
    memoryPaused,
    archivedAt: archivedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString()
  }
}

type MessageRow = typeof messages.$inferSelect & { hasImages: boolean }

/** In their order, after number `after`. */
export function listMessages(
  tx: Tx,
  ownerId: string,
  conversationId: string,
  after: number,
  limit: number
): Promise<MessageRow[]> {
  return tx
    .select({
      ...getTableColumns(messages),
      hasImages: sql<boolean>`EXISTS (SELECT FROM attachments
        WHERE attachments.owner_id = ${ownerId} AND attachments.message_id = messages.id)`
    })
    .from(messages)
    .where(
      and(
        eq(messages.ownerId, ownerId),
        eq(messages.conversationId, conversationId),
        gt(messages.sequence, after)
      )
    )
    .orderBy(asc(messages.sequence))
    .limit(limit)
}

export function toArchived(row: MessageRow): ArchivedMessage {
  const { id, parentId, role, name, content, model, createdAt } = row
  return { id, parentId, role, name, content, model, createdAt: createdAt.toISOString() }
}

/** The images of a message; without their bytes where only their names are asked for. */
export async function listImages(
  tx: Tx,
  ownerId: string,
  messageId: string,
  withData: boolean
): Promise<ArchivedImage[]> {
  const { id, mediaType, name, content } = attachments
  const rows = await tx
    .select({ id, mediaType, name, content: withData ? content : sql<null>`NULL` })
    .from(attachments)
    .where(and(eq(attachments.ownerId, ownerId), eq(attachments.messageId, messageId)))
    .orderBy(asc(id))
  return rows.map((row) => ({
    id: row.id,
    mediaType: row.mediaType as ArchivedImage['mediaType'],
    name: row.name,
    data: row.content?.toString('base64') ?? ''
  }))
}

/** By id, after one of them, with all that belongs to each; without what is forgotten, in quotes of it too. */
export async function listMemories(
  hiding: Hiding,
  tx: Tx,
  ownerId: string,
  after: string | null,
  limit: number
): Promise<ArchivedMemory[]> {
  const rows = await tx
    .select()
    .from(memories)
    .where(
      and(
        eq(memories.ownerId, ownerId),
        isNull(memories.forgottenAt),
        after === null ? undefined : gt(memories.id, after)
      )
    )
    .orderBy(asc(memories.id))
    .limit(limit)
  const ids = rows.map(({ id }) => id)
  const [sources, history, dependencies] = [
    await hiding.sources(
      tx,
      ownerId,
      tx
        .select()
        .from(memorySources)
        .where(and(eq(memorySources.ownerId, ownerId), inArray(memorySources.memoryId, ids)))
        .orderBy(asc(memorySources.id))
    ),
    await tx
      .select()
      .from(memoryHistory)
      .where(and(eq(memoryHistory.ownerId, ownerId), inArray(memoryHistory.memoryId, ids)))
      .orderBy(asc(memoryHistory.id)),
    await tx
      .select()
      .from(memoryDependencies)
      .where(and(eq(memoryDependencies.ownerId, ownerId), inArray(memoryDependencies.memoryId, ids)))
  ]
  return rows.map((row) => ({
    id: row.id,
    text: row.text,
    category: row.category,
    sortedBy: row.sortedBy,
    tags: row.tags,
    subject: row.subject,
    slot: row.slot,
    importance: row.importance,
    importanceReason: row.importanceReason,
    strength: row.strength,
    proofCount: row.proofCount,
    pinned: row.pinned,
    status: row.status,
    validFrom: row.validFrom?.toISOString() ?? null,
    validTo: row.validTo?.toISOString() ?? null,
    supersededBy: row.supersededBy,
    closedAt: row.closedAt?.toISOString() ?? null,
    origin: row.origin,
    createdAt: row.createdAt.toISOString(),
    sources: sources
      .filter(({ memoryId }) => memoryId === row.id)
      .map(({ id, kind, messageId, reference, quote, quoteStart, saidBy, saidAt }) => ({
        id,
        kind,
        messageId,
        reference,
        quote,
        quoteStart,
        saidBy,
        saidAt: saidAt.toISOString()
      })),
    history: history
      .filter(({ memoryId }) => memoryId === row.id)
      .map(({ id, action, by, reason, before, after: became, batchId, createdAt, undoneAt }) => ({
        id,
        action,
        by,
        reason,
        before,
        after: became,
        batchId,
        createdAt: createdAt.toISOString(),
        undoneAt: undoneAt?.toISOString() ?? null
      })),
    dependsOn: dependencies.filter(({ memoryId }) => memoryId === row.id).map(({ dependsOn }) => dependsOn)
  }))
}

/** By id, after one of them. */
export async function listConflicts(
  tx: Tx,
  ownerId: string,
  after: string | null,
  limit: number
): Promise<ArchivedConflict[]> {
  const rows = await tx
    .select()
    .from(memoryConflicts)
    .where(
      and(eq(memoryConflicts.ownerId, ownerId), after === null ? undefined : gt(memoryConflicts.id, after))
    )
    .orderBy(asc(memoryConflicts.id))
    .limit(limit)
  return rows.map(({ id, memoryId, otherId, reason, createdAt, resolvedAt }) => ({
    id,
    memoryId,
    otherId,
    reason,
    createdAt: createdAt.toISOString(),
    resolvedAt: resolvedAt?.toISOString() ?? null
  }))
}
