import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildTestApp, type TestApp } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { killedAt, type MemoryLine, type Said, speaker } from '../extraction.ts'

const MARCH: Said = {
  at: '2025-03-10T10:00:00Z',
  messages: [
    'I live in Oslo. I work at Nordea.',
    'My sister Ada lives in Tromsø and keeps bees. I like jazz.',
    'My blood group is A positive. I am allergic to hazelnuts.'
  ]
}
const JUNE: Said = {
  at: '2025-06-02T10:00:00Z',
  messages: [
    'I live in Bergen now.',
    'I no longer work at Nordea.',
    'My sister Ada keeps bees. I like folk music. My blood group is B negative.',
    'remember hazelnuts give me an allergic reaction'
  ]
}

describeEachDatabase('what is said later', (database) => {
  let house: TestApp
  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  afterAll(() => house.close())

  const talk = () => speaker(database(), house)
  async function told(...sessions: Said[]): Promise<Record<string, MemoryLine>> {
    const owner = await talk()
    for (const session of sessions) await owner.learn(await owner.say(session))
    return Object.fromEntries((await owner.state()).memories.map((memory) => [memory.text, memory]))
  }

  test('a later home takes the place of the earlier one, which stays in the history', async () => {
    const memories = await told(MARCH, JUNE)
    expect(memories['I live in Oslo.']).toMatchObject({
      status: 'superseded',
      successor: 'I live in Bergen now.',
      history: ['created', 'superseded']
    })
    expect(memories['I live in Bergen now.']).toMatchObject({ status: 'active', history: ['created'] })
  })

  test('the same conversations in the other order come to the same present', async () => {
    const memories = await told(JUNE, MARCH)
    expect(memories['I live in Bergen now.']?.status).toBe('active')
    expect(memories['I live in Oslo.']).toMatchObject({
      status: 'superseded',
      successor: 'I live in Bergen now.'
    })
  })

  test('what has ended ends', async () => {
    const memories = await told(MARCH, JUNE)
    expect(memories['I work at Nordea.']?.status).toMatch(/superseded|expired/)
  })

  test('what is said again, in more words or fewer, is a proof and not another memory', async () => {
    const memories = await told(MARCH, JUNE)
    expect(memories['My sister Ada keeps bees.']).toBeUndefined()
    expect(memories['My sister Ada lives in Tromsø and keeps bees.']).toMatchObject({
      proofs: 2,
      status: 'active'
    })
    expect(
      Object.values(memories).filter(({ text, status }) => /hazelnut/i.test(text) && status === 'active')
    ).toHaveLength(1)
  })

  test('what is told by pointing back takes the place of what it points to, and can be understood alone', async () => {
    const memories = await told(
      {
        at: '2025-03-01T10:00:00Z',
        messages: ['My dentist appointment with Dr Okafor is on 18 March at 10.', 'My sister Ada keeps bees.']
      },
      { at: '2025-03-10T10:00:00Z', messages: ['The practice called, they have moved it to 2 April.'] }
    )
    const texts = Object.keys(memories)
    const before = texts.find((text) => text.includes('18 March')) ?? ''
    const after = texts.find((text) => text.includes('2 April')) ?? ''
    expect(after).toMatch(
      /^My dentist appointment with Dr Okafor: the practice called, they have moved it to 2 April/i
    )
    expect(memories[before]).toMatchObject({ status: 'superseded', successor: after })
    expect(memories['My sister Ada keeps bees.']?.status).toBe('active')
  })

  test('likings do not drive each other out', async () => {
    const memories = await told(MARCH, JUNE)
    expect(memories['I like jazz.']?.status).toBe('active')
    expect(memories['I like folk music.']?.status).toBe('active')
  })

  test('what cannot have changed conflicts: both are kept, and the owner is asked', async () => {
    const memories = await told(MARCH, JUNE)
    expect(memories['My blood group is A positive.']).toMatchObject({
      status: 'conflicting',
      history: ['created', 'conflicted']
    })
    expect(memories['My blood group is B negative.']?.status).toBe('conflicting')
  })

  test('what one person has become changes nothing of another', async () => {
    const memories = await told(
      {
        at: '2025-01-01T10:00:00Z',
        messages: ['My sister Ada lives in Tromsø.', 'My brother Bob lives in Rome.']
      },
      { at: '2025-02-01T10:00:00Z', messages: ['My brother Bob lives in Paris now.'] }
    )
    expect(memories['My sister Ada lives in Tromsø.']?.status).toBe('active')
    expect(memories['My brother Bob lives in Rome.']?.status).toBe('superseded')
  })

  test('what was derived from something that changed needs confirming', async () => {
    const owner = await talk()
    await owner.learn(await owner.say(MARCH))
    const { pool } = database()
    await pool.query(
      `INSERT INTO memories (owner_id, id, text, text_hash, category, importance, status, origin)
       VALUES ($1, gen_random_uuid(), 'You go skiing near Oslo', 'x', 'habit', 0.3, 'active', 'inferred')`,
      [owner.ownerId]
    )
    await pool.query(
      `INSERT INTO memory_dependencies (owner_id, memory_id, depends_on)
       SELECT d.owner_id, d.id, o.id FROM memories d JOIN memories o ON o.owner_id = d.owner_id
        WHERE d.owner_id = $1 AND d.origin = 'inferred' AND o.text = 'I live in Oslo.'`,
      [owner.ownerId]
    )
    await owner.learn(await owner.say(JUNE))
    const derived = (await owner.state()).memories.find(({ text }) => text === 'You go skiing near Oslo')
    expect(derived).toMatchObject({ status: 'unconfirmed', history: ['questioned'] })
  })

  test('a worker killed anywhere, a hundred times, leaves what one that lives leaves', {
    timeout: 240_000
  }, async () => {
    const whole = await talk()
    await whole.learn(await whole.say(MARCH))
    await whole.learn(await whole.say(JUNE))
    const wanted = await whole.state()
    expect(wanted.unread).toBe(0)
    expect(wanted.memories.length).toBeGreaterThan(8)

    let kills = 0
    for (let at = 1; kills < 100; at++) {
      const owner = await talk()
      const march = await owner.say(MARCH)
      const june = await owner.say(JUNE)
      await owner.learn(march)
      // The same worker is killed again and again, each time a little further on, until it comes through.
      let further = at
      while (
        await killedAt(database(), further, further % 2 === 0 ? 'after' : 'before', () => owner.learn(june))
      ) {
        kills++
        further += 13
      }
      expect(await owner.state(), `killed at statement ${at}`).toEqual(wanted)
    }
  })

  test('two workers at once on the same and on other messages keep each fact once', async () => {
    const owner = await talk()
    await owner.learn(await owner.say(MARCH))
    const june = await owner.say(JUNE)
    await Promise.all([
      owner.learn(june),
      owner.learn(june.toReversed()),
      ...june.map((messageId) => owner.learn([messageId]))
    ])
    const { memories, unread } = await owner.state()
    expect(unread).toBe(0)
    const texts = memories.map(({ text }) => text)
    expect(new Set(texts).size).toBe(texts.length)
    for (const { sources } of memories) expect(new Set(sources).size).toBe(sources.length)
    expect(
      memories.filter(({ text, status }) => text.startsWith('I live in') && status === 'active')
    ).toHaveLength(1)
  })
})
