import { createHash } from 'node:crypto'
import { and, desc, eq, getTableColumns, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { messages } from '../chat/tables.ts'
import { memoryClusterMembers } from '../consolidation/tables.ts'
import type { Tx } from '../db/client.ts'
import type { Cursor } from '../http/cursor.ts'
import { weighTerms } from '../search/bm25.ts'
import { MemoryNotFound } from './errors.ts'
import { hideInSources } from './forgetting/hide-in-messages.ts'
import { type Change, record } from './history.ts'
import { nameTerms } from './recall/entities.ts'
import { memoryTerms, memoryVectors } from './recall/tables.ts'
import type { Memory, MemorySource } from './schemas.ts'
import { memories, memorySources } from './tables.ts'

/** How much a memory's strength rises when it is said again, and how far. */
const PROOF_STRENGTH = 0.25
const MAX_STRENGTH = 3
/** About how many terms a memory has. */
const PIVOT_LENGTH = 10

export type MemoryRow = typeof memories.$inferSelect

export interface NewMemory {
  text: string
  category: string
  importance: number
  importanceReason?: string | null
  pinned?: boolean
  tags?: string[]
  subject?: string | null
  slot?: string | null
  validFrom?: Date | null
  validTo?: Date | null
  /** 'proposed' for what the owner has not said: it waits for approval. */
  status?: 'active' | 'proposed'
  origin?: MemoryRow['origin']
}

export interface NewSource {
  kind: 'message' | 'owner' | 'web' | 'document' | 'tool' | 'import'
  messageId: string | null
  /** What it is called elsewhere: an address, a file's name. */
  reference?: string | null
  quote: string
  quoteStart: number | null
  saidBy: 'owner' | 'assistant' | 'other'
  saidAt: Date
}

/** The same fact in other clothes has the same hash: case, spacing and closing punctuation do not count. */
export function hashText(text: string): Buffer {
  // NFKC makes three dots of an ellipsis.
  const plain = text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
  let end = plain.length
  while (end > 0 && ' .!'.includes(plain.charAt(end - 1))) end--
  // Of "..." nothing would be left, and "!!!" would be the same.
  return createHash('sha256')
    .update(plain.slice(0, end || undefined))
    .digest()
}

/**
 * Keeps a fact with its source, searchable by its words at once. A fact that is there already gains the source and a
 * proof instead, once for each message. Answers its id.
 */
export async function keepMemory(
  tx: Tx,
  ownerId: string,
  memory: NewMemory,
  source: NewSource
): Promise<string> {
  const [kept] = await tx
    .insert(memories)
    .values({ status: 'active', ...memory, ownerId, id: uuidv7(), textHash: hashText(memory.text) })
    .onConflictDoUpdate({
      target: [memories.ownerId, memories.textHash],
      targetWhere: sql`forgotten_at IS NULL AND status IN ('active', 'conflicting', 'proposed', 'unconfirmed')`,
      set: { updatedAt: sql`now()` }
    })
    // PostgreSQL leaves xmax at zero on a row it inserts, not on one it updates.
    .returning({ id: memories.id, isNew: sql<boolean>`xmax = 0` })
  const { id, isNew } = kept as { id: string; isNew: boolean }
  const isTold = await addSource(tx, ownerId, id, source)
  const by = source.kind === 'owner' ? 'owner' : 'extraction'
  if (isNew) {
    await indexWords(tx, ownerId, id, memory.text)
    const { text, category, status = 'active' } = memory
    await record(tx, ownerId, id, { action: 'created', by, before: null, after: { text, category, status } })
  } else if (isTold) {
    await addProof(tx, ownerId, id, by)
  }
  return id
}

/** A memory that is said once more is surer and fades less. */
async function addProof(tx: Tx, ownerId: string, id: string, by: Change['by']): Promise<void> {
  const [proven] = await tx
    .update(memories)
    .set({
      proofCount: sql`${memories.proofCount} + 1`,
      strength: sql`least(${memories.strength} + ${PROOF_STRENGTH}::real, greatest(${memories.strength}, ${MAX_STRENGTH}::real))`,
      updatedAt: sql`now()`
    })
    .where(isRemembered(ownerId, id))
    .returning({ proofCount: memories.proofCount })
  if (!proven) return
  const { proofCount } = proven
  await record(tx, ownerId, id, {
    action: 'proven',
    by,
    before: { proofCount: proofCount - 1 },
    after: { proofCount }
  })
}

/** Adds one more source to a memory that says the same in other words; a proof, once for each message. */
export async function proveMemory(tx: Tx, ownerId: string, id: string, source: NewSource): Promise<void> {
  if (await addSource(tx, ownerId, id, source)) {
    await addProof(tx, ownerId, id, source.kind === 'owner' ? 'owner' : 'extraction')
  }
}

/** Once for each message, and once for the owner's hand. False: it was there. */
async function addSource(tx: Tx, ownerId: string, memoryId: string, source: NewSource): Promise<boolean> {
  // Without a message the index does not tell one from another. Whoever gets here has locked the memory.
  if (source.kind === 'owner') {
    const isOwners = and(
      eq(memorySources.ownerId, ownerId),
      eq(memorySources.memoryId, memoryId),
      eq(memorySources.kind, 'owner')
    )
    const [known] = await tx.select({ id: memorySources.id }).from(memorySources).where(isOwners).limit(1)
    if (known) return false
  }
  const told = await tx
    .insert(memorySources)
    .values({ ...source, ownerId, id: uuidv7(), memoryId })
    .onConflictDoNothing()
    .returning({ id: memorySources.id })
  return told.length > 0
}

/** Replaces the words a memory is found by. */
export async function indexWords(tx: Tx, ownerId: string, id: string, text: string): Promise<void> {
  await tx.delete(memoryTerms).where(and(eq(memoryTerms.ownerId, ownerId), eq(memoryTerms.id, id)))
  await tx
    .insert(memoryTerms)
    .values(
      [
        ...weighTerms([{ text, share: 1 }], PIVOT_LENGTH),
        ...nameTerms(text).map((term) => ({ term, weight: 1 }))
      ].map((weighed) => ({ ...weighed, ownerId, id }))
    )
}

export type MemoryChange = Partial<NewMemory & Pick<MemoryRow, 'sortedBy'>>

export async function changeMemory(tx: Tx, ownerId: string, id: string, change: MemoryChange): Promise<void> {
  const text = change.text === undefined ? {} : { textHash: hashText(change.text) }
  const changed = await tx
    .update(memories)
    .set({ ...change, ...text, updatedAt: sql`now()` })
    .where(isRemembered(ownerId, id))
    .returning({ id: memories.id })
  if (changed.length === 0) throw new MemoryNotFound(id)
  if (change.text === undefined) return
  await indexWords(tx, ownerId, id, change.text)
  // The old words' vector must not find it any more; the new one follows.
  await tx.delete(memoryVectors).where(and(eq(memoryVectors.ownerId, ownerId), eq(memoryVectors.id, id)))
}

export async function loadMemory(tx: Tx, ownerId: string, id: string): Promise<Memory> {
  const [memory] = await loadMemories(tx, ownerId, [id])
  if (!memory) throw new MemoryNotFound(id)
  return memory
}

/** These memories with their sources, in the order asked for; the forgotten ones are left out. */
export async function loadMemories(tx: Tx, ownerId: string, ids: string[]): Promise<Memory[]> {
  if (ids.length === 0) return []
  const rows = await tx
    .select()
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), inArray(memories.id, ids), isNull(memories.forgottenAt)))
  const byId = new Map((await withSources(tx, ownerId, rows)).map((memory) => [memory.id, memory]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** Newest first, one more than `limit`; of one status or one topic where they are given. */
export async function listMemories(
  tx: Tx,
  ownerId: string,
  limit: number,
  after?: Cursor,
  { status, clusterId }: { status?: MemoryRow['status']; clusterId?: string } = {}
): Promise<Memory[]> {
  const { createdAt, id } = memories
  const isAfter = after && or(lt(createdAt, after.at), and(eq(createdAt, after.at), lt(id, after.id)))
  const rows = await tx
    .select()
    .from(memories)
    .where(
      and(
        eq(memories.ownerId, ownerId),
        isNull(memories.forgottenAt),
        status && eq(memories.status, status),
        clusterId === undefined ? undefined : isInCluster(ownerId, clusterId),
        isAfter
      )
    )
    .orderBy(desc(createdAt), desc(id))
    .limit(limit + 1)
  return withSources(tx, ownerId, rows)
}

async function withSources(tx: Tx, ownerId: string, rows: MemoryRow[]): Promise<Memory[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ id }) => id)
  const told = tx
    .select({ ...getTableColumns(memorySources), conversationId: messages.conversationId })
    .from(memorySources)
    .leftJoin(messages, and(eq(messages.ownerId, ownerId), eq(messages.id, memorySources.messageId)))
    .where(and(eq(memorySources.ownerId, ownerId), inArray(memorySources.memoryId, ids)))
    .orderBy(memorySources.saidAt, memorySources.id)
  const sources = await hideInSources(tx, ownerId, told)
  const byMemory = Map.groupBy(sources, ({ memoryId }) => memoryId)
  return rows.map((row) => toMemory(row, (byMemory.get(row.id) ?? []).map(toSource)))
}

function toSource(row: typeof memorySources.$inferSelect & { conversationId: string | null }): MemorySource {
  const { kind, messageId, reference, conversationId, quote, quoteStart, saidBy, saidAt } = row
  return {
    kind,
    messageId,
    reference,
    conversationId,
    quote,
    quoteStart,
    saidBy,
    saidAt: saidAt.toISOString()
  }
}

function toMemory(row: MemoryRow, sources: MemorySource[]): Memory {
  const { id, text, category, tags, importance, strength, pinned, status, supersededBy } = row
  return {
    id,
    text,
    category,
    tags,
    importance,
    strength,
    pinned,
    status,
    validFrom: row.validFrom?.toISOString() ?? null,
    validTo: row.validTo?.toISOString() ?? null,
    supersededBy,
    sources,
    createdAt: row.createdAt.toISOString()
  }
}

function isInCluster(ownerId: string, clusterId: string) {
  return sql`EXISTS (SELECT FROM ${memoryClusterMembers} WHERE ${memoryClusterMembers.ownerId} = ${ownerId}
    AND ${memoryClusterMembers.clusterId} = ${clusterId} AND ${memoryClusterMembers.memoryId} = ${memories.id})`
}

function isRemembered(ownerId: string, id: string) {
  return and(eq(memories.ownerId, ownerId), eq(memories.id, id), isNull(memories.forgottenAt))
}
