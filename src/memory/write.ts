import type { Tx } from '../db/client.ts'
import { reconcileKept } from './extraction/reconcile.ts'
import { lockMemories } from './extraction/reconcile-store.ts'
import { describeStatement } from './extraction/rules.ts'
import { record } from './history.ts'
import { approveProposal, confirmInference, findByText } from './review/review-store.ts'
import type { MemoryBody } from './schemas.ts'
import { changeMemory, keepMemory, loadMemory } from './store.ts'

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
  await reconcileKept(tx, ownerId, id, now, 'owner', now)
  return id
}

/** Gives a memory that is there already what the owner asks for, and leaves the rest as it is. */
async function sort(tx: Tx, ownerId: string, id: string, body: MemoryBody): Promise<void> {
  const { category, importance, pinned } = body
  const current = await loadMemory(tx, ownerId, id)
  const wanted = {
    ...(category === undefined || category === current.category
      ? {}
      : { category, sortedBy: 'owner' as const }),
    ...(importance === undefined || Math.fround(importance) === Math.fround(current.importance)
      ? {}
      : { importance }),
    ...(pinned === undefined || pinned === current.pinned ? {} : { pinned })
  }
  const names = Object.keys(wanted)
  if (names.length === 0) return
  await changeMemory(tx, ownerId, id, wanted)
  const { sortedBy: _, ...after } = wanted as Record<string, unknown>
  const before = Object.fromEntries(
    Object.keys(after).map((name) => [name, current[name as keyof typeof current]])
  )
  await record(tx, ownerId, id, { action: 'edited', by: 'owner', before, after })
}
