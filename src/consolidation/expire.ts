import type { Tx } from '../db/client.ts'
import type { ConsolidateDeps, MemoryCare, Run } from './consolidate.ts'
import { changeColumns, listOpenPlans, lockMemories, lockPassed, type MemoryRow } from './memory-store.ts'
import { lastDayNamed } from './named-days.ts'
import type { ConsolidationStep } from './schemas.ts'

const BATCH = 200
const MAX_BATCHES = 25
/** By now a day is over everywhere on earth: its end in UTC, and half a day for the zones behind it. */
const DAY_IS_OVER_MS = 36 * 3_600_000
const DAY_MS = 24 * 3_600_000

/** Marks what no longer holds: memories past their end, and plans whose day has gone by. */
export async function expire({ memory }: ConsolidateDeps, run: Run): Promise<void> {
  await expirePassed(memory, run)
  await expirePlans(memory, run)
}

async function expirePassed(memory: MemoryCare, run: Run): Promise<void> {
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    run.signal.throwIfAborted()
    let found = 0
    await run.write(async (tx) => {
      const rows = await lockPassed(tx, run.ownerId, run.now, BATCH)
      found = rows.length
      for (const row of rows) await close(tx, memory, run, row, row.validTo, 'its time is over')
      return report(rows, 'past their end')
    })
    if (found < BATCH) return
  }
}

async function expirePlans(memory: MemoryCare, run: Run): Promise<void> {
  let plans: MemoryRow[] = []
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    run.signal.throwIfAborted()
    const after = plans.at(-1)?.id ?? null
    plans = await run.read((tx) => listOpenPlans(tx, run.ownerId, after, BATCH))
    const passed = new Map(plans.flatMap(({ id, text }) => isOver(text, run.now, id)))
    if (passed.size > 0) {
      await run.write(async (tx) => {
        const rows = await lockMemories(tx, run.ownerId, [...passed.keys()])
        const open = rows.filter(
          ({ status, validTo, pinned, text }) =>
            status === 'active' && validTo === null && !pinned && lastDayNamed(text) !== null
        )
        for (const row of open) {
          await close(tx, memory, run, row, passed.get(row.id) ?? null, 'the day it names has passed')
        }
        return report(open, 'planned for a day that has passed')
      })
    }
    if (plans.length < BATCH) return
  }
}

/** The plan's id and its end, when the last day that it names has passed. */
function isOver(text: string, now: Date, id: string): [string, Date][] {
  const day = lastDayNamed(text)
  if (!day || now.getTime() < day.getTime() + DAY_IS_OVER_MS) return []
  return [[id, new Date(day.getTime() + DAY_MS)]]
}

async function close(
  tx: Tx,
  memory: MemoryCare,
  { ownerId, id: batchId, now }: Run,
  row: MemoryRow,
  validTo: Date | null,
  reason: string
): Promise<void> {
  const { id, status, closedAt } = row
  const after = { status: 'expired' as const, validTo, closedAt: closedAt ?? now }
  await changeColumns(tx, ownerId, id, after)
  await memory.record(tx, ownerId, id, {
    action: 'expired',
    by: 'consolidation',
    reason,
    before: { status, validTo: row.validTo, closedAt },
    after,
    batchId
  })
  await memory.afterClosing(tx, ownerId, id, 'consolidation', now)
}

function report(rows: MemoryRow[], why: string): ConsolidationStep[] {
  if (rows.length === 0) return []
  const text = `${rows.length === 1 ? 'A memory was' : `${rows.length} memories were`} ${why}, and no longer count as true now.`
  return [{ action: 'expired', text, memoryIds: rows.map(({ id }) => id) }]
}
