import { and, desc, eq, inArray, isNull, ne, or, sql } from 'drizzle-orm'
import { conversationSummaries, memoryClusterMembers, memoryClusters } from '../consolidation/tables.ts'
import type { Tx } from '../db/client.ts'
import type { Queue } from '../jobs/queue.ts'
import { afterReopening, reaffirmDependants, releaseIfAlone } from './closing.ts'
import { MemoryNotFound, NothingToUndo } from './errors.ts'
import { isSummaryOf, type TakenDown } from './forgetting/forget.ts'
import { indexAnew } from './forgetting/redact-messages.ts'
import { record } from './history.ts'
import { memoryVectors } from './recall/tables.ts'
import { hashText, indexWords, type MemoryRow } from './store.ts'
import {
  type MemoryAction,
  type MemoryState,
  memories,
  memoryConflicts,
  memoryDependencies,
  memoryHistory,
  memorySources
} from './tables.ts'

const UNDOABLE: MemoryAction[] = [
  'edited',
  'merged',
  'refined',
  'superseded',
  'expired',
  'rejected',
  'forgotten'
]
/** What can only be undone as a whole, since one of them gave another what it has. */
const TOGETHER: MemoryAction[] = ['forgotten', 'merged', 'refined']
const DATES = new Set(['validFrom', 'validTo', 'closedAt', 'forgottenAt', 'purgeAt'])
/** Every column a change may have named; whatever else a history holds is not written back. */
const COLUMNS = new Set([
  ...DATES,
  'text',
  'category',
  'sortedBy',
  'tags',
  'subject',
  'slot',
  'importance',
  'importanceReason',
  'strength',
  'proofCount',
  'pinned',
  'status',
  'supersededBy'
])

/** Of a decided conflict the one that was not kept comes back, and with it what is to be decided. */
const LOST = and(eq(memoryHistory.action, 'resolved'), sql`${memoryHistory.after} ->> 'closedAt' IS NOT NULL`)

type HistoryRow = typeof memoryHistory.$inferSelect

/** Puts back what the latest change of a memory changed; of one that concerned several, all that it changed together. */
export async function undo(tx: Tx, queue: Queue, ownerId: string, id: string, now: Date): Promise<void> {
  const [memory] = await tx
    .select({ forgottenAt: memories.forgottenAt, purgeAt: memories.purgeAt })
    .from(memories)
    .where(isMemory(ownerId, id))
    .for('update')
  if (!memory) throw new MemoryNotFound(id)
  const [latest] = await tx
    .select()
    .from(memoryHistory)
    .where(
      and(
        eq(memoryHistory.ownerId, ownerId),
        eq(memoryHistory.memoryId, id),
        or(inArray(memoryHistory.action, UNDOABLE), LOST),
        isNull(memoryHistory.undoneAt)
      )
    )
    .orderBy(desc(memoryHistory.id))
    .limit(1)
  if (memory.purgeAt && memory.purgeAt <= now) throw new NothingToUndo(id)
  if (!latest?.before) throw new NothingToUndo(id)
  const entries = await findTogether(tx, ownerId, latest)
  for (const entry of entries) await putBack(tx, queue, ownerId, entry)
  // Only now: what comes back together may belong to one topic.
  for (const { before } of entries) {
    if (before?.taken) await putUp(tx, queue, ownerId, before.taken as TakenDown)
  }
  await tx
    .update(memoryHistory)
    .set({ undoneAt: now })
    .where(
      and(
        eq(memoryHistory.ownerId, ownerId),
        inArray(
          memoryHistory.id,
          entries.map((entry) => entry.id)
        )
      )
    )
}

/** A forgetting as a whole, and of a merge or a refinement the one that was kept with what it replaced. */
async function findTogether(tx: Tx, ownerId: string, latest: HistoryRow): Promise<HistoryRow[]> {
  const { action, batchId, memoryId, after } = latest
  if (!batchId || !TOGETHER.includes(action)) return [latest]
  const keptId = (after?.supersededBy as string | undefined) ?? memoryId
  return tx
    .select()
    .from(memoryHistory)
    .where(
      and(
        eq(memoryHistory.ownerId, ownerId),
        eq(memoryHistory.batchId, batchId),
        eq(memoryHistory.action, action),
        isNull(memoryHistory.undoneAt),
        action === 'forgotten'
          ? undefined
          : or(
              eq(memoryHistory.memoryId, keptId),
              sql`${memoryHistory.after} ->> 'supersededBy' = ${keptId}::text`
            )
      )
    )
    .orderBy(desc(memoryHistory.id))
}

async function putBack(tx: Tx, queue: Queue, ownerId: string, entry: HistoryRow): Promise<void> {
  const { memoryId, before, after } = entry
  const [row] = await tx.select().from(memories).where(isMemory(ownerId, memoryId)).for('update')
  if (!row || !before) return
  const columns = await toColumns(tx, ownerId, row, before, after ?? {})
  const text = columns.text === undefined ? {} : { textHash: hashText(columns.text) }
  await tx
    .update(memories)
    .set({ ...columns, ...text, updatedAt: sql`now()` })
    .where(isMemory(ownerId, memoryId))
  if (columns.text !== undefined) {
    await indexWords(tx, ownerId, memoryId, columns.text)
    await tx
      .delete(memoryVectors)
      .where(and(eq(memoryVectors.ownerId, ownerId), eq(memoryVectors.id, memoryId)))
    await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: [memoryId], messageIds: [] })
  }
  await takeBack(tx, ownerId, memoryId, after ?? {})
  const endedAt = after?.closedAt ?? after?.forgottenAt
  if ((columns.status ?? row.status) === 'conflicting' && typeof endedAt === 'string') {
    await afterReopening(tx, ownerId, memoryId, new Date(endedAt), 'owner')
  }
  if ('text' in before || 'status' in before) await reaffirmDependants(tx, ownerId, memoryId, 'owner')
  await record(tx, ownerId, memoryId, {
    action: 'restored',
    by: 'owner',
    before: Object.fromEntries(Object.keys(columns).map((name) => [name, row[name as keyof MemoryRow]])),
    after: columns
  })
}

/**
 * What it was, but for proofs that came since, which still count, and for what one that gained from others has been given
 * since: it is put back where it is as it was left.
 */
async function toColumns(
  tx: Tx,
  ownerId: string,
  row: MemoryRow,
  before: MemoryState,
  after: MemoryState
): Promise<Partial<MemoryRow>> {
  const isAsLeft = (name: string) =>
    JSON.stringify(row[name as keyof MemoryRow]) === JSON.stringify(after[name])
  const known = Object.entries(before).filter(
    ([name]) => COLUMNS.has(name) && (!('addedSources' in after) || isAsLeft(name))
  )
  const columns: Partial<MemoryRow> = Object.fromEntries(
    known.map(([name, value]) => [
      name,
      DATES.has(name) && typeof value === 'string' ? new Date(value) : value
    ])
  )
  if ('proofCount' in before) {
    columns.proofCount = row.proofCount - Number(after.proofCount) + Number(before.proofCount)
  }
  if (columns.supersededBy) {
    const [there] = await tx
      .select({ id: memories.id })
      .from(memories)
      .where(and(isMemory(ownerId, columns.supersededBy), ne(memories.id, row.id)))
    if (!there) columns.supersededBy = null
  }
  return columns
}

/** Removes what a merge or a refinement gave to the memory that was kept. */
async function takeBack(tx: Tx, ownerId: string, id: string, after: MemoryState): Promise<void> {
  const {
    addedSources = [],
    addedDependants = [],
    addedConflicts = []
  } = after as Record<string, string[] | undefined>
  await tx
    .delete(memorySources)
    .where(and(eq(memorySources.ownerId, ownerId), inArray(memorySources.id, addedSources)))
  await tx
    .delete(memoryDependencies)
    .where(
      and(
        eq(memoryDependencies.ownerId, ownerId),
        eq(memoryDependencies.dependsOn, id),
        inArray(memoryDependencies.memoryId, addedDependants)
      )
    )
  if (addedConflicts.length === 0) return
  await tx
    .delete(memoryConflicts)
    .where(and(eq(memoryConflicts.ownerId, ownerId), inArray(memoryConflicts.id, addedConflicts)))
  await releaseIfAlone(tx, ownerId, id, 'owner')
}

/** Puts up again what forgetting took down: topics, and messages to be found by their words. */
async function putUp(
  tx: Tx,
  queue: Queue,
  ownerId: string,
  { clusters, messageIds }: TakenDown
): Promise<void> {
  const there = await tx
    .select({ id: memories.id })
    .from(memories)
    .where(
      and(
        eq(memories.ownerId, ownerId),
        inArray(
          memories.id,
          clusters.map(({ memoryId }) => memoryId)
        ),
        isNull(memories.forgottenAt)
      )
    )
  const ids = there.map(({ id }) => id)
  for (const [clusterId, members] of Map.groupBy(clusters, ({ id }) => id)) {
    // What it is called may tell of one that was forgotten since.
    if (members.some(({ memoryId }) => !ids.includes(memoryId))) continue
    const { topic = '', whole = false } = members[0] ?? {}
    const cluster = { ownerId, id: clusterId, topic, size: 0 }
    if (whole) await tx.insert(memoryClusters).values(cluster).onConflictDoNothing()
    else if (!(await isCluster(tx, ownerId, clusterId))) continue
    const joined = await tx
      .insert(memoryClusterMembers)
      .values(members.map(({ memoryId }) => ({ ownerId, memoryId, clusterId })))
      .onConflictDoNothing()
      .returning({ clusterId: memoryClusterMembers.clusterId })
    // Consolidation may have put it elsewhere meanwhile.
    await tx
      .update(memoryClusters)
      .set({ size: sql`size + ${joined.length}` })
      .where(and(eq(memoryClusters.ownerId, ownerId), eq(memoryClusters.id, clusterId)))
  }
  await tx.delete(memoryClusters).where(and(eq(memoryClusters.ownerId, ownerId), eq(memoryClusters.size, 0)))
  // One that was made meanwhile lacks what is back.
  await tx
    .delete(conversationSummaries)
    .where(and(eq(conversationSummaries.ownerId, ownerId), isSummaryOf(tx, ownerId, messageIds)))
  const indexed = await indexAnew(tx, ownerId, messageIds)
  if (indexed.length > 0) {
    await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds: [], messageIds: indexed })
  }
}

async function isCluster(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const found = await tx
    .select({ id: memoryClusters.id })
    .from(memoryClusters)
    .where(and(eq(memoryClusters.ownerId, ownerId), eq(memoryClusters.id, id)))
  return found.length > 0
}

function isMemory(ownerId: string, id: string) {
  return and(eq(memories.ownerId, ownerId), eq(memories.id, id))
}
