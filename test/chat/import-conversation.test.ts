import { describe, expect, test } from 'vitest'
import type { Embedder, StructuredModel } from '../../src/llm/model.ts'
import { createOfflineEmbedder } from '../../src/llm/offline-embedder.ts'
import { runJobs, takeJobs } from '../memory/jobs.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { type Call, callAs, setUp, shareHouse } from './talk.ts'

const TALK = [
  { role: 'user', name: 'Ada', content: 'I keep bees in Tromsø', createdAt: '2020-05-01T10:00:00.000Z' },
  { role: 'assistant', content: 'How many hives?', createdAt: '2020-05-01T10:00:05.000Z' },
  { role: 'user', name: 'Ada', content: 'Seven, all of them blue', createdAt: '2020-05-02T09:00:00.000Z' }
]

/** As many messages as asked for, each with a word of its own. */
function longTalk(length: number) {
  return Array.from({ length }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `Hive number${index} is doing well`,
    createdAt: new Date(Date.UTC(2020, 0, 1) + index * 60_000).toISOString()
  }))
}

async function found(call: Call, query: string): Promise<string[]> {
  const { data } = await call('POST', '/recall', { query, kinds: ['message'] })
  return data.items.map(({ id }: { id: string }) => id)
}

describeEachDatabase('an imported conversation', (database) => {
  const refused = shareHouse(database)

  test('is there as it was: its messages in order, each answering the one before, with their names and times', async () => {
    const { call } = await setUp(database())
    const { status, data } = await call('POST', '/conversations/import', { title: 'Bees', messages: TALK })
    expect(status).toBe(201)
    const { conversationId, messageIds } = data
    expect(data).toEqual({ conversationId, messageIds: expect.any(Array) })
    const { items } = (await call('GET', `/conversations/${conversationId}/messages`)).data
    expect(items).toEqual(
      TALK.map((said, index) => ({
        ...said,
        id: messageIds[index],
        conversationId,
        parentId: messageIds[index - 1] ?? null,
        model: null,
        citations: [],
        attachments: [],
        turnId: null,
        finishReason: null,
        turnStatus: null,
        turnError: null
      }))
    )
    expect((await call('GET', `/conversations/${conversationId}`)).data).toMatchObject({
      title: 'Bees',
      temporary: false,
      createdAt: TALK[0]?.createdAt,
      updatedAt: TALK[2]?.createdAt
    })
  })

  test('is found by its words when the call answers, and no model is called for it', async () => {
    const asked: string[] = []
    const structured: StructuredModel = {
      id: 'scripted',
      async complete({ user }) {
        asked.push(user)
        return { value: { facts: [] }, usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 } }
      }
    }
    const { house, model, call } = await setUp(database(), [], { works: true, llm: { structured } })
    const { data } = await call('POST', '/conversations/import', { messages: TALK })
    expect(await found(call, 'Where do I keep bees?')).toContain(data.messageIds[0])
    expect((await call('GET', `/conversations/${data.conversationId}`)).data.title).toBe(
      'I keep bees in Tromsø'
    )
    expect(model.asked).toEqual([])

    const extracting = (await call('POST', '/conversations/import', { messages: TALK, extract: true })).data
    await eventually(() => {
      for (const { role, content } of TALK) if (role === 'user') expect(asked.join()).toContain(content)
    })
    expect(asked.join()).not.toContain('How many hives?')
    expect(extracting.messageIds).toHaveLength(3)
    expect(house.failures).toEqual([])
  })

  test('waits for no embedder elsewhere: its words find it at once, its vectors are a job’s', async () => {
    const { local: _, ...remote } = createOfflineEmbedder(512)
    const asked: string[][] = []
    let isAway = true
    const embedder: Embedder = {
      ...remote,
      id: 'elsewhere:embedder:512',
      async embed(texts, signal) {
        asked.push(texts)
        if (isAway) throw new Error('the embedder is away')
        return remote.embed(texts, signal)
      }
    }
    const { house, call, owner } = await setUp(database(), [], { llm: { embedder } })
    const send = () =>
      call('POST', '/conversations/import', { messages: TALK }, { 'idempotency-key': 'once' })
    const { status, data } = await send()
    expect(status).toBe(201)
    expect(asked).toEqual([])
    const search = { query: 'Where do I keep bees?', kinds: ['message'], ways: ['lexical'] }
    expect((await call('POST', '/recall', search)).data.items[0].id).toBe(data.messageIds[0])
    expect((await send()).data).toEqual(data)
    isAway = false
    await runJobs(house, owner.id)
    const { rows } = await database().pool.query(
      'SELECT id FROM message_vectors WHERE owner_id = $1 AND model = $2 ORDER BY id',
      [owner.id, embedder.id]
    )
    expect(rows.map(({ id }) => id)).toEqual(data.messageIds)
    expect(asked.flat()).toHaveLength(TALK.length)
  })

  test('is not embedded again by a retry', async () => {
    const offline = createOfflineEmbedder(512)
    let embedded = 0
    const embedder: Embedder = {
      ...offline,
      embed(texts, signal) {
        embedded += texts.length
        return offline.embed(texts, signal)
      }
    }
    const { call } = await setUp(database(), [], { llm: { embedder } })
    for (let count = 0; count < 3; count++)
      await call('POST', '/conversations/import', { messages: TALK }, { 'idempotency-key': 'again' })
    expect(embedded).toBe(TALK.length)
  })

  test.each([
    ['everybody, where there is one speaker, whatever their name', ['Mira', 'Mira'], [0, 1]],
    ['the owner by name, of several', ['Ada Berg', 'Bob'], [0]],
    ['whoever has no name, of several', ['Bob', undefined], [1]],
    ['nobody, where several speak and none is the owner', ['Bob', 'Mira'], []],
    ['just the owner’s name, of several like it', ['Ada Marie', 'Ada', 'Bob'], [1]],
    ['nobody, where several are like the owner and none is just that', ['Ada Marie', 'Ada Berg'], []]
  ])('is learnt from by the words of %s', async (_whose, names, own) => {
    const { call, owner } = await setUp(database())
    const messages = names.map((name, hour) => ({
      role: 'user',
      ...(name && { name }),
      content: 'I live in Oslo.',
      createdAt: `2020-05-01T1${hour}:00:00.000Z`
    }))
    const { data } = await call('POST', '/conversations/import', { messages, extract: true })
    const jobs = (await takeJobs(database(), owner.id)).filter(({ name }) => name === 'memory.extract')
    expect(jobs.flatMap((job) => (job.data as { messageIds: string[] }).messageIds)).toEqual(
      own.map((index) => data.messageIds[index])
    )
    expect(data.nothingToLearn).toBe(own.length === 0 ? 'no-speaker-is-owner' : undefined)
  })

  test('is extracted from in small jobs, none of which takes long', async () => {
    const { call, owner } = await setUp(database())
    await call('POST', '/conversations/import', { messages: longTalk(50), extract: true })
    const jobs = (await takeJobs(database(), owner.id)).filter(({ name }) => name === 'memory.extract')
    const sizes = jobs.map(({ data }) => (data as { messageIds: string[] }).messageIds.length)
    expect(sizes.toSorted((a, b) => b - a)).toEqual([20, 5])
  })

  test('of long messages is indexed by their beginnings, and lets others work in between', async () => {
    const { call } = await setUp(database())
    const page = Array.from({ length: 15_000 }, (_, index) => `w${index}`).join(' ')
    const messages = longTalk(60).map((said) => ({ ...said, content: page.slice(0, 95_000) }))
    let turns = 0
    let ticking = true
    const tick = () => {
      turns++
      if (ticking) setImmediate(tick)
    }
    tick()
    const { status, data } = await call('POST', '/conversations/import', { messages })
    ticking = false
    expect(status).toBe(201)
    expect(turns).toBeGreaterThan(messages.length)
    const { rows } = await database().pool.query(
      'SELECT max(count)::int AS most FROM (SELECT count(*) FROM message_terms WHERE id = ANY($1) GROUP BY id) AS terms',
      [data.messageIds]
    )
    expect(rows[0].most).toBeLessThan(3_000)
  })

  test('goes on from its last message, like any conversation', async () => {
    const { call, model } = await setUp(database(), ['Seven.'])
    const { conversationId, messageIds } = (await call('POST', '/conversations/import', { messages: TALK }))
      .data
    const { message } = (await call('POST', '/chat', { conversationId, message: 'How many, then?' })).data
    const { items } = (await call('GET', `/conversations/${conversationId}/messages`)).data
    expect(items[3]).toMatchObject({ id: message.parentId, parentId: messageIds[2] })
    expect(model.asked[0]?.messages.map(({ content }) => content)).toEqual([
      ...TALK.map(({ content }) => content),
      'How many, then?'
    ])
  })

  test('comes once for its key, another body with it is refused, and without a key it comes again', async () => {
    const { call } = await setUp(database())
    const send = (body: object, headers = {}) => call('POST', '/conversations/import', body, headers)
    const key = { 'idempotency-key': 'import' }
    const answers = await Promise.all(Array.from({ length: 5 }, () => send({ messages: TALK }, key)))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect((await send({ messages: TALK, title: 'Other' }, key)).status).toBe(422)
    expect((await call('GET', '/conversations')).data.items).toHaveLength(1)
    await send({ messages: TALK })
    expect((await call('GET', '/conversations')).data.items).toHaveLength(2)
  })

  const [first] = TALK
  test.each([
    ['no message', { messages: [] }],
    ['a message without a time', { messages: [...TALK, { role: 'user', content: 'Hi' }] }],
    ['a time that is none', { messages: [...TALK, { ...first, createdAt: 'yesterday' }] }],
    [
      'a leap second, which no Date can hold',
      { messages: [{ ...first, createdAt: '2016-12-31T23:59:60Z' }] }
    ],
    ['a role nobody has', { messages: [...TALK, { ...first, role: 'tool' }] }],
    ['an empty message', { messages: [...TALK, { ...first, content: '' }] }],
    ['a NUL', { messages: [...TALK, { ...first, content: 'a\0b' }] }],
    ['half a character', { messages: [...TALK, { ...first, name: 'a\ud800' }] }],
    ['a field of its own', { messages: [...TALK, { ...first, mood: 'good' }] }],
    ['another owner', { messages: TALK, ownerId: '01900000-0000-7000-8000-000000000000' }]
  ])('with %s is refused whole', async (_what, body) => {
    const { status, data } = await refused()('POST', '/conversations/import', body)
    expect(status).toBe(400)
    expect(data.code).toMatch(/^PAI_/)
    expect((await refused()('GET', '/conversations')).data.items).toEqual([])
  })

  describe('of more than 500 messages', () => {
    test('is taken in at once and made findable afterwards, which can be watched', async () => {
      const { house, call } = await setUp(database(), [], { works: true })
      const { status, data } = await call('POST', '/conversations/import', { messages: longTalk(1_201) })
      expect(status).toBe(202)
      expect(data).toEqual({ importId: expect.any(String) })
      const progress = await eventually(async () => {
        const { data: read } = await call('GET', `/imports/${data.importId}`)
        expect(read.status).toBe('ready')
        return read
      })
      const { conversationId } = progress
      expect(progress).toEqual({
        id: data.importId,
        conversationId,
        total: 1_201,
        done: 1_201,
        status: 'ready'
      })
      for (const number of [0, 499, 500, 999, 1_200]) {
        const [best] = await found(call, `How is the hive number${number}?`)
        const { rows } = await database().pool.query('SELECT sequence FROM messages WHERE id = $1', [best])
        expect(rows).toEqual([{ sequence: number + 1 }])
      }
      expect(house.failures).toEqual([])
    })

    test('of long messages is worked on in parts of fewer', async () => {
      const offline = createOfflineEmbedder(512)
      const parts: number[] = []
      const embedder: Embedder = {
        ...offline,
        async embed(texts, signal) {
          parts.push(texts.length)
          return offline.embed(texts, signal)
        }
      }
      const { house, call, owner } = await setUp(database(), [], { llm: { embedder } })
      const messages = longTalk(501).map((said, index) =>
        index < 50 ? { ...said, content: `${said.content} ${'lorem '.repeat(16_000)}` } : said
      )
      const { importId } = (await call('POST', '/conversations/import', { messages })).data
      await runJobs(house, owner.id)
      expect((await call('GET', `/imports/${importId}`)).data).toMatchObject({ done: 501, status: 'ready' })
      expect(parts.length).toBeGreaterThan(2)
      expect(Math.min(...parts)).toBeLessThan(50)
    })

    test('goes on where it stopped when the work on it fails half-way', async () => {
      const offline = createOfflineEmbedder(512)
      const batches: number[] = []
      const embedder: Embedder = {
        ...offline,
        async embed(texts, signal) {
          batches.push(texts.length)
          if (batches.length === 2) throw new Error('the embedder is away')
          return offline.embed(texts, signal)
        }
      }
      const { house, call } = await setUp(database(), [], { works: true, llm: { embedder } })
      const { importId } = (await call('POST', '/conversations/import', { messages: longTalk(1_100) })).data
      const done = async () => (await call('GET', `/imports/${importId}`)).data
      await eventually(() => expect(house.failures).toHaveLength(1))
      expect(await done()).toMatchObject({ total: 1_100, done: 500, status: 'processing' })
      await eventually(async () => expect(await done()).toMatchObject({ done: 1_100, status: 'ready' }))
      // Each with the message before it and after it.
      expect(batches).toEqual([501, 502, 502, 101])
    })

    test('that is deleted meanwhile leaves nothing to do', async () => {
      const { house, call, owner } = await setUp(database())
      const { importId } = (await call('POST', '/conversations/import', { messages: longTalk(501) })).data
      const { conversationId } = (await call('GET', `/imports/${importId}`)).data
      await call('DELETE', `/conversations/${conversationId}`)
      expect((await call('GET', `/imports/${importId}`)).status).toBe(404)
      const { signal } = new AbortController()
      await house.services.jobs['conversations.import']({ ownerId: owner.id, importId }, signal)
      expect((await call('GET', '/conversations')).data.items).toEqual([])
    })

    test('is not found by another owner', async () => {
      const { house, call } = await setUp(database())
      const { importId } = (await call('POST', '/conversations/import', { messages: longTalk(501) })).data
      const stranger = callAs(house, await house.register())
      expect(await stranger('GET', `/imports/${importId}`)).toMatchObject({
        status: 404,
        data: { code: 'PAI_CHAT_IMPORT_NOT_FOUND' }
      })
    })
  })
})
