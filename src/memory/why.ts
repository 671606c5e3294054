import { and, asc, desc, eq, inArray, lt, or } from 'drizzle-orm'
import { conversations, messages } from '../chat/tables.ts'
import { allSettledOrThrow, type Tx } from '../db/client.ts'
import type { Cursor } from '../http/cursor.ts'
import type { Hiding } from './forgetting/hide-forgotten.ts'
import type { MemoryEvent, MemoryPurge, Why } from './rights-schemas.ts'
import { loadMemories, loadMemory } from './store.ts'
import {
  type MemoryAction,
  type MemoryState,
  memoryDependencies,
  memoryHistory,
  memoryPurges
} from './tables.ts'

const MOST = 200
/** The part of a message that is shown around a quote. */
const MESSAGE_CHARACTERS = 2_000
/** What a history keeps for undo alone. */
const INTERNAL = new Set(['taken', 'addedSources', 'addedDependants', 'addedConflicts', 'questionedFor'])

const DONE: Record<MemoryAction, string> = {
  created: 'It was first kept',
  proven: 'It was said again',
  refined: 'It was made more exact',
  superseded: 'Something newer took its place',
  conflicted: 'It was found to conflict with another memory',
  resolved: 'A conflict with another memory was settled',
  edited: 'It was corrected',
  merged: 'It was merged with what says the same',
  expired: 'Its time passed',
  questioned: 'It was marked as needing confirmation',
  confirmed: 'It was confirmed',
  approved: 'It was approved',
  rejected: 'It was turned down',
  forgotten: 'It was forgotten',
  restored: 'A change was undone'
}
const BY = { owner: 'by you', extraction: 'from what you said', consolidation: 'while PAI tidied up' }

/** Why PAI knows something: the words it came from, what it was derived from, and what has happened to it. */
export async function explain(tx: Tx, hiding: Hiding, ownerId: string, id: string): Promise<Why> {
  const memory = await loadMemory(tx, ownerId, id)
  const from = await tx
    .select({ id: memoryDependencies.dependsOn })
    .from(memoryDependencies)
    .where(and(eq(memoryDependencies.ownerId, ownerId), eq(memoryDependencies.memoryId, id)))
    .limit(MOST)
  const history = await tx
    .select()
    .from(memoryHistory)
    .where(and(eq(memoryHistory.ownerId, ownerId), eq(memoryHistory.memoryId, id)))
    .orderBy(asc(memoryHistory.id))
    .limit(MOST)
  return {
    memory,
    sources: await trace(tx, hiding, ownerId, memory.sources.slice(0, MOST)),
    derivedFrom: await loadMemories(
      tx,
      ownerId,
      from.map((row) => row.id)
    ),
    history: history.map((row) => ({ at: row.createdAt.toISOString(), text: describe(row) }))
  }
}

async function trace(
  tx: Tx,
  hiding: Hiding,
  ownerId: string,
  sources: Why['memory']['sources']
): Promise<Why['sources']> {
  const ids = sources.flatMap(({ messageId }) => messageId ?? [])
  const { id, conversationId, role, content } = messages
  const isOne = and(eq(messages.ownerId, ownerId), inArray(id, ids))
  const holding = tx.select({ conversationId }).from(messages).where(isOne)
  const both = [
    hiding.messages(
      tx,
      ownerId,
      tx.select({ id, conversationId, role, content }).from(messages).where(isOne)
    ),
    hiding.titles(
      tx,
      ownerId,
      tx
        .select()
        .from(conversations)
        .where(and(eq(conversations.ownerId, ownerId), inArray(conversations.id, holding)))
    )
  ] as const
  await allSettledOrThrow([...both])
  const [said, titled] = await Promise.all(both)
  const byId = new Map(said.map((message) => [message.id, message]))
  const titles = new Map(titled.map((row) => [row.id, row.title]))
  return sources.map((source) => {
    const message = byId.get(source.messageId ?? '')
    return {
      ...source,
      conversationTitle: titles.get(message?.conversationId ?? '') ?? null,
      message: message ? around(message.content, source.quoteStart ?? 0, source.quote.length) : null
    }
  })
}

function around(text: string, start: number, length: number): string {
  const from = Math.max(0, Math.min(start, start - (MESSAGE_CHARACTERS - length) / 2))
  return text.slice(Math.trunc(from), Math.trunc(from) + MESSAGE_CHARACTERS).toWellFormed()
}

/** Newest first, one more than `limit`. */
export async function listHistory(
  tx: Tx,
  ownerId: string,
  memoryId: string,
  limit: number,
  after?: Cursor
): Promise<MemoryEvent[]> {
  await loadMemory(tx, ownerId, memoryId)
  const { createdAt, id } = memoryHistory
  const rows = await tx
    .select()
    .from(memoryHistory)
    .where(
      and(
        eq(memoryHistory.ownerId, ownerId),
        eq(memoryHistory.memoryId, memoryId),
        after && or(lt(createdAt, after.at), and(eq(createdAt, after.at), lt(id, after.id)))
      )
    )
    .orderBy(desc(createdAt), desc(id))
    .limit(limit + 1)
  return rows.map((row) => ({
    id: row.id,
    action: row.action,
    by: row.by,
    text: describe(row),
    reason: row.reason,
    before: visible(row.before),
    after: visible(row.after),
    at: row.createdAt.toISOString(),
    undoneAt: row.undoneAt?.toISOString() ?? null
  }))
}

function visible(state: MemoryState | null): MemoryState | null {
  return state && Object.fromEntries(Object.entries(state).filter(([name]) => !INTERNAL.has(name)))
}

function describe({
  action,
  by,
  reason,
  before,
  after
}: Pick<typeof memoryHistory.$inferSelect, 'action' | 'by' | 'reason' | 'before' | 'after'>): string {
  const words = typeof before?.text === 'string' && action === 'edited' ? `: it said “${before.text}”` : ''
  const others = action === 'edited' && !words ? changed(before, after) : ''
  return `${DONE[action]} ${BY[by]}${words}${others}${reason ? `: ${reason}` : ''}.`
}

function changed(before: MemoryState | null, after: MemoryState | null): string {
  const names = Object.keys(after ?? before ?? {}).filter((name) => name !== 'sortedBy')
  return names.length > 0 ? ` (${names.join(', ')})` : ''
}

/** What was forgotten, latest first, one more than `limit`: that it was, and the proof. */
export async function listPurges(
  tx: Tx,
  ownerId: string,
  limit: number,
  after?: Cursor
): Promise<MemoryPurge[]> {
  const { purgedAt, id } = memoryPurges
  const rows = await tx
    .select()
    .from(memoryPurges)
    .where(
      and(
        eq(memoryPurges.ownerId, ownerId),
        after && or(lt(purgedAt, after.at), and(eq(purgedAt, after.at), lt(id, after.id)))
      )
    )
    .orderBy(desc(purgedAt), desc(id))
    .limit(limit + 1)
  return rows.map((row) => ({
    id: row.id,
    purgedAt: row.purgedAt.toISOString(),
    checked: Object.entries(row.checked)
      .map(([place, counts]) => ({ place, ...counts }))
      .sort((a, b) => (a.place < b.place ? -1 : 1))
  }))
}
