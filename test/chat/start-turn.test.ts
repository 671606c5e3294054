import { v7 as uuidv7 } from 'uuid'
import { describe, expect, test } from 'vitest'
import type { Runner } from '../../src/chat/runner.ts'
import { createStartTurn } from '../../src/chat/start-turn.ts'
import { scriptedModel } from '../support/app.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'
import { type Call, callAs, gate, openStream, parseEvents, STREAM, setUp } from './talk.ts'

interface Row {
  id: string
  parentId: string | null
  role: string
  content: string
}

async function messagesOf(call: Call, conversationId: string): Promise<Row[]> {
  return (await call('GET', `/conversations/${conversationId}/messages?limit=200`)).data.items
}

describeEachDatabase('a message', (database, kind) => {
  describe('in its conversation', () => {
    test('without one it begins one, titled by its first words', async () => {
      const { call } = await setUp(database())
      const { conversationId } = (await call('POST', '/chat', { message: 'Hi,\n  it is me' })).data
      expect((await call('GET', `/conversations/${conversationId}`)).data).toMatchObject({
        title: 'Hi, it is me',
        temporary: false
      })
    })

    test('it answers the newest message, or the parent it names: an edit is a branch', async () => {
      const { call, model } = await setUp(database(), ({ messages }) => [`to ${messages.at(-1)?.content}`])
      const { conversationId, message: one } = (await call('POST', '/chat', { message: 'One' })).data
      await call('POST', '/chat', { conversationId, message: 'Two' })
      await call('POST', '/chat', { conversationId, message: 'Two, edited', parentId: one.id })
      await call('POST', '/chat', { conversationId, message: 'Three' })
      const rows = await messagesOf(call, conversationId)
      const parentOf = (content: string) => {
        const parentId = rows.find((row) => row.content === content)?.parentId
        return rows.find(({ id }) => id === parentId)?.content ?? null
      }
      expect(rows.map(({ content }) => [content, parentOf(content)])).toEqual([
        ['One', null],
        ['to One', 'One'],
        ['Two', 'to One'],
        ['to Two', 'Two'],
        ['Two, edited', 'to One'],
        ['to Two, edited', 'Two, edited'],
        ['Three', 'to Two, edited'],
        ['to Three', 'Three']
      ])
      expect(model.asked[3]?.messages.map(({ content }) => content)).toEqual([
        'One',
        'to One',
        'Two, edited',
        'to Two, edited',
        'Three'
      ])
    })

    test('a parent that is not in the conversation is refused, and nothing is stored', async () => {
      const { call } = await setUp(database())
      const here = (await call('POST', '/chat', { message: 'Here' })).data
      const there = (await call('POST', '/chat', { message: 'There' })).data
      const parentId = there.message.id
      for (const body of [{ conversationId: here.conversationId, parentId }, { parentId }]) {
        const { status, data } = await call('POST', '/chat', { message: 'Hi', ...body })
        expect([status, data.code]).toEqual([404, 'PAI_CHAT_MESSAGE_NOT_FOUND'])
      }
      expect(await messagesOf(call, here.conversationId)).toHaveLength(2)
      expect((await call('GET', '/conversations')).data.items).toHaveLength(2)
    })

    test('20 senders at once get numbers without gaps, and every message has an older parent', async () => {
      const { call, owner } = await setUp(database(), ({ messages }) => [`to ${messages.at(-1)?.content}`])
      const { conversationId } = (await call('POST', '/chat', { message: 'First' })).data
      const senders = Array.from({ length: 20 }, (_, index) => `Message ${index}`)
      const answers = await Promise.all(
        senders.map((message) => call('POST', '/chat', { conversationId, message }))
      )
      expect(answers.map(({ data }) => data.message.content)).toEqual(senders.map((text) => `to ${text}`))
      const { rows } = await database().pool.query<{ sequence: number }>(
        'SELECT sequence FROM messages WHERE owner_id = $1 AND conversation_id = $2 ORDER BY sequence',
        [owner.id, conversationId]
      )
      expect(rows.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: 42 }, (_, index) => index + 1)
      )
      const messages = await messagesOf(call, conversationId)
      const seen = new Set<string | null>([null])
      for (const { id, parentId } of messages) {
        expect(seen).toContain(parentId)
        seen.add(id)
      }
    })
  })

  describe('sent again with its Idempotency-Key', () => {
    const key = (value: string) => ({ 'idempotency-key': value })

    test('20 requests at once make one turn and get one answer', async () => {
      const { call, model, owner } = await setUp(database())
      const send = (accept = {}) => call('POST', '/chat', { message: 'Hi' }, { ...key('twenty'), ...accept })
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => send(index % 2 === 0 ? {} : STREAM))
      )
      const json = answers.filter((_, index) => index % 2 === 0)
      const streams = answers.filter((_, index) => index % 2 === 1)
      expect(json[0]?.status).toBe(200)
      expect(new Set(json.map(({ text }) => text)).size).toBe(1)
      expect(new Set(streams.map(({ text }) => text)).size).toBe(1)
      expect(parseEvents(streams[0]?.text ?? '')[0]?.data.turnId).toBe(json[0]?.data.turnId)
      expect(model.asked).toHaveLength(1)
      const { rows } = await database().pool.query(
        'SELECT count(*)::int AS messages FROM messages WHERE owner_id = $1',
        [owner.id]
      )
      expect(rows).toEqual([{ messages: 2 }])
    })

    test('while the turn runs it joins it, and after the end gets the same answer, in either form', async () => {
      const { step, open } = gate()
      const { house, owner, call, model } = await setUp(database(), ['Hello', step, ' Ada'])
      const body = { message: 'Hi' }
      const first = await openStream(house, owner, '/chat', { body, headers: key('again') })
      await first.until('text-delta')
      const second = await openStream(house, owner, '/chat', { body, headers: key('again') })
      await second.until('text-delta')
      open()
      const events = await first.all()
      expect(await second.all()).toEqual(events)
      const json = await call('POST', '/chat', body, key('again'))
      expect(json.data).toMatchObject({ turnId: events[0]?.data.turnId, message: { content: 'Hello Ada' } })
      expect((await call('POST', '/chat', body, { ...key('again'), ...STREAM })).text).toBe(first.text)
      expect((await call('GET', `/turns/${json.data.turnId}`)).data).toEqual(json.data)
      expect(model.asked).toHaveLength(1)
    })

    test('the order of the body’s fields does not matter, its values do', async () => {
      const { call } = await setUp(database())
      const first = await call('POST', '/chat', { message: 'Hi', useMemory: false }, key('order'))
      const second = await call('POST', '/chat', { useMemory: false, message: 'Hi' }, key('order'))
      expect(second.text).toBe(first.text)
      for (const other of [{ message: 'Hi' }, { message: 'Ho', useMemory: false }]) {
        const { status, data } = await call('POST', '/chat', other, key('order'))
        expect([status, data.code]).toEqual([422, 'PAI_IDEMPOTENCY_KEY_REUSED'])
      }
      expect((await call('GET', '/conversations')).data.items).toHaveLength(1)
    })

    test('a key is its owner’s: another person’s is another turn', async () => {
      const { house, call } = await setUp(database())
      const other = callAs(house, await house.register())
      const mine = await call('POST', '/chat', { message: 'Hi' }, key('shared'))
      const theirs = await other('POST', '/chat', { message: 'Something else' }, key('shared'))
      expect(theirs.status).toBe(200)
      expect(theirs.data.turnId).not.toBe(mine.data.turnId)
    })

    test('a key stands for one call: with another it is refused', async () => {
      const { call } = await setUp(database())
      const { data } = await call('POST', '/chat', { message: 'Hi' }, key('calls'))
      const regenerate = `/messages/${data.message.id}/regenerate`
      expect((await call('POST', regenerate, undefined, key('calls'))).status).toBe(422)
      expect((await call('POST', '/conversations', {}, key('calls'))).status).toBe(422)
    })

    test('a request that was refused leaves its key free', async () => {
      const { call } = await setUp(database())
      const conversationId = '01900000-0000-7000-8000-000000000000'
      expect((await call('POST', '/chat', { message: 'Hi', conversationId }, key('free'))).status).toBe(404)
      expect((await call('POST', '/chat', { message: 'Hi' }, key('free'))).status).toBe(200)
    })

    test('a regenerate is made once as well', async () => {
      const { call } = await setUp(database())
      const { data } = await call('POST', '/chat', { message: 'Hi' })
      const again = () => call('POST', `/messages/${data.message.id}/regenerate`, undefined, key('once'))
      const answers = await Promise.all(Array.from({ length: 5 }, again))
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect(await messagesOf(call, data.conversationId)).toHaveLength(3)
    })
  })

  describe('answered once more', () => {
    test('it gets another reply beside the first, by the reply’s id or its own', async () => {
      let said = 0
      const { call, model } = await setUp(database(), () => [`Answer ${++said}`])
      const { conversationId, message } = (await call('POST', '/chat', { message: 'Hi' })).data
      const second = (await call('POST', `/messages/${message.id}/regenerate`)).data
      const third = (await call('POST', `/messages/${message.parentId}/regenerate`)).data
      expect(second).toMatchObject({ conversationId, status: 'completed', message: { content: 'Answer 2' } })
      expect(await messagesOf(call, conversationId)).toMatchObject([
        { role: 'user', content: 'Hi', parentId: null },
        { content: 'Answer 1', parentId: message.parentId },
        { content: 'Answer 2', parentId: message.parentId },
        { content: 'Answer 3', parentId: message.parentId, id: third.message.id }
      ])
      expect(model.asked[2]?.messages).toEqual([{ role: 'user', content: 'Hi' }])
    })

    test('as events it is a turn like any other', async () => {
      const { call } = await setUp(database())
      const { message } = (await call('POST', '/chat', { message: 'Hi' })).data
      const { text } = await call('POST', `/messages/${message.id}/regenerate`, undefined, STREAM)
      const events = parseEvents(text)
      expect(events[0]).toMatchObject({ id: 1, type: 'turn', data: { userMessageId: message.parentId } })
      expect(events.at(-1)).toMatchObject({ type: 'done', data: { status: 'completed' } })
    })

    test('it is answered as it was asked: without memory again', async () => {
      const { call, model } = await setUp(database())
      await call('POST', '/memories', { text: 'My sister Ada keeps bees in Tromsø' })
      const asked = { message: 'Where does my sister Ada keep bees?', useMemory: false }
      const { message } = (await call('POST', '/chat', asked)).data
      await call('POST', `/messages/${message.id}/regenerate`)
      expect(model.asked.map(({ sources }) => sources.length)).toEqual([0, 0])
    })
  })

  describe('in a temporary conversation', () => {
    test('it leaves no job and nothing in the index, and neither does its regenerate', async () => {
      const { call, owner } = await setUp(database())
      const left = async () => {
        const { rows } = await database().pool.query(
          `SELECT (SELECT count(*)::int FROM pgboss.job WHERE data ->> 'ownerId' = $1::text) AS jobs,
                  (SELECT count(*)::int FROM message_terms WHERE owner_id = $1::uuid) AS terms,
                  (SELECT count(*)::int FROM message_vectors WHERE owner_id = $1::uuid) AS vectors`,
          [owner.id]
        )
        return rows[0]
      }
      const { message, conversationId } = (
        await call('POST', '/chat', { message: 'I keep bees', temporary: true })
      ).data
      await call('POST', `/messages/${message.id}/regenerate`)
      await call('POST', '/chat', { conversationId, message: 'They live in Tromsø' })
      expect(await left()).toEqual({ jobs: 0, terms: 0, vectors: 0 })
      expect((await call('GET', `/conversations/${conversationId}`)).data.temporary).toBe(true)

      await call('POST', '/chat', { message: 'I keep bees' })
      expect(await left()).toEqual({ jobs: 2, terms: expect.any(Number), vectors: 0 })
      expect((await left())?.terms).toBeGreaterThan(0)
    })
  })

  if (kind === 'embedded') return // One connection cannot be cut.

  test('a conversation that is remembered cannot become temporary by one message', async () => {
    const { call } = await setUp(database())
    const begin = async (temporary: boolean) =>
      (await call('POST', '/chat', { message: 'Hi', temporary })).data.conversationId
    const conversationId = await begin(false)
    const secret = { conversationId, message: 'This must leave nothing', temporary: true }
    expect(await call('POST', '/chat', secret)).toMatchObject({
      status: 409,
      data: { code: 'PAI_CHAT_CONVERSATION_NOT_TEMPORARY' }
    })
    expect((await call('GET', `/conversations/${conversationId}/messages`)).data.items).toHaveLength(2)
    expect((await call('POST', '/chat', { ...secret, conversationId: await begin(true) })).status).toBe(200)
  })

  test('nothing is stored when the database goes away in the middle, and the caller is told', async () => {
    const { call } = await setUp(database())
    const locker = await database().pool.connect()
    await locker.query('BEGIN; LOCK TABLE turns')
    const sending = call('POST', '/chat', { message: 'Hi' }, { 'idempotency-key': 'cut' })
    const blocked = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`
    await expect.poll(async () => (await locker.query(blocked)).rowCount).toBe(1)
    expect(await sending).toMatchObject({ status: 503, data: { code: 'PAI_DATABASE_UNAVAILABLE' } })
    await locker.query('ROLLBACK')
    locker.release()
    expect((await call('GET', '/conversations')).data.items).toEqual([])
    const again = await call('POST', '/chat', { message: 'Hi' }, { 'idempotency-key': 'cut' })
    expect(again.data.status).toBe('completed')
  })

  test('jobs give way to it until its first word, and no longer, however it was asked for', async () => {
    const ownerId = await createOwner(database())
    const waiting = new Set<object>()
    const begin = () => {
      const one = {}
      waiting.add(one)
      return () => void waiting.delete(one)
    }
    const model = scriptedModel(['Hello'])
    const run: Runner['run'] = ({ onFirstWord }) => {
      expect(waiting.size).toBe(1)
      onFirstWord()
    }
    const deps: Parameters<typeof createStartTurn>[0] = {
      database: database(),
      runner: { id: uuidv7(), run, claim: () => () => {} } as unknown as Runner,
      hiding: { messages: async (_tx, _ownerId, said) => said },
      readCarried: async () => undefined,
      recallFor: async () => [],
      giveWay: { begin },
      models: { chat: model, chatModel: () => model, inPlaceOf: () => model }
    }
    const startTurn = createStartTurn(deps)
    const conversationId = uuidv7()
    await startTurn.chat(ownerId, { message: 'Hi' }, 'one')
    await startTurn.chat(ownerId, { message: 'Hi' }, 'one')
    await expect(startTurn.chat(ownerId, { message: 'Hi', conversationId })).rejects.toThrow('not found')
    const { rows } = await database().pool.query('SELECT id FROM messages WHERE owner_id = $1', [ownerId])
    await startTurn.regenerate(ownerId, rows[0].id)
    const faulty = createStartTurn({
      ...deps,
      readCarried: () => {
        throw new Error('a fault of our own')
      }
    })
    await expect(faulty.chat(ownerId, { message: 'Hi' })).rejects.toThrow('a fault of our own')
    expect(waiting.size).toBe(0)
  })
})
