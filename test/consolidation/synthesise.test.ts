import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { StructuredModel } from '../../src/llm/model.ts'
import type { Memory } from '../../src/memory/schemas.ts'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { stepsOf, tidyOwner } from './tidy.ts'

const HIKES = ['I hike in Jotunheimen each summer', 'I love hiking alone', 'I bought new hiking boots']

describeEachDatabase('inferring patterns', (database) => {
  let house: TestApp
  let ada: Awaited<ReturnType<typeof tidyOwner>>

  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  beforeEach(async () => {
    ada = await tidyOwner(database(), house)
  })
  afterAll(() => house.close())

  const unconfirmed = async (): Promise<Memory[]> =>
    (await ada.call('GET', '/memories?status=unconfirmed')).data.items
  async function hike(): Promise<string[]> {
    const ids: string[] = []
    for (const text of HIKES) ids.push(await ada.remember(text, { importance: 0.6 }))
    return ids
  }

  test('what is said three times is offered as a pattern, weighed down, with what it came from', async () => {
    const ids = await hike()
    const steps = stepsOf(await ada.tidy(), 'inferred')
    const [pattern] = await unconfirmed()
    expect(pattern).toMatchObject({
      text: 'I often speak of hiking.',
      importance: expect.closeTo(0.3),
      sources: []
    })
    expect(steps).toEqual([[pattern?.id, ...ids]])
    expect(await ada.rows('memories', 'origin, status')).toContainEqual({
      origin: 'inferred',
      status: 'unconfirmed'
    })
    expect(await ada.rows('memory_dependencies', 'depends_on')).toEqual(
      ids.toSorted().map((id) => ({ depends_on: id }))
    )
    const found = (await ada.call('POST', '/memories/search', { query: 'hiking theme' })).data.items
    expect(found.map(({ memory }: { memory: Memory }) => memory.id)).toContain(pattern?.id)
  })

  test('twice is none, and other subjects and what was inferred itself do not count', async () => {
    await ada.remember(HIKES[0] as string)
    await ada.remember(HIKES[1] as string)
    await ada.remember('Ada is hiking', { subject: 'ada' })
    await ada.remember('A recurring theme: hiking', { origin: 'inferred' })
    await ada.tidy()
    expect(await unconfirmed()).toEqual([])
  })

  test('while remembering is paused, nothing', async () => {
    await hike()
    await ada.call('PATCH', '/me', { memoryPaused: true })
    expect(stepsOf(await ada.tidy(), 'inferred')).toEqual([])
  })

  test('about somebody else, it says of whom', async () => {
    for (const where of ['Oslo', 'Bergen', 'Bodø']) {
      await ada.remember(`Eva Dahl plays piano in ${where}`, { subject: 'eva dahl' })
    }
    await ada.tidy()
    expect((await unconfirmed()).map(({ text }) => text)).toEqual(['Often told of Eva Dahl: piano.'])
  })

  test('at most three wait for the owner', async () => {
    for (const thing of ['hiking', 'chess', 'coffee', 'honey', 'piano']) {
      for (const where of ['Oslo', 'Bergen', 'Bodø'])
        await ada.remember(`I enjoy ${thing} in ${where} ${thing[0]}`)
    }
    expect(stepsOf(await ada.tidy(), 'inferred')).toHaveLength(3)
    expect(stepsOf(await ada.tidy(), 'inferred')).toEqual([])
    await ada.call('DELETE', `/memories/${(await unconfirmed())[0]?.id}`)
    expect(stepsOf(await ada.tidy(), 'inferred')).toHaveLength(1)
  })

  test('what was confirmed stays confirmed, and is not offered again', async () => {
    await hike()
    await ada.tidy()
    const [pattern] = await unconfirmed()
    await ada.call('PATCH', `/memories/${pattern?.id}`, { text: 'I love hiking' })
    expect(stepsOf(await ada.tidy(), 'inferred')).toEqual([])
    expect(await ada.memory(pattern?.id ?? '')).toMatchObject({ status: 'active', text: 'I love hiking' })
  })

  test.each(['forgotten', 'undone'])('what was %s is not offered again', async (how) => {
    await hike()
    const { id } = await ada.tidy()
    const [pattern] = await unconfirmed()
    if (how === 'undone') await ada.call('POST', `/consolidations/${id}/undo`)
    else await ada.call('DELETE', `/memories/${pattern?.id}?purge=true`)
    expect(await unconfirmed()).toEqual([])
    expect((await ada.call('GET', `/memories/${pattern?.id}`)).status).toBe(404)
    await ada.tidy()
    expect(await unconfirmed()).toEqual([])
  })
})

describeEachDatabase('inferring patterns with a model', (database) => {
  test('keeps what it concludes from three notes or more, and nothing that it made up', async ({
    onTestFinished
  }) => {
    const patterns = [
      { text: 'I spend my free time hiking in the mountains.', notes: [1, 2, 3] },
      { text: 'I hike with Kåre.', notes: [1, 2, 3] },
      { text: 'I hike 20 km a day.', notes: [1, 2, 3] },
      { text: 'I hike.', notes: [1, 1, 1] },
      { text: 'I hike a lot.', notes: [1, 2, 99] }
    ]
    const structured: StructuredModel = {
      id: 'scripted',
      async complete({ name }) {
        const value = name === 'patterns' ? { patterns } : 'prose'
        return { value, usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 } }
      }
    }
    const house = await buildTestApp(database(), { llm: { structured } })
    onTestFinished(() => house.close())
    const ada = await tidyOwner(database(), house)
    for (const text of HIKES) await ada.remember(text)
    await ada.tidy()
    const { items } = (await ada.call('GET', '/memories?status=unconfirmed')).data
    expect(items.map(({ text }: Memory) => text)).toEqual(['I spend my free time hiking in the mountains.'])
  })
})
