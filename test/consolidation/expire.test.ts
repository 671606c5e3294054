import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { stepsOf, tidyOwner } from './tidy.ts'

const PAST = new Date('2020-01-01T00:00:00Z')
const FUTURE = new Date('2100-01-01T00:00:00Z')

describeEachDatabase('expiring what no longer holds', (database) => {
  let house: TestApp
  let ada: Awaited<ReturnType<typeof tidyOwner>>

  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  beforeEach(async () => {
    ada = await tidyOwner(database(), house)
  })
  afterAll(() => house.close())

  test('what was derived from an expired memory needs confirming, until that is undone', async () => {
    const over = await ada.remember('I lease a car', { valid_to: PAST })
    const derived = await ada.remember('I like to drive')
    await database().pool.query(
      'INSERT INTO memory_dependencies (owner_id, memory_id, depends_on) VALUES ($1, $2, $3)',
      [ada.owner.id, derived, over]
    )
    const { id } = await ada.tidy()
    expect((await ada.memory(derived)).status).toBe('unconfirmed')
    await ada.call('POST', `/consolidations/${id}/undo`)
    expect((await ada.memory(derived)).status).toBe('active')
  })

  test('a memory past its end is expired, one before it is not', async () => {
    const over = await ada.remember('I lease a car', { valid_to: PAST })
    const holds = await ada.remember('I rent a flat', { valid_to: FUTURE })
    const consolidation = await ada.tidy()
    expect(stepsOf(consolidation, 'expired')).toEqual([[over]])
    expect(await ada.memory(over)).toMatchObject({ status: 'expired', validTo: PAST.toISOString() })
    expect(await ada.memory(holds)).toMatchObject({ status: 'active' })
    expect(await ada.rows('memories', 'closed_at IS NULL AS open')).toEqual([{ open: false }, { open: true }])
  })

  test('a plan ends with the last day it names; pinned, open-ended and other facts do not', async () => {
    const flight = await ada.remember('I fly to Rome on 14 March 2020', { category: 'plan' })
    const facts = [
      await ada.remember('I flew to Rome on 14 March 2020', { category: 'fact' }),
      await ada.remember('I meet Bob on 14 March 2020', { category: 'plan', pinned: true }),
      await ada.remember('From 1 March 2020 I will work less', { category: 'plan' }),
      await ada.remember('I fly to Rome on 14 March 2100', { category: 'plan' }),
      await ada.remember('I will see Rome', { category: 'plan' })
    ]
    expect(stepsOf(await ada.tidy(), 'expired')).toEqual([[flight]])
    expect(await ada.memory(flight)).toMatchObject({ status: 'expired', validTo: '2020-03-15T00:00:00.000Z' })
    for (const id of facts) expect((await ada.memory(id)).status).toBe('active')
  })

  test('more than a batch of them are all expired', async () => {
    await ada.remember('I have a parking permit', { valid_to: PAST })
    await database().pool.query(
      `INSERT INTO memories (owner_id, id, text, text_hash, category, importance, status, valid_to)
       SELECT owner_id, gen_random_uuid(), 'Permit ' || n, int4send(n), category, importance, status, valid_to
         FROM memories, generate_series(1, 250) n WHERE owner_id = $1`,
      [ada.owner.id]
    )
    const steps = stepsOf(await ada.tidy(), 'expired')
    expect(steps.map(({ length }) => length)).toEqual([200, 51])
  })

  test('what the owner says still holds is not expired again', async () => {
    const plan = await ada.remember('I fly to Rome on 14 March 2020', { category: 'plan' })
    const { id } = await ada.tidy()
    await ada.call('POST', `/consolidations/${id}/undo`)
    expect(await ada.memory(plan)).toMatchObject({ status: 'active', validTo: null })
    expect(stepsOf(await ada.tidy(), 'expired')).toEqual([])
  })
})
