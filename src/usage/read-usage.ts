import type { Database } from '../db/client.ts'
import { CursorInvalid } from '../http/errors.ts'
import { PAGE_LIMIT } from '../http/schemas.ts'
import { type Budgets, nextMonthOf } from './budgets.ts'
import { UsageRangeInvalid } from './errors.ts'
import type { Ledger } from './ledger.ts'
import { NANOS } from './prices.ts'
import type { Usage, UsageQuery } from './schemas.ts'
import { groupUsage, sumUsage, type UsageRange } from './store.ts'

const DAY_MS = 24 * 60 * 60_000
const KEPT_DAYS = 400

export type ReadUsage = (ownerId: string, query: UsageQuery) => Promise<Usage>

export function createReadUsage({
  database,
  ledger,
  budgets,
  limitNanos,
  now
}: {
  database: Database
  ledger: Pick<Ledger, 'flush'>
  budgets: Pick<Budgets, 'read'>
  limitNanos: number | null
  now: () => Date
}): ReadUsage {
  return async function readUsage(ownerId, query) {
    const { groupBy = 'day', limit = PAGE_LIMIT, cursor } = query
    const range = toRange(query, now())
    const after = cursor === undefined ? undefined : decodeKey(groupBy, cursor)
    // What this process has just spent is in the answer.
    await ledger.flush()
    const [totals, rows] = await database.readInOwner(ownerId, async (tx) => [
      await sumUsage(tx, ownerId, range),
      await groupUsage(tx, ownerId, range, groupBy, limit, after)
    ])
    const { month, spentNanos, budgetNanos } = await budgets.read(ownerId)
    const last = rows[limit - 1]
    return {
      from: range.from.toISOString(),
      to: range.to.toISOString(),
      groupBy,
      totals,
      items: rows.slice(0, limit).map(({ key, ...sums }) => ({ key: key || null, ...sums })),
      nextCursor: rows.length > limit && last ? encodeKey(groupBy, last.key) : null,
      budget: {
        month,
        endsAt: `${nextMonthOf(now())}T00:00:00.000Z`,
        spentUsd: spentNanos / NANOS,
        limitUsd: toDollars(budgetNanos),
        leftUsd: budgetNanos === null ? null : Math.max(0, budgetNanos - spentNanos) / NANOS,
        deploymentLimitUsd: toDollars(limitNanos)
      }
    }
  }
}

/** This month, where nothing else is asked for. */
function toRange(query: UsageQuery, at: Date): UsageRange {
  const to = query.to === undefined ? new Date(`${nextMonthOf(at)}T00:00:00Z`) : new Date(query.to)
  const lastMoment = new Date(to.getTime() - 1)
  const from =
    query.from === undefined
      ? new Date(Date.UTC(lastMoment.getUTCFullYear(), lastMoment.getUTCMonth(), 1))
      : new Date(query.from)
  const length = to.getTime() - from.getTime()
  if (!(length > 0 && length <= KEPT_DAYS * DAY_MS)) throw new UsageRangeInvalid()
  return { from, to }
}

function toDollars(nanos: number | null): number | null {
  return nanos === null ? null : nanos / NANOS
}

/** A place in one grouping is none in another. */
function encodeKey(groupBy: string, key: string): string {
  return Buffer.from(`${groupBy} ${key}`).toString('base64url')
}

function decodeKey(groupBy: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString()
  const key = text.slice(groupBy.length + 1)
  if (encodeKey(groupBy, key) !== cursor || key.includes('\0')) throw new CursorInvalid()
  return key
}
