import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { attachments, conversations, imports, messages } from '../chat/tables.ts'
import { profiles } from '../consolidation/tables.ts'
import type { Tx } from '../db/client.ts'
import {
  type MemoryAction,
  type MemoryState,
  memories,
  memoryConflicts,
  memoryDependencies,
  memoryHistory,
  memorySources
} from '../memory/tables.ts'
import type { ArchivedConversation, ArchivedMemory, ArchivedMessage } from './schemas.ts'
import type { Joins } from './split.ts'

/** Rows of ten parameters each; PostgreSQL takes 65,535 in a statement. */
const ROWS_AT_ONCE = 5_000

export interface Stored {
  isNew: boolean
  /** The messages that were not there before. */
  messages: ArchivedMessage[]
  importId: string | null
}

/** Stores what of a conversation is not there yet, to be made searchable by an import job. */
export async function storeConversation(
  tx: Tx,
  ownerId: string,
  { messages: said, ...head }: ArchivedConversation,
  extracted: boolean
): Promise<Stored> {
  const { id, title, titledBy = 'owner', memoryPaused, archivedAt = null, createdAt, updatedAt } = head
  const added = await tx
    .insert(conversations)
    .values({
      ownerId,
      id,
      title,
      titledBy: title === '' ? 'words' : titledBy,
      memoryPaused,
      archivedAt: toDate(archivedAt),
      createdAt: new Date(createdAt),
      updatedAt: new Date(updatedAt)
    })
    .onConflictDoNothing()
    .returning({ id: conversations.id })
  // Locked, so that nobody else takes the numbers.
  const [conversation] = await tx
    .select({ next: conversations.nextSequence })
    .from(conversations)
    .where(and(eq(conversations.ownerId, ownerId), eq(conversations.id, id)))
    .for('update')
  // Parents may have come with an earlier part.
  const ids = [...new Set(said.flatMap((message) => [message.id, message.parentId ?? message.id]))]
  const there = new Set<string>()
  const rooted = new Set<string>()
  for (let start = 0; start < ids.length; start += ROWS_AT_ONCE) {
    const rows = await tx
      .select({ id: messages.id, conversationId: messages.conversationId })
      .from(messages)
      .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, ids.slice(start, start + ROWS_AT_ONCE))))
    for (const row of rows) {
      there.add(row.id)
      if (row.conversationId === id) rooted.add(row.id)
    }
  }
  const missing: ArchivedMessage[] = []
  for (const message of said) {
    if (there.has(message.id)) continue
    // A parent that is nowhere leaves the message at the beginning.
    const isRooted = message.parentId !== null && rooted.has(message.parentId)
    missing.push({ ...message, parentId: isRooted ? message.parentId : null })
    there.add(message.id)
    rooted.add(message.id)
  }
  const first = conversation?.next ?? 1
  for (let start = 0; start < missing.length; start += ROWS_AT_ONCE) {
    await tx.insert(messages).values(
      missing.slice(start, start + ROWS_AT_ONCE).map(({ attachments: _, ...message }, offset) => ({
        ...message,
        ownerId,
        conversationId: id,
        sequence: first + start + offset,
        extractedAt: extracted ? sql`now()` : null,
        createdAt: new Date(message.createdAt)
      }))
    )
  }
  await storeImages(tx, ownerId, missing)
  if (missing.length === 0) return { isNew: added.length > 0, messages: [], importId: null }
  const total = first - 1 + missing.length
  await tx
    .update(conversations)
    .set({ nextSequence: total + 1 })
    .where(and(eq(conversations.ownerId, ownerId), eq(conversations.id, id)))
  const importId = uuidv7()
  await tx.insert(imports).values({ ownerId, id: importId, conversationId: id, total, done: first - 1 })
  return { isNew: added.length > 0, messages: missing, importId }
}

async function storeImages(tx: Tx, ownerId: string, said: ArchivedMessage[]): Promise<void> {
  for (const { id: messageId, attachments: images = [] } of said) {
    for (const { data, ...image } of images) {
      const content = Buffer.from(data, 'base64')
      await tx
        .insert(attachments)
        .values({ ...image, ownerId, messageId, content, size: content.length })
        .onConflictDoNothing()
    }
  }
}

export interface MemoryWords {
  hashText: (text: string) => Buffer
  indexWords: (tx: Tx, ownerId: string, id: string, text: string) => Promise<void>
}

/** Stores memories that are not there yet, by their ids or their words. Answers their ids. */
export async function storeMemories(
  tx: Tx,
  ownerId: string,
  archived: ArchivedMemory[],
  { hashText, indexWords }: MemoryWords
): Promise<string[]> {
  const kept: string[] = []
  for (const { sources, history, dependsOn: _, supersededBy: __, ...memory } of archived) {
    const { id, text, validFrom, validTo, closedAt, createdAt } = memory
    const added = await tx
      .insert(memories)
      .values({
        ...memory,
        ownerId,
        textHash: hashText(text),
        validFrom: toDate(validFrom),
        validTo: toDate(validTo),
        closedAt: toDate(closedAt),
        createdAt: new Date(createdAt)
      })
      .onConflictDoNothing()
      .returning({ id: memories.id })
    if (added.length === 0) continue
    kept.push(id)
    await indexWords(tx, ownerId, id, text)
    for (const { saidAt, messageId, ...source } of sources) {
      const [message] = await tx
        .select({ id: messages.id })
        .from(messages)
        .where(and(eq(messages.ownerId, ownerId), messageId ? eq(messages.id, messageId) : sql`false`))
      await tx
        .insert(memorySources)
        .values({
          ...source,
          ownerId,
          memoryId: id,
          messageId: message?.id ?? null,
          saidAt: new Date(saidAt)
        })
        .onConflictDoNothing()
    }
    for (const entry of history) {
      await tx
        .insert(memoryHistory)
        .values({
          ...entry,
          ownerId,
          memoryId: id,
          action: entry.action as MemoryAction,
          before: entry.before as MemoryState | null,
          after: entry.after as MemoryState | null,
          createdAt: new Date(entry.createdAt),
          undoneAt: toDate(entry.undoneAt)
        })
        .onConflictDoNothing()
    }
  }
  return kept
}

/** Joins memories to each other, once all of them are there; what points at nothing is left out. */
export async function joinMemories(
  tx: Tx,
  ownerId: string,
  { memories: archived, conflicts, profile }: Joins,
  kept: Set<string>
): Promise<void> {
  const isThere = async (id: string) =>
    (
      await tx
        .select({ id: memories.id })
        .from(memories)
        .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt)))
    ).length > 0
  for (const { id, supersededBy, dependsOn } of archived.filter((memory) => kept.has(memory.id))) {
    if (supersededBy && (await isThere(supersededBy))) {
      await tx
        .update(memories)
        .set({ supersededBy })
        .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id)))
    }
    for (const other of dependsOn) {
      if (other === id || !(await isThere(other))) continue
      await tx
        .insert(memoryDependencies)
        .values({ ownerId, memoryId: id, dependsOn: other })
        .onConflictDoNothing()
    }
  }
  for (const { createdAt, resolvedAt, ...conflict } of conflicts) {
    if (!kept.has(conflict.memoryId) && !kept.has(conflict.otherId)) continue
    if (!(await isThere(conflict.memoryId)) || !(await isThere(conflict.otherId))) continue
    await tx
      .insert(memoryConflicts)
      .values({ ...conflict, ownerId, createdAt: new Date(createdAt), resolvedAt: toDate(resolvedAt) })
      .onConflictDoNothing()
  }
  if (!profile) return
  await tx
    .insert(profiles)
    .values({ ownerId, text: profile.text, memoryIds: profile.memoryIds, builtAt: new Date(profile.builtAt) })
    .onConflictDoNothing()
}

function toDate(instant: string | null): Date | null {
  return instant === null ? null : new Date(instant)
}
