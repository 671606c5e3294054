import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { ModelUnreadable } from '../../src/llm/errors.ts'
import type { StructuredModel } from '../../src/llm/model.ts'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { stepsOf, tidyOwner } from './tidy.ts'

describeEachDatabase('merging memories that say the same', (database) => {
  let house: TestApp
  let ada: Awaited<ReturnType<typeof tidyOwner>>

  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  beforeEach(async () => {
    ada = await tidyOwner(database(), house)
  })
  afterAll(() => house.close())

  test('one of them stands for all, with their sources and proofs', async () => {
    const first = await ada.remember("I'm a vegetarian.", { tags: ['food'], proof_count: 2 })
    const second = await ada.remember('I am vegetarian', { tags: ['diet'], proof_count: 3, importance: 0.9 })
    const other = await ada.remember('I am not vegetarian on Sundays')
    const consolidation = await ada.tidy()
    expect(consolidation.status).toBe('completed')
    expect(stepsOf(consolidation, 'merged')).toEqual([[second, first]])
    const winner = await ada.memory(second)
    expect(winner).toMatchObject({
      status: 'active',
      tags: ['diet', 'food'],
      importance: expect.closeTo(0.9)
    })
    expect(winner.sources.map(({ quote }) => quote).sort()).toEqual(['I am vegetarian', "I'm a vegetarian."])
    expect(await ada.memory(first)).toMatchObject({ status: 'superseded', supersededBy: second })
    expect(await ada.memory(other)).toMatchObject({ status: 'active' })
    expect(await ada.rows('memories', 'proof_count, id')).toContainEqual({ proof_count: 5, id: second })
  })

  test('what is pinned is kept, and stays pinned', async () => {
    const first = await ada.remember('I am vegetarian', { proof_count: 9 })
    const second = await ada.remember("I'm vegetarian.", { pinned: true })
    await ada.tidy()
    expect(await ada.memory(second)).toMatchObject({ status: 'active', pinned: true })
    expect(await ada.memory(first)).toMatchObject({ supersededBy: second })
  })

  test('facts that only look alike are all kept', async () => {
    const facts = [
      'I have 2 dogs',
      'I have 3 dogs',
      'I live in Oslo',
      'I lived in Oslo',
      'I like coffee',
      'I do not like coffee',
      'Ada likes Bob',
      'Bob likes Ada'
    ]
    for (const fact of facts) await ada.remember(fact)
    const consolidation = await ada.tidy()
    expect(stepsOf(consolidation, 'merged')).toEqual([])
    // Those that contradict each other say so.
    const statuses = (await ada.rows('memories', 'status')).map(({ status }) => status)
    expect(statuses).toHaveLength(facts.length)
    expect(statuses.filter((status) => status !== 'active' && status !== 'conflicting')).toEqual([])
  })

  test('the same words of another subject, of the past, in conflict or waiting for approval are left alone', async () => {
    await ada.remember('Lives in Oslo', { subject: 'ada', slot: 'home' })
    await ada.remember('Lives in Oslo!!', { subject: 'bob', slot: 'home' })
    await ada.remember('I am vegan')
    await ada.remember("I'm vegan", { status: 'conflicting' })
    await ada.remember("I'm  a vegan", { status: 'proposed' })
    await ada.remember("I'm really vegan", { valid_to: new Date('2020-01-01'), status: 'superseded' })
    expect(stepsOf(await ada.tidy(), 'merged')).toEqual([])
  })

  test('what the owner put apart stays apart', async () => {
    const first = await ada.remember('I am vegetarian')
    await ada.remember("I'm vegetarian.")
    const { id } = await ada.tidy()
    expect((await ada.call('POST', `/consolidations/${id}/undo`)).data.status).toBe('undone')
    expect(await ada.memory(first)).toMatchObject({ status: 'active', supersededBy: null })
    expect(stepsOf(await ada.tidy(), 'merged')).toEqual([])
  })

  test('what was derived from one of them is derived from the one that stays', async () => {
    const derived = await ada.remember('I care about animals')
    const first = await ada.remember('I am vegetarian')
    const second = await ada.remember("I'm vegetarian.")
    await database().pool.query('INSERT INTO memory_dependencies VALUES ($1, $2, $3)', [
      ada.owner.id,
      derived,
      second
    ])
    await ada.tidy()
    expect((await ada.rows('memory_dependencies', 'depends_on')).map((row) => row.depends_on)).toEqual(
      [first, second].sort()
    )
  })
})

describeEachDatabase('merging with a model', (database) => {
  /** A model that says of every pair that it is one fact, or what it is told to. */
  async function setUp(answer: (user: string) => unknown) {
    const asked: string[] = []
    const structured: StructuredModel = {
      id: 'scripted',
      async complete({ name, user }) {
        if (name !== 'duplicates') return { value: 'prose', usage: NO_USAGE }
        asked.push(user)
        return { value: await answer(user), usage: NO_USAGE }
      }
    }
    const house = await buildTestApp(database(), { llm: { structured } })
    onTestFinished(() => house.close())
    return { asked, ...(await tidyOwner(database(), house)) }
  }

  test('what is the same in other words becomes one where the model says so', async () => {
    const ada = await setUp(() => ({ same: [1] }))
    const first = await ada.remember('My sister Ada keeps bees in Tromsø, Norway')
    const second = await ada.remember('In Tromsø, Norway, bees are kept by my sister Ada')
    expect(stepsOf(await ada.tidy(), 'merged')).toEqual([[first, second]])
    expect(ada.asked).toHaveLength(1)
  })

  test('what differs in a number, a name or a no is not even asked about', async () => {
    const ada = await setUp(() => ({ same: [1, 2, 3, 4, 5] }))
    for (const fact of [
      'My sister Ada keeps two hives of bees in Tromsø',
      'My sister Ada keeps three hives of bees in Tromsø',
      'My sister Eva keeps two hives of bees in Tromsø',
      'My sister Ada no longer keeps two hives of bees in Tromsø'
    ]) {
      await ada.remember(fact)
    }
    expect(stepsOf(await ada.tidy(), 'merged')).toEqual([])
    expect(ada.asked).toEqual([])
  })

  test.each([['prose'], [{ same: [7] }], [{ same: ['1'] }], [{ pairs: [1] }], [null]])(
    'an answer like %j merges nothing',
    async (answer) => {
      const ada = await setUp(() => answer)
      await ada.remember('My sister Ada keeps bees in Tromsø, Norway')
      await ada.remember('In Tromsø, Norway, bees are kept by my sister Ada')
      const consolidation = await ada.tidy()
      expect(consolidation.status).toBe('completed')
      expect(stepsOf(consolidation, 'merged')).toEqual([])
      expect(ada.asked).toHaveLength(1)
    }
  )

  test('a run that was given up while the model was thinking writes nothing more', async () => {
    const ada: Awaited<ReturnType<typeof setUp>> = await setUp(async () => {
      await database().pool.query("UPDATE consolidations SET status = 'failed' WHERE owner_id = $1", [
        ada.owner.id
      ])
      return { same: [1] }
    })
    await ada.remember('My sister Ada keeps bees in Tromsø, Norway')
    await ada.remember('In Tromsø, Norway, bees are kept by my sister Ada')
    expect(await ada.tidy()).toMatchObject({ status: 'failed', report: { steps: [] } })
    expect(await ada.rows('memories', 'status')).toEqual([{ status: 'active' }, { status: 'active' }])
  })

  test('a model that is away fails the job, which goes on later from where it was', async () => {
    let away = true
    const ada = await setUp(() => {
      if (away) throw new Error('away')
      return { same: [1] }
    })
    await ada.remember('I am vegetarian')
    await ada.remember("I'm a vegetarian.")
    await ada.remember('My sister Ada keeps bees in Tromsø, Norway')
    await ada.remember('In Tromsø, Norway, bees are kept by my sister Ada')
    await expect(ada.tidy()).rejects.toThrow('away')
    const [run] = (await ada.call('GET', '/consolidations')).data.items
    expect(run.status).toBe('running')
    expect(stepsOf(run, 'merged')).toHaveLength(1)
    // The parts after it need not wait.
    expect(run.report.steps.map(({ action }: { action: string }) => action)).toContain('profiled')
    away = false
    await ada.again(run.id)
    const done = (await ada.call('GET', `/consolidations/${run.id}`)).data
    expect(done.status).toBe('completed')
    expect(stepsOf(done, 'merged')).toHaveLength(2)
  })

  test('a model that stays away does not keep the run from its end, and the report says so', async () => {
    const ada = await setUp(() => {
      throw new Error('away')
    })
    await ada.remember('My sister Ada keeps bees in Tromsø, Norway')
    await ada.remember('In Tromsø, Norway, bees are kept by my sister Ada')
    await expect(ada.tidy()).rejects.toThrow('away')
    const [run] = (await ada.call('GET', '/consolidations')).data.items
    for (let retry = 1; retry <= 3; retry++) await expect(ada.again(run.id)).rejects.toThrow('away')
    await ada.again(run.id)
    const done = (await ada.call('GET', `/consolidations/${run.id}`)).data
    expect(done.status).toBe('completed')
    expect(stepsOf(done, 'skipped')).toEqual([[]])
    expect(stepsOf(done, 'profiled')).toHaveLength(1)
  })

  test('a model that writes prose to every question leaves each part its way without it', async () => {
    const structured: StructuredModel = {
      id: 'scripted',
      complete: async () => {
        throw new ModelUnreadable('scripted')
      }
    }
    const house = await buildTestApp(database(), { llm: { structured } })
    onTestFinished(() => house.close())
    const ada = await tidyOwner(database(), house)
    await ada.remember('My sister Ada keeps bees in Tromsø, Norway')
    await ada.remember('In Tromsø, Norway, bees are kept by my sister Ada')
    for (const place of ['Oslo', 'Bergen', 'Bodø']) await ada.remember(`I played chess in ${place}`)
    await ada.call('POST', '/conversations/import', {
      messages: Array.from({ length: 100 }, (_, index) => ({
        role: 'user',
        content: `Hive number ${index} stands beside the lighthouse.`,
        createdAt: '2026-03-01T00:00:00.000Z'
      }))
    })
    const { status, report } = await ada.tidy()
    expect(status).toBe('completed')
    expect(report.steps.map(({ action }) => action)).toEqual([
      'summarised',
      'inferred',
      'clustered',
      'profiled'
    ])
  })
})

const NO_USAGE = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
