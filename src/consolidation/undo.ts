import type { Tx } from '../db/client.ts'
import type { MemoryState } from '../memory/tables.ts'
import { restoreClusters } from './cluster-store.ts'
import type { MemoryCare } from './consolidate.ts'
import { ConsolidationRunning } from './errors.ts'
import {
  changeColumns,
  type HistoryRow,
  isSaidElsewhere,
  listBatch,
  lockMemories,
  type MemoryColumns,
  type MemoryRow,
  markHistoryUndone,
  removeDependants,
  removeMemory,
  removeSources
} from './memory-store.ts'
import { undoProfile } from './profile-store.ts'
import * as store from './store.ts'
import { undoSummaries } from './summary-store.ts'

/** Columns that one memory's merge raised: each is put back by itself, unless the owner has set it since. */
const RAISED = ['importance', 'strength', 'tags', 'pinned', 'validFrom'] as const

/** Puts back what one run changed, but for what was changed again since: that is left, and the report says so. */
export async function undoConsolidation(
  tx: Tx,
  memory: MemoryCare,
  ownerId: string,
  id: string
): Promise<store.ConsolidationRow> {
  const run = await store.lock(tx, ownerId, id)
  if (run.status === 'undone') return run
  if (run.status === 'running') throw new ConsolidationRunning()
  const entries = await listBatch(tx, ownerId, id)
  const rows = await lockMemories(tx, ownerId, [...new Set(entries.map(({ memoryId }) => memoryId))])
  const byId = new Map(rows.map((row) => [row.id, row]))
  const undone: string[] = []
  const left: string[] = []
  for (const entry of entries) {
    const row = byId.get(entry.memoryId)
    if (row && (await putBack(tx, memory, ownerId, entry, row))) undone.push(entry.id)
    else left.push(entry.memoryId)
  }
  await markHistoryUndone(tx, ownerId, undone)
  const { before, ...done } = run.report
  const profiled = run.report.steps.find(({ action }) => action === 'profiled')
  if (profiled) await undoProfile(tx, ownerId, profiled.memoryIds, before?.profileBuiltAt)
  await undoSummaries(tx, ownerId, run.startedAt, before?.summaries)
  // Made anew by a later run, topics have nothing to be put back by.
  if (before?.topics) await restoreClusters(tx, ownerId, before.topics)
  const report = { ...done, steps: [...run.report.steps, ...describe([...new Set(left)])] }
  return store.markUndone(tx, ownerId, id, report)
}

async function putBack(
  tx: Tx,
  memory: MemoryCare,
  ownerId: string,
  entry: HistoryRow,
  row: MemoryRow
): Promise<boolean> {
  const { before, after } = entry
  // Nothing was there before: a memory that nobody has touched since goes again.
  if (!before) {
    if (row.status !== 'unconfirmed' || !isAsIn(row, after ?? {})) return false
    await removeMemory(tx, ownerId, row.id)
    return true
  }
  const isWinner = after !== null && 'addedSources' in after
  const columns = isWinner ? raisedBack(row, before, after) : toColumns(before)
  if (!isWinner) {
    if (!isAsIn(row, after ?? {})) return false
    if (before.status === 'active' && (await isSaidElsewhere(tx, ownerId, row))) return false
  }
  const was = stateOf(row, columns)
  await changeColumns(tx, ownerId, row.id, columns)
  // It may have another entry in this batch.
  Object.assign(row, columns)
  if (before.status) await memory.reaffirmDependants(tx, ownerId, row.id, 'owner')
  if (isWinner) {
    await removeSources(tx, ownerId, after.addedSources as string[])
    await removeDependants(tx, ownerId, row.id, after.addedDependants as string[])
  }
  await memory.record(tx, ownerId, row.id, {
    action: 'restored',
    by: 'owner',
    reason: 'the owner undid a consolidation',
    before: was,
    after: columns
  })
  return true
}

/** Proofs that came since the merge stay counted. */
function raisedBack(row: MemoryRow, before: MemoryState, after: MemoryState): MemoryColumns {
  const was = toColumns(before)
  const proofCount = row.proofCount - (Number(after.proofCount) - Number(before.proofCount))
  const same = RAISED.filter((name) => isSame(row[name], after[name]))
  return { ...Object.fromEntries(same.map((name) => [name, was[name]])), proofCount }
}

function isAsIn(row: MemoryRow, state: MemoryState): boolean {
  return Object.entries(state).every(([name, value]) => isSame(row[name as keyof MemoryRow], value))
}

/** As JSON has them: dates are text there. */
function isSame(column: unknown, stored: unknown): boolean {
  return JSON.stringify(column) === JSON.stringify(stored)
}

const DATES = new Set(['validFrom', 'validTo', 'closedAt'])

function toColumns(state: MemoryState): MemoryColumns {
  return Object.fromEntries(
    Object.entries(state).map(([name, value]) => [
      name,
      DATES.has(name) && typeof value === 'string' ? new Date(value) : value
    ])
  )
}

function stateOf(row: MemoryRow, columns: MemoryColumns): MemoryState {
  return Object.fromEntries(Object.keys(columns).map((name) => [name, row[name as keyof MemoryRow]]))
}

function describe(left: string[]) {
  if (left.length === 0) return []
  const text = `${left.length === 1 ? 'A memory was' : `${left.length} memories were`} changed since, and left as found.`
  return [{ action: 'left' as const, text, memoryIds: left }]
}
