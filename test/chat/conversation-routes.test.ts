import { describe, expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'
import { type Call, callAs, setUp, shareHouse } from './talk.ts'

const NOBODY = '01900000-0000-7000-8000-000000000000'

/** Every page of a list, from the first to the last. */
async function pagesOf(call: Call, path: string, limit: number) {
  const pages: { id: string; title: string; content: string }[][] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, data } = await call('GET', `${path}?limit=${limit}${cursor && `&cursor=${cursor}`}`)
    expect(status).toBe(200)
    pages.push(data.items)
    cursor = data.nextCursor
  }
  return pages
}

describeEachDatabase('conversations', (database) => {
  const refused = shareHouse(database)

  test('one is begun, read, renamed and deleted', async () => {
    const { call } = await setUp(database())
    const begun = await call('POST', '/conversations', { title: 'Bees' })
    expect(begun.status).toBe(201)
    expect(begun.data).toEqual({
      id: expect.any(String),
      model: null,
      title: 'Bees',
      temporary: false,
      memoryPaused: false,
      archived: false,
      createdAt: expect.stringMatching(/Z$/),
      updatedAt: begun.data.createdAt
    })
    const path = `/conversations/${begun.data.id}`
    expect((await call('GET', path)).data).toEqual({ ...begun.data, activeTurnId: null })
    expect((await call('GET', `${path}/messages`)).data).toEqual({ items: [], nextCursor: null })
    expect((await call('PATCH', path, { title: 'Hives' })).data).toEqual({ ...begun.data, title: 'Hives' })
    expect((await call('GET', '/conversations')).data.items).toEqual([{ ...begun.data, title: 'Hives' }])
    expect(await call('DELETE', path)).toMatchObject({ status: 204, text: '' })
    expect(await call('GET', path)).toMatchObject({
      status: 404,
      data: { code: 'PAI_CHAT_CONVERSATION_NOT_FOUND' }
    })
    expect((await call('GET', '/conversations')).data.items).toEqual([])
  })

  test('the same key begins one, also when its requests come at once', async () => {
    const { call } = await setUp(database())
    const begin = () => call('POST', '/conversations', { title: 'Bees' }, { 'idempotency-key': 'bees' })
    const answers = await Promise.all(Array.from({ length: 5 }, begin))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect((await call('GET', '/conversations')).data.items).toHaveLength(1)
  })

  test('deleting one takes its messages, turns, logs and index rows with it, and no other’s', async () => {
    const { call, owner } = await setUp(database())
    const { conversationId, message, turnId } = (await call('POST', '/chat', { message: 'I keep bees' })).data
    await call('POST', `/messages/${message.id}/regenerate`)
    const kept = (await call('POST', '/chat', { message: 'I keep hens' })).data
    await call('DELETE', `/conversations/${conversationId}`)
    for (const path of [`/turns/${turnId}`, `/turns/${turnId}/events`]) {
      expect((await call('GET', path)).status).toBe(404)
    }
    const { rows } = await database().pool.query(
      `SELECT (SELECT count(*)::int FROM messages WHERE owner_id = $1) AS messages,
              (SELECT count(*)::int FROM turns WHERE owner_id = $1) AS turns,
              (SELECT count(DISTINCT turn_id)::int FROM turn_events WHERE owner_id = $1) AS logs,
              EXISTS (SELECT FROM message_terms WHERE owner_id = $1 AND term = 'bee') AS bees,
              EXISTS (SELECT FROM message_terms WHERE owner_id = $1 AND term = 'hen') AS hens,
              EXISTS (SELECT FROM term_counts WHERE owner_id = $1 AND term = 'bee') AS counted`,
      [owner.id]
    )
    expect(rows).toEqual([{ messages: 2, turns: 1, logs: 1, bees: false, hens: true, counted: false }])
    expect((await call('GET', `/turns/${kept.turnId}`)).data).toEqual(kept)
  })

  test.each([
    ['POST', '', { colour: 'red' }],
    ['POST', '', { title: 'a'.repeat(201) }],
    ['POST', '', { title: 1 }],
    ['PATCH', `/${NOBODY}`, {}],
    ['PATCH', `/${NOBODY}`, { title: '' }],
    ['PATCH', `/${NOBODY}`, { title: 'a', temporary: true }],
    ['GET', '/mine', undefined],
    ['DELETE', '/mine', undefined],
    ['GET', '?limit=0', undefined],
    ['GET', '?limit=201', undefined],
    ['GET', '?limit=many', undefined],
    ['GET', '?order=oldest', undefined],
    ['GET', '?archived=maybe', undefined],
    ['PATCH', `/${NOBODY}`, { archived: 'yes' }],
    ['GET', '?cursor=', undefined],
    ['GET', '?cursor=nonsense', undefined],
    ['GET', `?cursor=${Buffer.from('never me').toString('base64url')}`, undefined],
    ['GET', `/${NOBODY}/messages?cursor=-1`, undefined],
    ['GET', `/${NOBODY}/messages?cursor=one`, undefined],
    ['GET', `/${NOBODY}/messages?cursor=99999999999`, undefined],
    ['GET', `/${NOBODY}/messages?limit=0`, undefined]
  ] as const)('a request that is not what it should be is refused: %s %s %j', async (method, path, body) => {
    const { status, data } = await refused()(method, `/conversations${path}`, body)
    expect(status).toBe(400)
    expect(data.code).toMatch(/^PAI_(VALIDATION|CURSOR_INVALID)$/)
  })

  describe('in pages', () => {
    test('every conversation comes once, newest activity first, whatever the size of a page', async () => {
      const { call, owner } = await setUp(database())
      const titles = Array.from({ length: 11 }, (_, index) => `Number ${index}`)
      for (const title of titles) await call('POST', '/conversations', { title })
      const newest = titles.toReversed()
      // Some were active in the same millisecond, where the id must decide.
      await database().pool.query(
        `UPDATE conversations SET updated_at = '2026-01-01' WHERE owner_id = $1 AND title = ANY ($2)`,
        [owner.id, titles.slice(2, 8)]
      )
      const expected = [...newest.slice(0, 3), ...newest.slice(9), ...newest.slice(3, 9)]
      for (const limit of [1, 2, 3, 5, 6, 11, 12]) {
        const pages = await pagesOf(call, '/conversations', limit)
        expect(pages.flat().map(({ title }) => title)).toEqual(expected)
        expect(pages.map((page) => page.length)).toEqual(
          Array.from({ length: Math.ceil(11 / limit) }, (_, page) => Math.min(limit, 11 - page * limit))
        )
      }
    })

    test('a conversation that is spoken in comes to the front', async () => {
      const { call } = await setUp(database())
      const [old, young] = [
        (await call('POST', '/conversations', { title: 'Old' })).data,
        (await call('POST', '/conversations', { title: 'Young' })).data
      ]
      await call('POST', '/chat', { conversationId: old.id, message: 'Hi' })
      const { items } = (await call('GET', '/conversations')).data
      expect(items.map(({ id }: { id: string }) => id)).toEqual([old.id, young.id])
    })

    test('every message comes once, oldest first, the branches too', async () => {
      const { call } = await setUp(database(), ({ messages }) => [`to ${messages.at(-1)?.content}`])
      const { conversationId, message } = (await call('POST', '/chat', { message: 'One' })).data
      await call('POST', '/chat', { conversationId, message: 'Two' })
      await call('POST', `/messages/${message.id}/regenerate`)
      await call('POST', '/chat', { conversationId, message: 'Three' })
      const expected = ['One', 'to One', 'Two', 'to Two', 'to One', 'Three', 'to Three']
      for (const limit of [1, 2, 3, 7, 8]) {
        const pages = await pagesOf(call, `/conversations/${conversationId}/messages`, limit)
        expect(pages.flat().map(({ content }) => content)).toEqual(expected)
        expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(7)
        expect(pages).toHaveLength(Math.ceil(7 / limit))
      }
    })
  })

  test('a message has the fields of the contract and no others', async () => {
    const { call } = await setUp(database())
    const { conversationId, turnId, message } = (await call('POST', '/chat', { message: 'Hi' })).data
    expect(message).toMatchObject({ turnId, attachments: [] })
    const { items } = (await call('GET', `/conversations/${conversationId}/messages`)).data
    expect(items).toEqual([
      {
        id: message.parentId,
        conversationId,
        parentId: null,
        role: 'user',
        content: 'Hi',
        model: null,
        citations: [],
        attachments: [],
        turnId: null,
        finishReason: null,
        turnStatus: 'completed',
        turnError: null,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      },
      message
    ])
  })

  test('a message tells how the newest turn ended that was to answer it, and a reply how its own did', async () => {
    const steps = [['Half', new Error('away')], [new Error('away')], ['Whole']]
    const { call } = await setUp(database(), () => steps.shift() ?? [])
    const { conversationId, message } = (await call('POST', '/chat', { message: 'Hi' })).data
    const failed = { turnStatus: 'failed', turnError: { code: 'PAI_INTERNAL', retryable: true } }
    const completed = { turnStatus: 'completed', turnError: null }
    const shown = async () => (await call('GET', `/conversations/${conversationId}/messages`)).data.items
    expect(message).toMatchObject(failed)
    expect(await shown()).toMatchObject([failed, { content: 'Half', ...failed }])
    await call('POST', `/messages/${message.id}/regenerate`)
    expect(await shown()).toMatchObject([failed, failed])
    await call('POST', `/messages/${message.id}/regenerate`)
    expect(await shown()).toMatchObject([completed, failed, { content: 'Whole', ...completed }])
  })

  test('another owner’s ids are not found anywhere, and nothing of theirs changes', async () => {
    const { house, call } = await setUp(database())
    const { conversationId, turnId, message } = (await call('POST', '/chat', { message: 'My secret' })).data
    const before = await Promise.all(
      [
        `/conversations/${conversationId}`,
        `/conversations/${conversationId}/messages`,
        `/turns/${turnId}`
      ].map((path) => call('GET', path))
    )
    const stranger = callAs(house, await house.register())
    const attempts: [Parameters<Call>[0], string, unknown?][] = [
      ['GET', `/conversations/${conversationId}`],
      ['PATCH', `/conversations/${conversationId}`, { title: 'Mine' }],
      ['DELETE', `/conversations/${conversationId}`],
      ['GET', `/conversations/${conversationId}/messages`],
      ['POST', '/chat', { message: 'Hi', conversationId }],
      ['POST', '/chat', { message: 'Hi', parentId: message.id }],
      ['POST', '/chat', { message: 'Hi', conversationId, parentId: message.id }],
      ['POST', `/messages/${message.id}/regenerate`],
      ['POST', `/messages/${message.parentId}/regenerate`],
      ['GET', `/turns/${turnId}`],
      ['GET', `/turns/${turnId}/events`],
      ['POST', `/turns/${turnId}/stop`]
    ]
    for (const [method, path, body] of attempts) {
      const theirs = await stranger(method, path, body)
      expect([path, theirs.status, theirs.data.code]).toEqual([
        path,
        404,
        expect.stringMatching(/^PAI_CHAT_(CONVERSATION|MESSAGE|TURN)_NOT_FOUND$/)
      ])
      // What is somebody else's cannot be told from what is not there at all.
      const ids = [conversationId, turnId, message.id, message.parentId]
      const nobodys = JSON.parse(
        ids.reduce((text, id) => text.replaceAll(id, NOBODY), JSON.stringify([path, body ?? null]))
      )
      const missing = await stranger(method, nobodys[0], nobodys[1] ?? undefined)
      expect([missing.status, missing.data.code]).toEqual([theirs.status, theirs.data.code])
    }
    expect((await stranger('GET', '/conversations')).data.items).toEqual([])
    const after = await Promise.all(
      [
        `/conversations/${conversationId}`,
        `/conversations/${conversationId}/messages`,
        `/turns/${turnId}`
      ].map((path) => call('GET', path))
    )
    expect(after).toEqual(before)
  })
})
