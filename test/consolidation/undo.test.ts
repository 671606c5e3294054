import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runJobs } from '../memory/jobs.ts'
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

  const topics = async () => (await ada.rows('memory_clusters', 'id, topic, size')) as { topic: string }[]
  const BEES = [
    'My sister Ada keeps bees in Tromsø',
    'Ada sold honey from her bees',
    'The bees swarmed on 4 May 2025'
  ]
  const COFFEE = ['I like dark coffee', 'I drink my coffee without milk', 'My favourite coffee bar is Fuglen']

  test('puts back the topics that were there before, but for one whose memory is gone since', async () => {
    const bees: string[] = []
    for (const text of BEES) bees.push(await ada.remember(text))
    await ada.tidy()
    const before = await topics()
    expect(before).toHaveLength(1)
    for (const text of COFFEE) await ada.remember(text)
    const { id } = await ada.tidy()
    expect(await topics()).toHaveLength(2)
    await undo(id)
    expect(await topics()).toEqual(before)
    const [listed] = (await ada.call('GET', '/consolidations')).data.items
    expect(Object.keys(listed.report)).toEqual(['steps'])

    const again = await ada.tidy()
    expect(await topics()).toHaveLength(2)
    await ada.call('DELETE', `/memories/${bees[0]}`)
    await undo(again.id)
    expect(await topics()).toEqual([])
  })

  test('leaves the topics of a later run alone', async () => {
    for (const text of BEES) await ada.remember(text)
    const first = await ada.tidy()
    for (const text of COFFEE) await ada.remember(text)
    await ada.tidy()
    const after = await topics()
    await undo(first.id)
    expect(await topics()).toEqual(after)
  })

  test('puts back the summary that was there before, and none that what is forgotten may stand in', async () => {
    const say = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({
        role: 'user',
        content: `Hive number ${from + index} stands beside the orchard.`,
        createdAt: new Date(Date.UTC(2026, 2, 1, 0, from + index)).toISOString()
      }))
    const { conversationId } = (await ada.call('POST', '/conversations/import', { messages: say(0, 100) }))
      .data
    await runJobs(house, ada.owner.id)
    await ada.tidy()
    const summaries = () => ada.rows('conversation_summaries')
    const before = await summaries()
    expect(before).toHaveLength(1)
    /** As talk does, which imports cannot: it goes on. */
    const goOn = () =>
      database().pool.query(
        `WITH last AS (SELECT * FROM messages WHERE owner_id = $1 AND conversation_id = $2 ORDER BY sequence DESC LIMIT 1),
              said AS (INSERT INTO messages (owner_id, id, conversation_id, parent_id, sequence, role, content)
                SELECT $1, md5(n::text || last.id::text)::uuid, $2,
                       CASE WHEN n = 1 THEN last.id ELSE md5((n - 1)::text || last.id::text)::uuid END,
                       last.sequence + n, 'user', 'The lighthouse keeper has lamp ' || n
                  FROM last, generate_series(1, 100) n)
         UPDATE conversations SET next_sequence = next_sequence + 100 WHERE owner_id = $1 AND id = $2`,
        [ada.owner.id, conversationId]
      )
    await goOn()
    const second = await ada.tidy()
    expect(await summaries()).not.toEqual(before)
    await undo(second.id)
    expect(await summaries()).toEqual(before)

    const third = await ada.tidy()
    const known = await ada.remember('I like dark coffee')
    await ada.call('DELETE', `/memories/${known}`)
    await undo(third.id)
    expect(await summaries()).toEqual([])
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
