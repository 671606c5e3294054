import { expect, test } from 'vitest'
import { setUp } from '../../chat/talk.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJobs } from '../jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'
const BOTH = 'My sister Ada keeps bees in Tromsø and I work at Nordea.'
const TOLD = /bees|hives|Tromsø/i
const MINUTE = 60_000

describeEachDatabase('what is forgotten, until it is purged', (database) => {
  async function talk(answer = (index: number) => `It is Ada who keeps the bees [${index}]. Good night.`) {
    let time = Date.now()
    const { house, owner, call } = await setUp(
      database(),
      ({ sources }) => [sources[0] ? answer(sources[0].index) : 'I see.'],
      { now: () => new Date(time) }
    )
    const say = async (message: string, more: object = {}) =>
      (await call('POST', '/chat', { message, ...more }, { 'idempotency-key': crypto.randomUUID() })).data
    const list = async () => (await call('GET', '/memories')).data.items
    const learnt = async (words: RegExp): Promise<string> =>
      (await list()).find(({ text }: { text: string }) => words.test(text)).id
    return {
      house,
      owner,
      call,
      say,
      list,
      learnt,
      work: () => runJobs(house, owner.id),
      read: async (...paths: string[]) =>
        Promise.all(paths.map(async (path) => [path, (await call('GET', path)).text] as const)),
      forget: (id: string) => call('DELETE', `/memories/${id}`),
      undo: (id: string) => call('POST', `/memories/${id}/undo`),
      purge: async (id: string) => {
        time += 11 * MINUTE
        await house.services.purge(owner.id, id)
      },
      query: async (statement: string, ...values: unknown[]) =>
        (await database().pool.query(statement, [owner.id, ...values])).rows
    }
  }

  test('is shown nowhere from then on, and everywhere again once that is undone', async () => {
    const { say, work, read, list, forget, undo } = await talk()
    const { conversationId } = await say(BEES)
    await work()
    const { turnId, ...answered } = await say('Who keeps bees?', { conversationId })
    expect(answered.memoriesUsed).toMatchObject([{ text: BEES }])

    const shown = () =>
      read(
        '/conversations',
        `/conversations/${conversationId}`,
        `/conversations/${conversationId}/messages`,
        `/conversations/${conversationId}/export?format=json`,
        `/conversations/${conversationId}/export?format=markdown`,
        `/turns/${turnId}`,
        '/export?format=json',
        '/export?format=markdown',
        '/memories'
      )
    const before = await shown()
    expect(before.filter(([, text]) => !/keeps (?:the )?bees/.test(text))).toEqual([])

    const [{ id }] = await list()
    await forget(id)
    const hidden = await shown()
    expect(hidden.filter(([, text]) => /bees in|the bees|Tromsø/.test(text))).toEqual([])
    expect(hidden.find(([path]) => path.endsWith('/messages'))?.[1]).toContain('[forgotten] Good night.')

    await undo(id)
    const again = await shown()
    expect(again.filter(([, text]) => !/keeps (?:the )?bees/.test(text))).toEqual([])
  })

  test('is shown where it is told again', async () => {
    const { say, work, call, list, forget } = await talk()
    const { conversationId } = await say(BEES)
    await work()
    const [{ id }] = await list()
    await forget(id)
    await say(BEES, { conversationId })
    const messages = (await call('GET', `/conversations/${conversationId}/messages`)).data.items
    expect(messages.map(({ content }: { content: string }) => content)).toEqual([
      '[forgotten]',
      'I see.',
      BEES,
      'I see.'
    ])
  })

  test('is in no quote of what was told in the same sentence, and that is as the purge leaves it', async () => {
    const { say, work, learnt, call, read, forget, undo, purge } = await talk()
    await say(BOTH)
    await work()
    const [bees, nordea] = [await learnt(/bees/), await learnt(/Nordea/)]
    const shown = async () => [
      ...(await read(
        '/memories',
        `/memories/${nordea}`,
        `/memories/${nordea}/why`,
        '/export?format=json',
        '/export?format=markdown',
        '/conversations'
      )),
      ['search', (await call('POST', '/memories/search', { query: 'Nordea' })).text] as const
    ]
    const before = await shown()
    expect(before.filter(([, text]) => !TOLD.test(text))).toEqual([])
    await forget(bees)
    const hidden = await shown()
    expect(hidden.filter(([, text]) => TOLD.test(text))).toEqual([])
    const { sources } = (await call('GET', `/memories/${nordea}/why`)).data
    expect(sources).toMatchObject([
      { quote: '[forgotten]', message: '[forgotten]', conversationTitle: '[forgotten]' }
    ])

    await undo(bees)
    expect((await shown()).slice(1, 3)).toEqual(before.slice(1, 3))
    await forget(bees)
    await purge(bees)
    expect((await shown()).slice(0, 3)).toEqual(hidden.slice(0, 3))
  })

  test('stands in no log of a turn that has ended; other logs stay as they are', async () => {
    const { say, work, learnt, read, call, forget, undo } = await talk()
    await say(BEES)
    await work()
    const told = await say('Who keeps bees?')
    const other = await say('Hello!')
    const logs = [told, other].map(({ turnId }) => `/turns/${turnId}/events`)
    const before = await read(...logs)
    expect(before[0]?.[1]).toMatch(TOLD)
    const id = await learnt(/bees/)
    await forget(id)
    const gone = await call('GET', logs[0] as string)
    expect([gone.status, gone.data.code]).toEqual([410, 'PAI_CHAT_TURN_LOG_GONE'])
    expect((await read(...logs))[1]).toEqual(before[1])
    await undo(id)
    expect(await read(...logs)).toEqual(before)
  })

  test('is not recalled from a reply that told it in other words, or only what is left of that', async () => {
    const { say, work, learnt, call, forget } = await talk(
      (index) => `Hives up north [${index}]. Good night.`
    )
    const { conversationId } = await say(BEES)
    await work()
    await say('Who keeps bees?', { conversationId })
    await work()
    const recall = async (query: string): Promise<string[]> =>
      (await call('POST', '/recall', { query, kinds: ['message'], minMatch: 0 })).data.items.map(
        ({ text }: { text: string }) => text
      )
    expect(await recall('hives north')).toContain('Hives up north [1]. Good night.')
    await forget(await learnt(/bees/))
    await work()
    expect((await recall('hives north')).filter((text) => /hives|forgotten/i.test(text))).toEqual([])
    expect(await recall('good night')).toContain('[forgotten] Good night.')
  })

  test('is found in the words it was corrected from, and in what a speaker is called', async () => {
    const { say, work, learnt, call, read, forget } = await talk()
    await say(BEES)
    await work()
    const id = await learnt(/bees/)
    const messages = [
      { role: 'assistant', content: `${BEES} Well.`, createdAt: '2026-03-01T00:00:00Z' },
      {
        role: 'user',
        name: 'My sister Ada keeps bees in Tromsø',
        content: 'Well.',
        createdAt: '2026-03-01T00:01:00Z'
      }
    ]
    const { conversationId } = (await call('POST', '/conversations/import', { title: 'Old', messages })).data
    await call('PATCH', `/memories/${id}`, { text: 'Ada runs an apiary in the far north' })
    await forget(id)
    const [[, text] = ['', '']] = await read(`/conversations/${conversationId}/messages`)
    expect(JSON.parse(text).items).toMatchObject([
      { content: '[forgotten] Well.' },
      { name: '[forgotten]', content: 'Well.' }
    ])
  })

  test('gives no topic its name, where the others do not say all of that', async () => {
    const { work, call, learnt, query, forget, undo } = await talk()
    for (const text of [BEES, 'Ada sold honey from her bees', 'The bees swarmed on 4 May 2025']) {
      await call('POST', '/memories', { text })
    }
    await call('POST', '/consolidations')
    await work()
    const topics = async (): Promise<{ id: string; topic: string; size: number }[]> =>
      (await call('GET', '/memory-clusters')).data.items.map(
        ({ id, topic, size }: Record<string, unknown>) => ({ id, topic, size })
      )
    const id = await learnt(/Tromsø/)
    for (const [topic, left] of [
      ['bees, Ada', [{ topic: 'bees, Ada', size: 2 }]],
      ['bees, Tromsø', []]
    ] as const) {
      await query('UPDATE memory_clusters SET topic = $2 WHERE owner_id = $1', topic)
      const before = await topics()
      expect(before).toMatchObject([{ topic, size: 3 }])
      await forget(id)
      expect(await topics()).toMatchObject(left)
      expect(await topics()).toHaveLength(left.length)
      await undo(id)
      expect(await topics()).toEqual(before)
    }
  })

  test('is in no title that a model found for it, as the purge leaves that', async () => {
    const { say, work, learnt, query, call, forget, undo, purge } = await talk()
    const { conversationId } = await say(`${BEES} Good morning!`)
    await work()
    await query(
      `UPDATE conversations SET title = 'An apiary up north', titled_by = 'model' WHERE owner_id = $1`
    )
    const title = async () => (await call('GET', `/conversations/${conversationId}`)).data.title
    const id = await learnt(/bees/)
    await forget(id)
    expect(await title()).toBe('[forgotten]!')
    await undo(id)
    expect(await title()).toBe('An apiary up north')
    await forget(id)
    await purge(id)
    expect(await title()).toBe('[forgotten]!')
  })

  test('is in no summary, and in none that is made meanwhile', async () => {
    const { say, work, learnt, query, call, forget, undo } = await talk()
    const { conversationId } = await say(BEES)
    await work()
    for (let count = 0; count < 40; count++) await say('Fine.', { conversationId, useMemory: false })
    const summaries = () => query('SELECT text FROM conversation_summaries WHERE owner_id = $1')
    const tidy = async () => {
      await call('POST', '/consolidations')
      await work()
    }
    await query(
      `INSERT INTO conversation_summaries (owner_id, conversation_id, through_sequence, text)
       VALUES ($1, $2, 2, 'A relative looks after insects.')`,
      conversationId
    )
    const id = await learnt(/bees/)
    await forget(id)
    expect(await summaries()).toEqual([])
    await tidy()
    expect(await summaries()).toMatchObject([{ text: expect.not.stringMatching(TOLD) }])
    await undo(id)
    await tidy()
    expect(await summaries()).toMatchObject([{ text: expect.stringMatching(TOLD) }])
  })

  test('is neither told to a retry of what kept it, nor kept by that anew', async () => {
    const { call, list, forget, undo } = await talk()
    const keep = () => call('POST', '/memories', { text: BEES }, { 'idempotency-key': 'bees' })
    const first = await keep()
    await forget(first.data.id)
    const retry = await keep()
    expect([retry.status, retry.data.code]).toEqual([404, 'PAI_MEMORY_NOT_FOUND'])
    expect(await list()).toEqual([])
    await undo(first.data.id)
    expect((await keep()).data).toEqual(first.data)
  })
})
