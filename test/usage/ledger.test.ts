import { eq, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { expect, onTestFinished, test, vi } from 'vitest'
import { users } from '../../src/auth/tables.ts'
import { conversations } from '../../src/chat/tables.ts'
import type { Database } from '../../src/db/client.ts'
import { createBudgets } from '../../src/usage/budgets.ts'
import { createLedger } from '../../src/usage/ledger.ts'
import { createPrices } from '../../src/usage/prices.ts'
import { readStanding, sumUsage } from '../../src/usage/store.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'

const CALL = {
  model: 'openai:gpt-5-mini',
  kind: 'chat' as const,
  usage: { inputTokens: 1_000_000, outputTokens: 0, cachedTokens: 0 }
}
/** What CALL costs: a quarter of a dollar. */
const COST = 250_000_000

describeEachDatabase('the ledger', (database) => {
  const now = () => new Date('2026-05-31T12:00:00Z')

  /** `inOwner` may fail in its place; a limit of one dollar. */
  function setUp(inOwner: Database['inOwner'] = database().inOwner) {
    const onError = vi.fn()
    const prices = createPrices()
    const limitNanos = 1_000_000_000
    const budgets = createBudgets({ database: database(), limitNanos, mayCost: true, now })
    const ledger = createLedger({ database: { inOwner }, prices, budgets, count: () => {}, onError, now })
    onTestFinished(() => ledger.close())
    return { ledger, onError }
  }

  const read = (owner: string) =>
    database().readInOwner(owner, async (tx) => ({
      ...(await sumUsage(tx, owner, { from: new Date(0), to: new Date('2030-01-01') })),
      ...(await readStanding(tx, owner, '2026-05-01'))
    }))

  test('stores by itself, within a second, and adds up the month', async () => {
    const owner = await createOwner(database())
    const { ledger } = setUp()
    const began = performance.now()
    for (let call = 0; call < 3; call++) ledger.note({ ownerId: owner, purpose: 'chat' }, CALL)
    await vi.waitFor(async () => expect((await read(owner)).calls).toBe(3), { timeout: 5_000, interval: 20 })
    expect(performance.now() - began).toBeGreaterThan(100)
    expect(await read(owner)).toMatchObject({ spentNanos: 3 * COST, costUsd: 0.75 })
  })

  test('stores what could not be stored, once, though an earlier try had come through', async () => {
    const owner = await createOwner(database())
    const failures = ['before', 'after']
    const { ledger, onError } = setUp(async (ownerId, work) => {
      const failure = failures.shift()
      if (failure === 'before') throw new Error('The database is away')
      const result = await database().inOwner(ownerId, work)
      // Committed, but nobody hears of it.
      if (failure === 'after') throw new Error('The connection broke')
      return result
    })
    ledger.note({ ownerId: owner, purpose: 'chat' }, CALL)
    await ledger.flush()
    expect((await read(owner)).calls).toBe(0)
    await ledger.flush()
    ledger.note({ ownerId: owner, purpose: 'chat' }, CALL)
    await ledger.flush()
    expect(await read(owner)).toMatchObject({ calls: 2, spentNanos: 2 * COST })
    expect(onError).toHaveBeenCalledTimes(2)
  })

  test('counts the call of a turn once, whoever stores it: its runner, or who found it dead', async () => {
    const owner = await createOwner(database())
    const { ledger } = setUp()
    const runner = () => ({ ownerId: owner, purpose: 'chat', turnId: uuidv7() })
    const lose = (turn: ReturnType<typeof runner>) =>
      database().inOwner(owner, (tx) => ledger.noteLost(tx, { ...turn }, CALL))
    const store = (turn: ReturnType<typeof runner>) => {
      ledger.note(turn, CALL)
      return ledger.flush()
    }
    const dead = runner()
    await lose(dead)
    await lose(dead)
    expect(await read(owner)).toMatchObject({ calls: 1, spentNanos: COST })
    const slowToEnd = runner()
    await lose(slowToEnd)
    await store(slowToEnd)
    expect(await read(owner)).toMatchObject({ calls: 2, spentNanos: 2 * COST })
    const quick = runner()
    await store(quick)
    await lose(quick)
    expect(await read(owner)).toMatchObject({ calls: 3, spentNanos: 3 * COST })
    // One that asks its model twice pays for both.
    await store(quick)
    expect(await read(owner)).toMatchObject({ calls: 4, spentNanos: 4 * COST })
  })

  test('counts what is not stored yet against the budget, in this process at once', async () => {
    const owner = await createOwner(database())
    const { ledger } = setUp()
    for (let call = 0; call < 3; call++) ledger.note({ ownerId: owner, purpose: 'chat' }, CALL)
    await ledger.check(owner, CALL.model)
    ledger.note({ ownerId: owner, purpose: 'chat' }, CALL)
    await expect(ledger.check(owner, CALL.model)).rejects.toMatchObject({ code: 'PAI_USAGE_BUDGET_SPENT' })
    await expect(ledger.check(owner, CALL.model)).rejects.toThrow(/begins on 2026-06-01/)
    await ledger.check(owner, 'offline')
    await ledger.flush()
    await expect(ledger.check(owner, CALL.model)).rejects.toMatchObject({ statusCode: 402 })
  })

  test('reads how an owner stands once in some seconds, however many calls there are', async () => {
    const owner = await createOwner(database())
    let reads = 0
    const readInOwner: Database['readInOwner'] = (ownerId, work) => {
      reads++
      return database().readInOwner(ownerId, work)
    }
    let seconds = 0
    const budgets = createBudgets({
      database: { readInOwner },
      limitNanos: COST,
      mayCost: true,
      now: () => new Date(now().getTime() + seconds * 1_000)
    })
    await Promise.all(Array.from({ length: 20 }, () => budgets.seemsSpent(owner)))
    for (let call = 0; call < 20; call++) await budgets.seemsSpent(owner)
    expect(reads).toBe(1)
    // What another process has spent meanwhile is seen after that.
    const { ledger } = setUp()
    ledger.note({ ownerId: owner, purpose: 'chat' }, CALL)
    await ledger.flush()
    expect(await budgets.seemsSpent(owner)).toBe(false)
    seconds = 5
    expect(await budgets.seemsSpent(owner)).toBe(true)
  })

  test('refuses nothing before it has looked whether the owner may spend more by now', async () => {
    const owner = await createOwner(database())
    const setBudget = (monthlyBudgetCents: number) =>
      database().inOwner(owner, (tx) =>
        tx.update(users).set({ monthlyBudgetCents }).where(eq(users.id, owner))
      )
    await setBudget(25)
    const { ledger } = setUp()
    ledger.note({ ownerId: owner, purpose: 'chat' }, CALL)
    await expect(ledger.check(owner, CALL.model)).rejects.toMatchObject({ code: 'PAI_USAGE_BUDGET_SPENT' })
    await setBudget(26)
    await ledger.check(owner, CALL.model)
  })

  test('keeps what a conversation cost that was deleted meanwhile, and forgets an account that is gone', async () => {
    const owner = await createOwner(database())
    const conversationId = uuidv7()
    const { ledger, onError } = setUp()
    await database().inOwner(owner, (tx) =>
      tx.insert(conversations).values({ ownerId: owner, id: conversationId })
    )
    ledger.note({ ownerId: owner, purpose: 'chat', conversationId }, CALL)
    await ledger.flush()
    ledger.note({ ownerId: owner, purpose: 'chat', conversationId: uuidv7() }, CALL)
    await database().inOwner(owner, (tx) => tx.delete(conversations).where(eq(conversations.ownerId, owner)))
    await ledger.flush()
    expect(await read(owner)).toMatchObject({ calls: 2, spentNanos: 2 * COST })

    await database().inOwner(owner, (tx) => tx.delete(users).where(eq(users.id, owner)))
    ledger.note({ ownerId: owner, purpose: 'chat' }, CALL)
    await ledger.flush()
    expect(onError).not.toHaveBeenCalled()
    const { rows } = await database().inOwner(owner, (tx) =>
      tx.execute(sql`SELECT FROM model_calls WHERE owner_id = ${owner}`)
    )
    expect(rows).toEqual([])
  })
})
