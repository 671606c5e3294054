import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { groupByVectors } from '../../src/consolidation/group-by-vectors.ts'
import { groupByWords } from '../../src/consolidation/group-by-words.ts'
import { nameByWords } from '../../src/consolidation/name-topics.ts'
import type { Embedder, StructuredModel } from '../../src/llm/model.ts'
import { runJobs } from '../memory/jobs.ts'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { stepsOf, tidyOwner } from './tidy.ts'

const BEES = [
  'My sister Ada keeps bees in Tromsø',
  'Ada sold honey from her bees',
  'The bees swarmed on 4 May 2025'
]
const COFFEE = ['I like dark coffee', 'I drink my coffee without milk', 'My favourite coffee bar is Fuglen']
const ALONE = 'I was born on 9 April'

describe('grouping by words', () => {
  const items = [...BEES, ALONE, ...COFFEE].map((text, index) => ({ id: String(index), text }))

  test('puts together what shares a telling word, and leaves the rest out', async () => {
    const groups = (await groupByWords(items)).map((group) => group.map(({ text }) => text).sort())
    expect(groups).toHaveLength(2)
    expect(groups).toContainEqual(BEES.toSorted())
    expect(groups).toContainEqual(COFFEE.toSorted())
  })

  test('makes the same groups whatever the order', async () => {
    const ids = async (list: typeof items) =>
      (await groupByWords(list)).map((group) => group.map(({ id }) => id).sort()).sort()
    expect(await ids(items.toReversed())).toEqual(await ids(items))
  })

  test('names a group by its words as people write them', async () => {
    expect(await nameByWords([BEES, COFFEE])).toEqual(['bees, Ada', 'coffee'])
  })
})

test('grouping by vectors finds what lies together, always alike, and leaves out what lies alone', async () => {
  const around = (axis: number, wobble: number) => {
    const vector = new Array<number>(8).fill(0)
    vector[axis] = 1
    vector[(axis + 1) % 8] = wobble
    const length = Math.hypot(...vector)
    return vector.map((value) => value / length)
  }
  const points = [0, 2, 4].flatMap((axis) =>
    Array.from({ length: 8 }, (_, index) => ({ item: `${axis}-${index}`, vector: around(axis, index / 50) }))
  )
  const signal = new AbortController().signal
  const groups = await groupByVectors(points, signal)
  expect(groups.map((group) => new Set(group.map((item) => item[0])).size)).toEqual([1, 1, 1])
  expect(groups.flat()).toHaveLength(24)
  expect(await groupByVectors(points, signal)).toEqual(groups)
  expect(await groupByVectors([], signal)).toEqual([])
})

describeEachDatabase('topics', (database) => {
  let house: TestApp
  let ada: Awaited<ReturnType<typeof tidyOwner>>

  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  beforeEach(async () => {
    ada = await tidyOwner(database(), house)
  })
  afterAll(() => house.close())

  const topics = async () =>
    (await ada.call('GET', '/memory-clusters')).data.items as { id: string; topic: string; size: number }[]

  test('have a name, a size and their memories', async () => {
    for (const text of [...BEES, ...COFFEE, ALONE]) await ada.remember(text)
    expect((await ada.tidy()).report.steps).toContainEqual({
      action: 'clustered',
      text: '6 memories are sorted into 2 topics.',
      memoryIds: []
    })
    const items = await topics()
    expect(items.map(({ topic, size }) => [topic, size]).sort()).toEqual([
      ['bees, Ada', 3],
      ['coffee', 3]
    ])
    const bees = items.find(({ topic }) => topic === 'bees, Ada')
    const { data } = await ada.call('GET', `/memories?clusterId=${bees?.id}`)
    expect(data.items.map(({ text }: { text: string }) => text).sort()).toEqual(BEES.toSorted())
    const page = (await ada.call('GET', '/memory-clusters?limit=1')).data
    expect(page.items).toHaveLength(1)
    const next = (await ada.call('GET', `/memory-clusters?limit=1&cursor=${page.nextCursor}`)).data
    expect([...page.items, ...next.items]).toEqual(items)
  })

  test('keep their id and name while most of them stays, and are not touched when nothing changes', async () => {
    for (const text of [...BEES, ...COFFEE]) await ada.remember(text)
    await ada.tidy()
    const before = await topics()
    expect(stepsOf(await ada.tidy(), 'clustered')).toEqual([])
    expect(await topics()).toEqual(before)
    await ada.remember('Ada painted her bees blue')
    await ada.tidy()
    const bees = (items: typeof before) => items.find(({ topic }) => topic.includes('bees'))
    expect(bees(await topics())).toMatchObject({ id: bees(before)?.id, size: 4 })
  })

  test('lose a memory the moment it is forgotten', async () => {
    const ids: string[] = []
    for (const text of BEES) ids.push(await ada.remember(text))
    await ada.tidy()
    await ada.call('DELETE', `/memories/${ids[0]}`)
    const [bees] = await topics()
    expect(bees?.size).toBe(2)
    expect((await ada.call('GET', `/memories?clusterId=${bees?.id}`)).data.items).toHaveLength(2)
  })

  test('of somebody else hold nothing for me', async () => {
    for (const text of BEES) await ada.remember(text)
    await ada.tidy()
    const [bees] = await topics()
    const eve = await tidyOwner(database(), house)
    expect((await eve.call('GET', '/memory-clusters')).data.items).toEqual([])
    expect((await eve.call('GET', `/memories?clusterId=${bees?.id}`)).data.items).toEqual([])
  })
})

describeEachDatabase('topics by meaning, named by a model', (database) => {
  test('hold what means the same, and bear its names', async ({ onTestFinished }) => {
    const embedder: Embedder = {
      id: 'scripted:meaning:64',
      dimensions: 64,
      semantic: true,
      async embed(texts) {
        return texts.map((text, index) => {
          const vector = new Array<number>(64).fill(0)
          vector[text.includes('bee') || text.includes('hive') ? 0 : 32] = 1
          vector[1 + (index % 8)] = 0.1
          const length = Math.hypot(...vector)
          return vector.map((value) => value / length)
        })
      }
    }
    const structured: StructuredModel = {
      id: 'scripted',
      async complete({ name }) {
        const value = name === 'topics' ? { topics: [{ group: 1, topic: ' A\0 topic ' }] } : 'prose'
        return { value, usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 } }
      }
    }
    const house = await buildTestApp(database(), { llm: { embedder, structured } })
    onTestFinished(() => house.close())
    const ada = await tidyOwner(database(), house)
    for (const text of ['Ada has bees', 'A hive is heavy', 'Hives hum: hive work', 'I wear a bee veil']) {
      await ada.remember(text)
    }
    for (const text of ['I like tea', 'Milk is cheap', 'Bread is dear', 'I bake']) await ada.remember(text)
    await runJobs(house, ada.owner.id)
    await ada.tidy()
    const { items } = (await ada.call('GET', '/memory-clusters')).data
    expect(items.map(({ size }: { size: number }) => size)).toEqual([4, 4])
    expect(items.map(({ topic }: { topic: string }) => topic)).toContain('A topic')

    // Where the vectors are of a model that cannot be had any more, this one has made only some of its own.
    await database().pool.query(`UPDATE vector_models SET model = 'gone' WHERE owner_id = $1`, [ada.owner.id])
    await database().pool.query('DELETE FROM memory_vectors WHERE owner_id = $1', [ada.owner.id])
    await ada.tidy()
    expect((await ada.call('GET', '/memory-clusters')).data.items).toEqual(items)
  })
})
