import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RecallItem } from '../../../src/memory/schemas.ts'
import { type Call, callAs } from '../../chat/talk.ts'
import { buildTestApp, scriptedModel, type TestApp, type TestOwner } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJobs } from '../jobs.ts'

const FACTS = [
  'My sister Ada keeps bees in Tromsø',
  'My brother Bob is allergic to peanuts',
  'I live in Oslo near the park',
  'My flight to Rome leaves on Friday at 9',
  'I work as a carpenter at Acme',
  'My favourite colour is green',
  'Our house has a red door',
  'My locker code is 4711',
  'Jo plays the cello on Sundays',
  'The dentist moved to Main Street 12'
]
/** Found by the words around it, as every message is. */
const REPLY = 'Noted.'
const UNRELATED = [
  'What is the boiling point of tungsten?',
  'How do I sort an array in Rust?',
  'Explain quantum tunnelling'
]

describeEachDatabase('recall', (database) => {
  let house: TestApp
  let owner: TestOwner
  let call: Call

  beforeAll(async () => {
    house = await buildTestApp(database(), { llm: { chat: scriptedModel([REPLY]) } })
  })
  beforeEach(async () => {
    owner = await house.register()
    call = callAs(house, owner)
  })
  afterAll(() => house.close())

  async function remember(text: string, more: object = {}): Promise<string> {
    return (await call('POST', '/memories', { text, ...more })).data.id
  }
  async function recall(query: string, more: object = {}): Promise<RecallItem[]> {
    const { status, data } = await call('POST', '/recall', { query, ...more })
    expect(status).toBe(200)
    return data.items.filter(({ text }: RecallItem) => text !== REPLY)
  }
  const textsOf = (items: RecallItem[]) => items.map(({ text }) => text)
  /** Says something in a conversation of its own, or in one that is there. */
  async function say(message: string, more: object = {}): Promise<string> {
    return (await call('POST', '/chat', { message, useMemory: false, ...more })).data.conversationId
  }
  const set = (id: string, changes: string) =>
    database().pool.query(`UPDATE memories SET ${changes} WHERE id = $1`, [id])

  test.each([
    ['Where does Ada keep her bees?', 'My sister Ada keeps bees in Tromsø'],
    ['Who is allergic?', 'My brother Bob is allergic to peanuts'],
    ['where do I live', 'I live in Oslo near the park'],
    ['When does my flight leave?', 'My flight to Rome leaves on Friday at 9'],
    ['which colours do I like best, favourite ones', 'My favourite colour is green'],
    ['4711', 'My locker code is 4711'],
    ['CELLO', 'Jo plays the cello on Sundays'],
    ['tromso', 'My sister Ada keeps bees in Tromsø']
  ])('%s', async (query, expected) => {
    for (const fact of FACTS) await remember(fact)
    await runJobs(house, owner.id)
    const recalled = await recall(query)
    expect(recalled[0]?.text).toBe(expected)
    const scores = recalled.map(({ score }) => score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    for (const score of scores) {
      expect(score).toBeGreaterThan(0)
      expect(score).toBeLessThanOrEqual(1)
    }
    const { items } = (await call('POST', '/memories/search', { query })).data
    expect(items[0].memory.text).toBe(expected)
    expect(items[0]).toEqual({
      memory: expect.any(Object),
      score: expect.any(Number),
      matchedBy: expect.any(Array)
    })
  })

  test('what has nothing to do with a query is not recalled', async () => {
    for (const fact of FACTS) await remember(fact)
    await runJobs(house, owner.id)
    for (const query of UNRELATED) {
      expect(textsOf(await recall(query)), query).toEqual([])
      expect((await call('POST', '/memories/search', { query })).data, query).toEqual({ items: [] })
    }
    expect(textsOf(await recall('bees'))).toEqual(['My sister Ada keeps bees in Tromsø'])
  })

  test('somebody who has said nothing recalls nothing', async () => {
    expect(await recall('Where does Ada keep her bees?')).toEqual([])
  })

  test('each item says what it is, when it was said, and which way found it', async () => {
    const id = await remember('My locker code is 4711')
    const lexical = await recall('locker code')
    expect(lexical).toEqual([
      {
        kind: 'memory',
        id,
        text: 'My locker code is 4711',
        score: expect.any(Number),
        matchedBy: ['lexical'],
        at: expect.any(String),
        status: 'active'
      }
    ])
    await runJobs(house, owner.id)
    expect((await recall('locker code'))[0]?.matchedBy).toEqual(['vector', 'lexical'])
    expect((await recall('locker code', { ways: ['lexical'] }))[0]?.matchedBy).toEqual(['lexical'])
    // Both words are near theirs in letters, and neither is the same term.
    expect((await recall('lockers coded', { ways: ['vector'] })).map(({ matchedBy }) => matchedBy)).toEqual([
      ['vector']
    ])
  })

  test('as many as asked for, the best of them', async () => {
    for (let number = 1; number <= 15; number++) await remember(`Bee hive number ${number} is full`)
    expect(await recall('bee hive')).toHaveLength(10)
    expect(await recall('bee hive', { limit: 3 })).toHaveLength(3)
    expect(await recall('bee hive', { limit: 200 })).toHaveLength(15)
    expect((await recall('bee hive number 7', { limit: 1 }))[0]?.text).toBe('Bee hive number 7 is full')
  })

  test.each(["status = 'superseded', closed_at = now()", "status = 'proposed'", 'forgotten_at = now()'])(
    'many that may not be found (%s) do not crowd out the one that may',
    async (changes) => {
      for (let number = 1; number <= 60; number++) await remember(`Bee hive price ${number}`)
      await runJobs(house, owner.id)
      await database().pool.query(`UPDATE memories SET ${changes} WHERE owner_id = $1`, [owner.id])
      const current =
        'These days the shop in the harbour asks a price of 61 for the bee hive, plus the frames'
      await remember(current)
      await runJobs(house, owner.id)
      for (const ways of [['lexical'], ['vector']]) {
        expect(textsOf(await recall('bee hive price', { ways }))).toEqual([current])
      }
    }
  )

  test('many answers do not crowd out what the owner said', async () => {
    const said = 'These days the shop in the harbour asks a price of 61 for the bee hive, plus the frames'
    const messages = Array.from({ length: 61 }, (_, index) => ({
      role: index === 0 ? 'user' : 'assistant',
      content: index === 0 ? said : `Bee hive price ${index}`,
      createdAt: '2026-03-01T00:00:00.000Z'
    }))
    await call('POST', '/conversations/import', { messages })
    await runJobs(house, owner.id)
    const query = { query: 'bee hive price', kinds: ['message' as const], ownWordsOnly: true }
    const items = await house.services.recall(owner.id, query, new AbortController().signal)
    expect(textsOf(items)).toEqual([said])
  })

  test('importance and pins bend the order among equals, and let nothing in', async () => {
    await remember('The bee hive in the garden is blue', { importance: 0.1 })
    await remember('The bee hive in the garden is pink', { importance: 0.9 })
    await remember('The bee hive in the garden is gold', { importance: 0.1, pinned: true })
    await remember('Taxes are due in May', { importance: 1, pinned: true })
    const colours = textsOf(await recall('bee hive in the garden')).map((text) => text.split(' ').at(-1))
    expect(colours).toEqual(['gold', 'pink', 'blue'])
  })

  test('what held at a time is recalled as of that time, and by default what holds now', async () => {
    const oslo = await remember('My home is in Oslo')
    const rome = await remember('My home is in Rome')
    await set(oslo, `valid_from = '2010-01-01Z', valid_to = '2020-01-01Z', status = 'superseded'`)
    await set(rome, `valid_from = '2020-01-01Z'`)
    const at = async (asOf?: string) => textsOf(await recall('Where is my home?', asOf ? { asOf } : {}))
    expect(await at()).toEqual(['My home is in Rome'])
    expect(await at('2015-06-01T00:00:00Z')).toEqual(['My home is in Oslo'])
    expect(await at('2019-12-31T23:59:59Z')).toEqual(['My home is in Oslo'])
    expect(await at('2020-01-01T00:00:00Z')).toEqual(['My home is in Rome'])
    expect(await at('2009-01-01T00:00:00Z')).toEqual([])
    const { data } = await call('POST', '/memories/search', { query: 'home', asOf: '2015-06-01T00:00:00Z' })
    expect(data.items.map((item: { memory: { text: string } }) => item.memory.text)).toEqual([
      'My home is in Oslo'
    ])
  })

  test('what was not recorded yet was not known, and a window leaves out what is before and after', async () => {
    const days = ['2024-01-01', '2024-01-02', '2024-01-03']
    for (const day of days)
      await set(await remember(`Bee hive inspected on ${day}`), `created_at = '${day}T12:00:00Z'`)
    const recalled = async (more: object) =>
      textsOf(await recall('bee hive inspected', more))
        .map((text) => text.slice(-10))
        .sort()
    expect(await recalled({})).toEqual(days)
    expect(await recalled({ knownAt: '2024-01-02T12:00:00Z' })).toEqual(days.slice(0, 2))
    expect(await recalled({ knownAt: '2023-12-31T00:00:00Z' })).toEqual([])
    expect(await recalled({ from: '2024-01-02T12:00:00Z' })).toEqual(days.slice(1))
    expect(await recalled({ to: '2024-01-02T12:00:00Z' })).toEqual(days.slice(0, 1))
    expect(await recalled({ from: '2024-01-02T00:00:00Z', to: '2024-01-03T00:00:00Z' })).toEqual(
      days.slice(1, 2)
    )
    expect(await recalled({ from: '2024-01-03T00:00:00+14:00' })).toEqual(days.slice(1))
  })

  test('messages have the same window', async () => {
    await say('The bee hive was inspected today')
    const soon = new Date(Date.now() + 60_000).toISOString()
    const before = new Date(Date.now() - 600_000).toISOString()
    for (const window of [{}, { from: before }, { to: soon }, { knownAt: soon }]) {
      expect(await recall('bee hive inspected', { kinds: ['message'], ...window })).not.toEqual([])
    }
    for (const window of [{ from: soon }, { to: before }, { knownAt: before }]) {
      expect(await recall('bee hive inspected', { kinds: ['message'], ...window })).toEqual([])
    }
  })

  test('what is only proposed or forgotten is not recalled', async () => {
    await set(await remember('A bee hive costs 100 euros'), `status = 'proposed'`)
    await set(await remember('A bee hive costs 200 euros'), `forgotten_at = now()`)
    await set(await remember('A bee hive costs 300 euros'), `status = 'conflicting'`)
    expect(textsOf(await recall('What does a bee hive cost?'))).toEqual(['A bee hive costs 300 euros'])
  })

  test('only the kinds that are asked for', async () => {
    await remember('The bee hive is blue')
    await say('I painted the bee hive red')
    const kinds = async (more: object) => (await recall('bee hive', more)).map(({ kind }) => kind).sort()
    expect(await kinds({})).toEqual(['memory', 'message'])
    expect(await kinds({ kinds: ['memory'] })).toEqual(['memory'])
    expect(await kinds({ kinds: ['message'] })).toEqual(['message'])
    expect(await kinds({ kinds: ['passage', 'message', 'memory'] })).toEqual(['memory', 'message'])
    expect(await kinds({ kinds: ['passage'] })).toEqual([])
  })

  test('a message is recalled with its conversation, until that is deleted', async () => {
    const conversationId = await say('The bee hive behind the shed is mine')
    expect(await recall('bee hive behind the shed')).toEqual([
      {
        kind: 'message',
        id: expect.any(String),
        text: 'The bee hive behind the shed is mine',
        score: expect.any(Number),
        matchedBy: ['lexical'],
        at: expect.any(String),
        conversationId
      }
    ])
    await call('DELETE', `/conversations/${conversationId}`)
    expect(await recall('bee hive behind the shed')).toEqual([])
  })

  test('a memory says it, so the message it was taken from does not say it again', async () => {
    await say('My sister Ada keeps bees in Tromsø')
    expect((await recall('Ada bees')).map(({ kind }) => kind)).toEqual(['message'])
    await runJobs(house, owner.id)
    expect((await recall('Ada bees')).map(({ kind }) => kind)).toEqual(['memory'])
    expect((await recall('Ada bees', { kinds: ['message'] })).map(({ kind }) => kind)).toEqual(['message'])
  })

  test('a category is searched through, however much else fits better', async () => {
    for (let number = 1; number <= 130; number++)
      await remember(`bee hive honey ${number}`, { category: 'hobby' })
    await remember('A sting of a bee from the hive makes my hand swell for days on end', {
      category: 'health'
    })
    await runJobs(house, owner.id)
    const search = async (category: string) =>
      (await call('POST', '/memories/search', { query: 'bee hive honey', category })).data.items
    expect(await search('health')).toHaveLength(1)
    expect(await search('hobby')).toHaveLength(10)
    expect(await search('Health')).toEqual([])
  })

  test('a window is searched through, however much else fits better', async () => {
    const old = await remember('A bee from the hive stung my left hand in the summer')
    await set(old, `created_at = '2020-06-01Z'`)
    for (let number = 1; number <= 130; number++) await remember(`bee hive honey ${number}`)
    await runJobs(house, owner.id)
    expect(await recall('bee hive honey', { to: '2021-01-01T00:00:00Z' })).toHaveLength(1)
  })

  test('a query is words, whatever else it may be to a machine', async () => {
    await remember(`Robert'); DROP TABLE memories; -- keeps "bees" at 100%`)
    for (const query of [
      `Robert'); DROP TABLE memories; --`,
      'bees" OR 1=1',
      '%',
      '{}',
      '\\',
      '$1',
      'a'.repeat(10_000),
      '((((',
      ':*&|!'
    ]) {
      expect(Array.isArray(await recall(query)), query).toBe(true)
    }
    expect(await recall(`robert "bees"`)).toHaveLength(1)
    expect(await recall(Array.from({ length: 1_500 }, (_, index) => `w${index}`).join(' '))).toEqual([])
  })
})
