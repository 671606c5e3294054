import type { Database } from '../db/client.ts'
import { readStanding } from './store.ts'

/** How an owner stands in a month, as the database has it. */
export interface Standing {
  /** Its first day, in UTC. */
  month: string
  spentNanos: number
  /** The owner's own limit, or the deployment's where that is lower; null: none. */
  budgetNanos: number | null
}

/** What other processes have spent is known after this long. */
const FRESH_MS = 5_000
const MAX_REMEMBERED = 10_000

export type Budgets = ReturnType<typeof createBudgets>

/**
 * What owners may still spend. Looked up before every paid call, so it is remembered for some seconds: processes that work
 * for one owner at once may together overshoot by what they spend in that time, and by the calls under way.
 */
export function createBudgets({
  database,
  limitNanos,
  mayCost,
  now
}: {
  database: Pick<Database, 'readInOwner'>
  /** The deployment's, for each owner; null: none. */
  limitNanos: number | null
  /** Whether any model of this deployment costs something. */
  mayCost: boolean
  now: () => Date
}) {
  const remembered = new Map<string, { standing: Standing; until: number }>()
  const underWay = new Map<string, Promise<Standing>>()
  /** What this process has spent and not stored yet. */
  const unstored = new Map<string, number>()

  function remember(
    ownerId: string,
    { ownNanos, ...read }: Awaited<ReturnType<typeof readStanding>>
  ): Standing {
    const limits = [ownNanos, limitNanos].filter((limit) => limit !== null)
    const standing = { ...read, budgetNanos: limits.length > 0 ? Math.min(...limits) : null }
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(ownerId, { standing, until: now().getTime() + FRESH_MS })
    return standing
  }

  /** Asked by many at once, it is read once. */
  function read(ownerId: string): Promise<Standing> {
    const reading =
      underWay.get(ownerId) ??
      database
        .readInOwner(ownerId, (tx) => readStanding(tx, ownerId, monthOf(now())))
        .then((standing) => remember(ownerId, standing))
        .finally(() => underWay.delete(ownerId))
    underWay.set(ownerId, reading)
    return reading
  }

  function stand(ownerId: string): Standing | Promise<Standing> {
    const known = remembered.get(ownerId)
    const isFresh = known && known.until > now().getTime() && known.standing.month === monthOf(now())
    return isFresh ? known.standing : read(ownerId)
  }

  function isSpent(ownerId: string, { spentNanos, budgetNanos }: Standing): boolean {
    return budgetNanos !== null && spentNanos + (unstored.get(ownerId) ?? 0) >= budgetNanos
  }

  return {
    /** Reads ahead how an owner stands, while other work is done. */
    expect(ownerId: string): void {
      if (mayCost) Promise.resolve(stand(ownerId)).catch(() => {})
    },
    /** As far as is remembered; what is being stored at this moment may count twice. */
    async seemsSpent(ownerId: string): Promise<boolean> {
      return isSpent(ownerId, await stand(ownerId))
    },
    async isSpent(ownerId: string): Promise<boolean> {
      return isSpent(ownerId, await read(ownerId))
    },
    forget(ownerId: string): void {
      remembered.delete(ownerId)
    },
    read,
    remember,
    addUnstored(ownerId: string, nanos: number): void {
      const sum = (unstored.get(ownerId) ?? 0) + nanos
      if (sum === 0) unstored.delete(ownerId)
      else unstored.set(ownerId, sum)
    }
  }
}

/** The first day of a moment's month, in UTC. */
export function monthOf(moment: Date): string {
  return `${moment.toISOString().slice(0, 7)}-01`
}

export function nextMonthOf(moment: Date): string {
  return monthOf(new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() + 1, 1)))
}
