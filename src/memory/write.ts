import { and, eq } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { reconcileKept } from './extraction/reconcile.ts'
import { lockMemories } from './extraction/reconcile-store.ts'
import { describeStatement } from './extraction/rules.ts'
import { record } from './history.ts'
import { approveProposal, confirmInference, findByText } from './review/review-store.ts'
import type { MemoryBody } from './schemas.ts'
import { changeMemory, keepMemory, type MemoryRow } from './store.ts'
import { memories } from './tables.ts'

/** What the owner writes down by hand matters more than what is picked up in passing. */
const OWNER_IMPORTANCE = 0.7

/** What a text is about, in words alone. */
export function describe(text: string, saidAt: Date) {
  return describeStatement(text, { saidAt, timeZone: 'UTC', known: [], standing: [] })
}

/** Keeps what the owner writes by hand: it holds from now on, also where PAI had only heard or inferred it. Answers its id. */
export async function write(tx: Tx, ownerId: string, body: MemoryBody, now: Date): Promise<string> {
  await lockMemories(tx, ownerId)
  const { text, category = 'note', importance = OWNER_IMPORTANCE, pinned = false } = body
  const known = await findByText(tx, ownerId, text)
  if (known?.status === 'proposed') await approveProposal(tx, ownerId, known.id, 'owner')
  if (known?.status === 'unconfirmed') await confirmInference(tx, ownerId, known.id, 'owner')
  if (known) await sort(tx, ownerId, known.id, body)
  const source = {
    kind: 'owner' as const,
    messageId: null,
    quote: text,
    quoteStart: null,
    saidBy: 'owner' as const,
    saidAt: now
  }
  const memory = { text, category, importance, pinned, origin: 'written' as const, ...describe(text, now) }
  const id = await keepMemory(tx, ownerId, memory, source)
  // A category that the owner gives teaches how the like is sorted, also on what is new.
  if (!known && body.category !== undefined) await changeMemory(tx, ownerId, id, { sortedBy: 'owner' })
  await reconcileKept(tx, ownerId, id, now, 'owner', now)
  return id
}

/** Gives a memory that is there already what the owner asks for, and leaves the rest as it is. */
async function sort(tx: Tx, ownerId: string, id: string, body: MemoryBody): Promise<void> {
  const { category, importance, pinned } = body
  const [current] = await tx
    .select()
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.id, id)))
  if (!current) return
  const asked: Partial<MemoryRow> = {
    ...(category !== undefined && { category, sortedBy: 'owner' }),
    ...(importance !== undefined && { importance }),
    ...(pinned !== undefined && { pinned })
  }
  // As the column keeps it.
  const kept = (value: unknown) => (typeof value === 'number' ? Math.fround(value) : value)
  const names = (Object.keys(asked) as (keyof MemoryRow)[]).filter(
    (name) => kept(asked[name]) !== kept(current[name])
  )
  if (names.length === 0) return
  const columns = (from: Partial<MemoryRow>) => Object.fromEntries(names.map((name) => [name, from[name]]))
  await changeMemory(tx, ownerId, id, columns(asked))
  await record(tx, ownerId, id, {
    action: 'edited',
    by: 'owner',
    before: columns(current),
    after: columns(asked)
  })
}
