import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { gate, openStream, parseEvents, STREAM, setUp, shareHouse } from './talk.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const USAGE = { inputTokens: 5, outputTokens: 2, cachedTokens: 1 }

describeEachDatabase('chat', (database) => {
  const refused = shareHouse(database)

  test('as JSON a turn answers with the whole contract, and nothing else', async () => {
    const { call } = await setUp(database())
    const { status, type, data } = await call('POST', '/chat', { message: 'Hi' })
    expect(status).toBe(200)
    expect(type).toContain('application/json')
    expect(data).toEqual({
      conversationId: expect.stringMatching(UUID),
      turnId: expect.stringMatching(UUID),
      status: 'completed',
      model: 'scripted:model',
      message: {
        id: expect.stringMatching(UUID),
        conversationId: data.conversationId,
        parentId: expect.stringMatching(UUID),
        role: 'assistant',
        content: 'Hello Ada',
        model: 'scripted:model',
        citations: [],
        attachments: [],
        turnId: data.turnId,
        finishReason: 'stop',
        turnStatus: 'completed',
        turnError: null,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      },
      memoriesUsed: [],
      usage: USAGE,
      finishReason: 'stop',
      error: null
    })
  })

  test('as a stream it is the same turn: `turn` first, `done` last and once, ids dense from 1', async () => {
    const { call } = await setUp(database(), [
      { type: 'reasoning-delta', text: 'A greeting.' },
      'Hello',
      ' Ada',
      { type: 'tool-call', call: { callId: 'c1', name: 'look', arguments: '{"at":"bees"}' } }
    ])
    const { status, type, text } = await call('POST', '/chat', { message: 'Hi' }, STREAM)
    expect(status).toBe(200)
    expect(type).toContain('text/event-stream')
    const events = parseEvents(text)
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
    const [turn] = events
    const { turnId, conversationId } = turn?.data ?? {}
    const answer = (await call('GET', `/turns/${turnId}`)).data
    expect(turn).toEqual({
      id: 1,
      type: 'turn',
      data: { turnId, conversationId, userMessageId: answer.message.parentId, model: 'scripted:model' }
    })
    const words = events.filter((event) => event.type === 'text-delta')
    expect(words.map(({ data }) => data.text).join('')).toBe('Hello Ada')
    expect(answer.message.content).toBe('Hello Ada')
    expect(
      events
        .slice(1)
        .map((event) => event.type)
        .filter((type, index, all) => type !== all[index - 1])
    ).toEqual(['reasoning-delta', 'text-delta', 'tool-call', 'usage', 'done'])
    expect(events.find((event) => event.type === 'tool-call')?.data).toEqual({
      callId: 'c1',
      name: 'look',
      arguments: '{"at":"bees"}'
    })
    expect(events.at(-2)?.data).toEqual(USAGE)
    expect(events.at(-1)?.data).toEqual({
      status: 'completed',
      messageId: answer.message.id,
      finishReason: 'stop'
    })
  })

  test('the first event comes when the message is stored, long before the reply', async () => {
    const { step, open } = gate()
    const { house, owner, call } = await setUp(database(), [step, 'Hello'])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    const { data } = await stream.until('turn')
    const { items } = (await call('GET', `/conversations/${data.conversationId}/messages`)).data
    expect(items).toMatchObject([{ id: data.userMessageId, role: 'user', content: 'Hi', parentId: null }])
    expect((await call('GET', `/turns/${data.turnId}`)).data).toMatchObject({
      status: 'running',
      message: null
    })
    expect((await call('GET', `/conversations/${data.conversationId}`)).data.activeTurnId).toBe(data.turnId)
    open()
    expect((await stream.all()).at(-1)).toMatchObject({ type: 'done', data: { status: 'completed' } })
    expect((await call('GET', `/conversations/${data.conversationId}`)).data.activeTurnId).toBeNull()
  })

  test('words stream while the model still speaks', async () => {
    const { step, open } = gate()
    const { house, owner } = await setUp(database(), ['Hello', step, ' Ada'])
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    expect(await stream.until('text-delta')).toMatchObject({ id: 2, data: { text: 'Hello' } })
    expect(stream.text).not.toContain('Ada')
    open()
    expect((await stream.all()).at(-1)).toMatchObject({ type: 'done' })
  })

  test('each word comes as soon as it is said, not at the next look into the log', async () => {
    const gates = Array.from({ length: 24 }, gate)
    const { house, owner } = await setUp(
      database(),
      gates.flatMap(({ step }) => [step, 'bees '])
    )
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Hi' } })
    await stream.until('turn')
    const started = performance.now()
    for (const [index, { open }] of gates.entries()) {
      open()
      await stream.until(({ id }) => id === index + 2)
    }
    // As many looks into the log, 250 ms apart, would take six seconds.
    expect(performance.now() - started).toBeLessThan(4_500)
  })

  test('a reply that cites what was recalled carries the citation, in the stream and in its message', async () => {
    const { call, model } = await setUp(database(), ({ sources }) =>
      sources.length > 0 ? ['In Tromsø [', '1] as you said [1], and [7].'] : ['Noted.']
    )
    const told = (await call('POST', '/chat', { message: 'My sister Ada keeps bees in Tromsø' })).data
    const { text } = await call('POST', '/chat', { message: 'Where does my sister Ada keep bees?' }, STREAM)
    const citation = {
      index: 1,
      kind: 'message',
      id: told.message.parentId,
      quote: 'My sister Ada keeps bees in Tromsø',
      at: expect.any(String)
    }
    const events = parseEvents(text)
    expect(events.filter(({ type }) => type === 'citation').map(({ data }) => data)).toEqual([citation])
    const turnId = events[0]?.data.turnId
    expect((await call('GET', `/turns/${turnId}`)).data.message.citations).toEqual([citation])
    expect(model.asked[1]?.notes).toContain('My sister Ada keeps bees in Tromsø')
  })

  test('a memory that was recalled is named in memoriesUsed, unless the message asks for none', async () => {
    const { call, model } = await setUp(database())
    const memory = (await call('POST', '/memories', { text: 'My sister Ada keeps bees in Tromsø' })).data
    const question = { message: 'Where does my sister Ada keep bees?' }
    const { memoriesUsed } = (await call('POST', '/chat', question)).data
    expect(memoriesUsed).toEqual([{ id: memory.id, text: memory.text, score: expect.any(Number) }])
    const without = (await call('POST', '/chat', { ...question, useMemory: false })).data
    expect(without.memoriesUsed).toEqual([])
    expect(model.asked[1]?.sources).toEqual([])
  })

  test('a conversation is known to the model, the newest branch alone', async () => {
    const { call, model } = await setUp(database(), ['Hello'])
    const { conversationId } = (await call('POST', '/chat', { message: 'One' })).data
    await call('POST', '/chat', { conversationId, message: 'Two' })
    expect(model.asked[1]?.messages).toEqual([
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Two' }
    ])
  })

  test('what a model says is kept whole, however its characters are cut, and without what cannot be stored', async () => {
    const { call } = await setUp(database(), [
      'a\0b ',
      '\ud83d',
      '\udc1d',
      ' \udc1d\ud83d',
      { type: 'reasoning-delta', text: '\0\ud83d' }
    ])
    const { status, data } = await call('POST', '/chat', { message: 'Hi' })
    expect(status).toBe(200)
    expect(data).toMatchObject({ status: 'completed', message: { content: 'ab 🐝 \ufffd\ufffd' } })
  })

  test('a model that says nothing ends in no message', async () => {
    const { call } = await setUp(database(), [])
    const { data } = await call('POST', '/chat', { message: 'Hi' })
    expect(data).toMatchObject({ status: 'completed', message: null, usage: USAGE })
  })

  test.each([
    { message: '' },
    { message: ' \n ' },
    { message: 1 },
    { message: 'Hi', colour: 'red' },
    { message: 'Hi', useMemory: 'yes' },
    { message: 'Hi', conversationId: 'mine' },
    { message: 'Hi\0' },
    { message: 'Hi \ud800' },
    {},
    []
  ])('a body that is not what it should be is refused and leaves nothing: %j', async (body) => {
    const { status, type, data } = await refused()('POST', '/chat', body)
    expect(status).toBe(400)
    expect(type).toContain('application/problem+json')
    expect(data.code).toMatch(/^PAI_/)
    expect((await refused()('GET', '/conversations')).data.items).toEqual([])
  })

  test('a turn that is refused is refused as a problem, also where events were asked for', async () => {
    const { call } = await setUp(database())
    const conversationId = '01900000-0000-7000-8000-000000000000'
    const { status, type, data } = await call('POST', '/chat', { message: 'Hi', conversationId }, STREAM)
    expect(status).toBe(404)
    expect(type).toContain('application/problem+json')
    expect(data.code).toBe('PAI_CHAT_CONVERSATION_NOT_FOUND')
  })

  test('the longest message is answered and a longer one refused; its reply is the same in every way to read it', async () => {
    const { call, model } = await setUp(database(), ['bees '.repeat(40_000)])
    const message = '🐝'.repeat(100_000)
    const { data } = await call('POST', '/chat', { message })
    expect(data.message.content).toBe('bees '.repeat(40_000))
    expect(model.asked[0]?.messages.at(-1)?.content).toBe(message)
    const { items } = (await call('GET', `/conversations/${data.conversationId}/messages`)).data
    expect(items.map(({ content }: { content: string }) => content)).toEqual([message, data.message.content])
    expect(items[1]).toEqual(data.message)
    expect((await call('POST', '/chat', { message: `${message}!` })).status).toBe(400)
  })

  test('many turns of one owner at once each end with their own words', async () => {
    const { call } = await setUp(database(), ({ messages }) => ['You said ', messages.at(-1)?.content ?? ''])
    const numbers = Array.from({ length: 20 }, (_, index) => index)
    const answers = await Promise.all(numbers.map((n) => call('POST', '/chat', { message: `Number ${n}` })))
    expect(answers.map(({ data }) => data.message.content)).toEqual(
      numbers.map((n) => `You said Number ${n}`)
    )
    expect(new Set(answers.map(({ data }) => data.turnId)).size).toBe(20)
  })

  test('an answered turn leaves nothing running', async () => {
    const { house, call } = await setUp(database())
    await call('POST', '/chat', { message: 'Hi' })
    await eventually(() => expect(house.services.runner.active).toBe(0))
    expect(house.failures).toEqual([])
  })
})
