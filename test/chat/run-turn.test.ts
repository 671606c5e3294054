import { expect, onTestFinished, test } from 'vitest'
import { createLlm } from '../../src/llm/create-llm.ts'
import { RETRIES } from '../../src/llm/guard.ts'
import { describeEachDatabase } from '../support/database.ts'
import { type ScriptedReply, startScriptedOpenAi } from '../support/scripted-openai.ts'
import { openStream, parseEvents, STREAM, setUp } from './talk.ts'

describeEachDatabase('a turn whose model fails', (database) => {
  /** A house that answers through the real provider, from a server that does what it is told. */
  async function setUpProvider() {
    const server = await startScriptedOpenAi({ reply: () => 'Hello Ada' })
    onTestFinished(() => server.close())
    const llm = await createLlm({
      openAiApiKey: 'sk-test',
      openAiBaseUrl: server.baseUrl,
      chatModel: 'scripted',
      embeddingModel: 'offline',
      embeddingDimensions: 512,
      // Else the next answer would be taken in place of the failure.
      retries: { ...RETRIES, tries: 1 }
    })
    const { house, owner, call } = await setUp(database(), [], { llm })
    return { server, house, owner, call }
  }

  const FAILURES: [string, ScriptedReply, { code: string; retryable: boolean; words: string | null }][] = [
    [
      'answers 500',
      { status: 500, body: { error: { message: 'canary of the server' } } },
      { code: 'PAI_MODEL_FAILED', retryable: true, words: null }
    ],
    ['hangs up', { before: 'cut' }, { code: 'PAI_MODEL_UNREACHABLE', retryable: true, words: null }],
    [
      'refuses the key',
      { status: 401, body: { error: { message: 'canary of the server' } } },
      { code: 'PAI_MODEL_REFUSED', retryable: false, words: null }
    ],
    [
      'is out of breath',
      { status: 429, body: { error: { message: 'canary of the server' } } },
      { code: 'PAI_MODEL_RATE_LIMITED', retryable: true, words: null }
    ],
    [
      'is cut in the middle of its words',
      { deltas: ['Hello', ' Countess'], ending: 'cut' },
      { code: 'PAI_MODEL_FAILED', retryable: true, words: 'Hello Countess' }
    ],
    [
      'ends in the middle without a word about it',
      { deltas: ['Hello'], ending: 'end' },
      { code: 'PAI_MODEL_FAILED', retryable: true, words: 'Hello' }
    ],
    [
      'sends an error in its stream',
      { deltas: ['Hello'], streamError: { message: 'canary of the server' } },
      { code: 'PAI_MODEL_FAILED', retryable: true, words: 'Hello' }
    ]
  ]

  test.each(FAILURES)(
    'because it %s keeps the message and the words, says why, and can be tried again',
    async (_name, reply, { code, retryable, words }) => {
      const { server, house, call } = await setUpProvider()
      server.script(reply)
      const { status, data } = await call('POST', '/chat', { message: 'Who am I?' })
      expect(status).toBe(200)
      expect(data).toMatchObject({
        status: 'failed',
        error: { code, retryable, message: expect.stringContaining('openai:scripted') },
        message: words === null ? null : { content: words, role: 'assistant' }
      })
      expect(JSON.stringify(data)).not.toContain('canary')
      const path = `/conversations/${data.conversationId}/messages`
      const [said, ...replies] = (await call('GET', path)).data.items
      expect(said).toMatchObject({ role: 'user', content: 'Who am I?' })
      expect(replies).toEqual(words === null ? [] : [data.message])
      expect((await call('GET', `/turns/${data.turnId}`)).data).toEqual(data)

      const again = (await call('POST', `/messages/${said.id}/regenerate`)).data
      expect(again).toMatchObject({ status: 'completed', error: null, message: { content: 'Hello Ada' } })
      expect(again.message.parentId).toBe(said.id)
      expect((await call('GET', path)).data.items).toHaveLength(replies.length + 2)
      // What the provider does wrong is told to the owner; it is no fault of the service.
      expect(house.failures).toEqual([])
    }
  )

  test('because nobody listens there keeps the message and says so', async () => {
    const { server, call } = await setUpProvider()
    await server.close()
    const { data } = await call('POST', '/chat', { message: 'Who am I?' })
    expect(data).toMatchObject({
      status: 'failed',
      message: null,
      error: { code: 'PAI_MODEL_UNREACHABLE', retryable: true }
    })
    expect((await call('GET', `/conversations/${data.conversationId}/messages`)).data.items).toMatchObject([
      { content: 'Who am I?' }
    ])
  })

  test('streams its words, then `error`, then `done`, once each', async () => {
    const { server, house, owner, call } = await setUpProvider()
    server.script({ deltas: ['Hello', ' Countess'], ending: 'cut' })
    const stream = await openStream(house, owner, '/chat', { body: { message: 'Who am I?' } })
    const events = await stream.all()
    const types = events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1])
    expect(types).toEqual(['turn', 'text-delta', 'usage', 'error', 'done'])
    const words = events.map(({ type, data }) => (type === 'text-delta' ? data.text : ''))
    expect(words.join('')).toBe('Hello Countess')
    const turn = (await call('GET', `/turns/${events[0]?.data.turnId}`)).data
    expect(events.at(-2)?.data).toEqual(turn.error)
    expect(events.at(-1)?.data).toEqual({ status: 'failed', messageId: turn.message.id })
  })

  test('with its key sent again answers with the same failure, not with another try', async () => {
    const { server, call } = await setUpProvider()
    server.script({ status: 500, body: {} })
    const send = (headers = {}) =>
      call('POST', '/chat', { message: 'Hi' }, { 'idempotency-key': 'failing', ...headers })
    const first = await send()
    expect(first.data.status).toBe('failed')
    expect((await send()).text).toBe(first.text)
    expect(parseEvents((await send(STREAM)).text).at(-1)?.data).toEqual({ status: 'failed', messageId: null })
    expect(server.requests).toHaveLength(1)
  })

  test('by a fault of our own says nothing of it to the owner, and says it where faults are logged', async () => {
    const fault = new TypeError('canary of the house')
    const { house, call } = await setUp(database(), ['Hello', fault])
    const { status, data } = await call('POST', '/chat', { message: 'Hi' })
    expect(status).toBe(200)
    expect(data).toMatchObject({
      status: 'failed',
      message: { content: 'Hello' },
      error: { code: 'PAI_INTERNAL', message: 'Something went wrong', retryable: true }
    })
    expect(house.failures).toEqual([{ error: fault, doing: 'running a turn' }])
  })

  test('to embed what is asked is answered all the same, from the words alone', async () => {
    const { call } = await setUp(database(), ({ sources }) => [sources[0]?.text ?? 'nothing'], {
      llm: {
        embedder: {
          id: 'broken',
          dimensions: 512,
          semantic: false,
          embed: () => Promise.reject(new Error('the embedder is away'))
        }
      }
    })
    await call('POST', '/chat', { message: 'My sister Ada keeps bees in Tromsø' })
    const { data } = await call('POST', '/chat', { message: 'Where does my sister Ada keep bees?' })
    expect(data).toMatchObject({
      status: 'completed',
      message: { content: 'My sister Ada keeps bees in Tromsø' }
    })
  })
})
