import { v7 as uuidv7 } from 'uuid'
import type { Database, Tx } from '../db/client.ts'
import { OwnerGone } from '../db/errors.ts'
import type { Usage } from '../llm/model.ts'
import { OFFLINE } from '../llm/model-names.ts'
import type { Account, Books } from './account.ts'
import { type Budgets, monthOf, nextMonthOf } from './budgets.ts'
import { BudgetSpent } from './errors.ts'
import type { Prices } from './prices.ts'
import { readStanding, type StoredCall, saveCalls } from './store.ts'

const FLUSH_MS = 500
/** A database that does not take them is asked again after this long. */
const AGAIN_MS = 2_000
/** A database that is away for long must not fill the memory. */
const MAX_WAITING = 50_000
/** What a column holds: a count beyond it is a provider's mistake. */
const MAX_TOKENS = 2_147_483_647

export interface LedgerDeps {
  database: Pick<Database, 'inOwner'>
  prices: Prices
  budgets: Budgets
  /** Hears of each call too, as the metrics do. */
  count: (
    call: Pick<
      StoredCall,
      'model' | 'purpose' | 'inputTokens' | 'cachedTokens' | 'outputTokens' | 'costNanos' | 'estimated'
    >
  ) => void
  onError: (error: unknown) => void
  now: () => Date
}

export type Ledger = ReturnType<typeof createLedger>

/** Keeps every call of a model: in memory for a moment, then stored together, off the way of whoever waits for an answer. */
export function createLedger({ database, prices, budgets, count, onError, now }: LedgerDeps) {
  let waiting: (StoredCall & { ownerId: string })[] = []
  let timer: NodeJS.Timeout | undefined
  let flushing: Promise<void> = Promise.resolve()
  /** Accounts whose turn's id has been given to a call. */
  const named = new WeakSet<Account>()

  function toStored(account: Account, { model, usage, kind }: Parameters<Books['note']>[1]): StoredCall {
    const tokens = {
      inputTokens: Math.min(usage.inputTokens, MAX_TOKENS),
      cachedTokens: Math.min(usage.cachedTokens, MAX_TOKENS),
      outputTokens: Math.min(usage.outputTokens, MAX_TOKENS)
    }
    const costNanos = prices.costOf(model, tokens)
    const estimated = usage.estimated ?? false
    const createdAt = now().toISOString()
    const { purpose } = account
    const conversationId = account.conversationId ?? null
    const id = (kind === 'chat' && takeTurnId(account)) || uuidv7()
    return { id, conversationId, purpose, model, ...tokens, costNanos, estimated, createdAt }
  }

  /** The turn's id, once: a second call of the same turn is one more. */
  function takeTurnId(account: Account): string | undefined {
    if (named.has(account)) return undefined
    named.add(account)
    return account.turnId
  }

  const note: Books['note'] = (account, made) => {
    const { ownerId } = account
    const call = toStored(account, made)
    count(call)
    budgets.addUnstored(ownerId, call.costNanos ?? 0)
    waiting.push({ ownerId, ...call })
    if (waiting.length > MAX_WAITING) drop(waiting.shift())
    timer ??= setTimeout(flush, FLUSH_MS).unref()
  }

  function drop(call: (typeof waiting)[number] | undefined): void {
    if (call) budgets.addUnstored(call.ownerId, -(call.costNanos ?? 0))
    onError(new Error('A call of a model is lost: the database has been away for too long'))
  }

  /** One after the other, so that a call is never stored by two at once. */
  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    flushing = flushing.then(storeAll)
    return flushing
  }

  async function storeAll(): Promise<void> {
    const taken = Map.groupBy(waiting, ({ ownerId }) => ownerId)
    waiting = []
    for (const [ownerId, calls] of taken) {
      try {
        await store(ownerId, calls)
      } catch (error) {
        onError(error)
        waiting.unshift(...calls)
        timer ??= setTimeout(flush, AGAIN_MS).unref()
      }
    }
  }

  async function store(ownerId: string, calls: StoredCall[]): Promise<void> {
    const standing = await database
      .inOwner(ownerId, async (tx) => {
        await saveCalls(tx, ownerId, calls)
        return readStanding(tx, ownerId, monthOf(now()))
      })
      .catch((error) => {
        // Nobody is left to pay.
        if (error instanceof OwnerGone) return null
        throw error
      })
    const cost = calls.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), 0)
    budgets.addUnstored(ownerId, -cost)
    if (standing) budgets.remember(ownerId, standing)
  }

  async function hasSpent(ownerId: string): Promise<boolean> {
    if (!(await budgets.seemsSpent(ownerId))) return false
    // Before anything is refused all of it is looked up anew: the owner may just have raised the budget.
    await flush()
    return budgets.isSpent(ownerId)
  }

  return {
    note,
    /**
     * Stores, in the caller's transaction, the call of a turn whose process died before it could. Nothing where that process has stored
     * it; and where it was only slow to end, what it stores after this counts no second time.
     */
    async noteLost(
      tx: Tx,
      account: Account & { turnId: string },
      call: { model: string; usage: Usage }
    ): Promise<void> {
      if (call.model === OFFLINE) return
      const stored = toStored(account, { ...call, kind: 'chat' })
      if ((await saveCalls(tx, account.ownerId, [stored])) > 0) count(stored)
    },
    /** Throws where nothing is left for a call of this model. */
    async check(ownerId: string, model: string): Promise<void> {
      if (!prices.isFree(model) && (await hasSpent(ownerId))) throw new BudgetSpent(nextMonthOf(now()))
    },
    hasSpent,
    expect: budgets.expect,
    /** Stores what waits; what cannot be stored now is tried again. */
    flush,
    /** The last flush, before the database is let go of. */
    async close(): Promise<void> {
      await flush()
      clearTimeout(timer)
    }
  }
}
