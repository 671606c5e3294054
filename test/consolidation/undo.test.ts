import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { stepsOf, tidyOwner } from './tidy.ts'

describeEachDatabase('undoing a consolidation', (database) => {
  let house: TestApp
  let ada: Awaited<ReturnType<typeof tidyOwner>>

  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  beforeEach(async () => {
    ada = await tidyOwner(database(), house)
  })
  afterAll(() => house.close())

  const undo = async (id: string) => (await ada.call('POST', `/consolidations/${id}/undo`)).data
  /** Everything of memories but when they were last changed. */
  const everything = async () => ({
    memories: (await ada.rows('memories', 'id, *')).map((row) => ({ ...row, updated_at: null })),
    sources: await ada.rows('memory_sources', 'id, memory_id, quote'),
    dependencies: await ada.rows('memory_dependencies')
  })

  test('puts everything back as it was, once, and says so', async () => {
    await ada.remember('I am vegetarian', { tags: ['food'], valid_from: new Date('2020-01-01') })
    await ada.remember("I'm a vegetarian.", { tags: ['diet'], pinned: true })
    await ada.remember('I fly to Rome on 14 March 2020', { category: 'plan' })
    const before = await everything()
    const { id } = await ada.tidy()
    expect(await everything()).not.toEqual(before)
    const undone = await undo(id)
    expect(undone).toMatchObject({ status: 'undone', undoneAt: expect.any(String) })
    expect(stepsOf(undone, 'left')).toEqual([])
    expect(await everything()).toEqual(before)
    expect(await undo(id)).toEqual(undone)
    const history = await ada.rows('memory_history', 'action, undone_at IS NOT NULL AS undone')
    expect(history.filter(({ undone }) => undone)).toHaveLength(3)
    expect(history.filter(({ action }) => action === 'restored')).toHaveLength(3)
  })

  test('leaves what was changed since, and says which', async () => {
    const plan = await ada.remember('I fly to Rome on 14 March 2020', { category: 'plan' })
    const lease = await ada.remember('I lease a car', { valid_to: new Date('2020-01-01') })
    const { id } = await ada.tidy()
    await ada.change(plan, { status: 'active', valid_to: null })
    const undone = await undo(id)
    expect(stepsOf(undone, 'left')).toEqual([[plan]])
    expect(await ada.memory(plan)).toMatchObject({ status: 'active', validTo: null })
    expect(await ada.memory(lease)).toMatchObject({ status: 'active' })
  })

  test('keeps what the owner has done to the memory that stood for the others', async () => {
    const first = await ada.remember('I am vegetarian', { proof_count: 2 })
    const second = await ada.remember("I'm a vegetarian.", { tags: ['diet'] })
    const { id } = await ada.tidy()
    await ada.change(first, { tags: ['mine'], proof_count: 4 })
    await undo(id)
    expect(await ada.memory(first)).toMatchObject({ tags: ['mine'] })
    expect(await ada.rows('memories', 'proof_count')).toEqual([{ proof_count: 1 }, { proof_count: 3 }])
    expect(await ada.memory(second)).toMatchObject({ status: 'active', supersededBy: null })
  })

  test('does not bring back a fact that was written down again meanwhile', async () => {
    await ada.remember('I am vegetarian', { proof_count: 2 })
    const second = await ada.remember("I'm a vegetarian.")
    const { id } = await ada.tidy()
    await ada.remember("I'm a vegetarian.")
    const undone = await undo(id)
    expect(undone.status).toBe('undone')
    expect(stepsOf(undone, 'left')).toEqual([[second]])
  })
})
