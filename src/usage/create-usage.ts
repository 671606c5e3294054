import type { Database } from '../db/client.ts'
import type { Llm } from '../llm/model.ts'
import { createPayFor } from './account.ts'
import { createBudgets } from './budgets.ts'
import { createLedger } from './ledger.ts'
import { createMeters } from './meters.ts'
import { createPrices, NANOS, readPrices } from './prices.ts'
import { createReadUsage } from './read-usage.ts'

/** Everything about what models cost: who pays, how much, and until when. */
export function createUsage({
  database,
  llm,
  prices: priceSetting,
  monthlyBudget,
  onError,
  now
}: {
  database: Database
  llm: Pick<Llm, 'chat' | 'embedder' | 'models' | 'providers'>
  /** JSON, or the path of a file that holds it. */
  prices: string | undefined
  /** In US dollars, for each owner. */
  monthlyBudget: string | undefined
  onError: (error: unknown) => void
  now: () => Date
}) {
  const nearby = llm.providers().flatMap(({ provider, nearby }) => (nearby ? [provider] : []))
  const prices = createPrices(readPrices(priceSetting), nearby)
  const limitNanos = monthlyBudget === undefined ? null : Math.round(Number(monthlyBudget) * NANOS)
  const models = [llm.chat.id, llm.embedder.id, ...llm.models().map(({ id }) => id)]
  const mayCost = models.some((model) => !prices.isFree(model))
  const meters = createMeters()
  const budgets = createBudgets({ database, limitNanos, mayCost, now })
  const ledger = createLedger({ database, prices, budgets, count: meters.countCall, onError, now })
  return {
    meters,
    payFor: createPayFor(ledger),
    readUsage: createReadUsage({ database, ledger, budgets, limitNanos, now }),
    noteLost: ledger.noteLost,
    hasBudget: async (ownerId: string) => !mayCost || !(await ledger.hasSpent(ownerId)),
    /** The owner has set another budget. */
    forget: budgets.forget,
    flush: ledger.flush,
    close: ledger.close
  }
}
