import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createBedrockModels } from '../../src/llm/bedrock.ts'
import { retryAfterOf } from '../../src/llm/errors.ts'
import type { Prompt } from '../../src/llm/model.ts'
import { MODEL_TIMEOUTS, type ModelTimeouts } from '../../src/llm/silence.ts'
import { collect, describeError } from '../support/model-events.ts'
import { type ScriptedConverse, startScriptedBedrock } from '../support/scripted-bedrock.ts'

const MODEL = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
const WORDS = 'canary words of the owner'
const PROMPT: Prompt = { system: 'Be brief.', messages: [{ role: 'user', content: WORDS }], sources: [] }

const CACHE_POINT = { cachePoint: { type: 'default' } }

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'canary-id')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary-secret')
  return () => vi.unstubAllEnvs()
})

async function setup(timeouts: Partial<ModelTimeouts> = {}, name = MODEL) {
  const server = await startScriptedBedrock()
  onTestFinished(() => server.close())
  const onUsage = vi.fn()
  const models = createBedrockModels({
    region: 'eu-north-1',
    endpoint: server.endpoint,
    timeouts: { ...MODEL_TIMEOUTS, ...timeouts },
    onUsage
  })
  const model = models.chat(name)
  const stream = (prompt = PROMPT, signal = new AbortController().signal) => model.stream(prompt, signal)
  return { server, model, onUsage, stream }
}

describe('a reply', () => {
  test('streams as Bedrock sends it, with its thoughts, its calls and what it took', async () => {
    const { server, stream, onUsage } = await setup()
    const second = Promise.withResolvers<string>()
    server.script({
      reasoning: ['Hm'],
      deltas: ['Hello', second.promise],
      toolCalls: [{ toolUseId: 'a', name: 'look_up', input: { query: 'bees' } }],
      usage: { inputTokens: 4, outputTokens: 3, cacheReadInputTokens: 20, cacheWriteInputTokens: 2 }
    })
    const events = stream()[Symbol.asyncIterator]()
    expect((await events.next()).value).toEqual({ type: 'reasoning-delta', text: 'Hm' })
    expect((await events.next()).value).toEqual({ type: 'text-delta', text: 'Hello' })
    second.resolve(' Ada')
    expect((await events.next()).value).toEqual({ type: 'text-delta', text: ' Ada' })
    const call = { callId: 'a', name: 'look_up', arguments: '{"query":"bees"}' }
    expect((await events.next()).value).toEqual({ type: 'tool-call', call })
    const usage = { inputTokens: 26, outputTokens: 3, cachedTokens: 20 }
    expect((await events.next()).value).toEqual({ type: 'finish', reason: 'tool-calls', usage })
    expect((await events.next()).done).toBe(true)
    expect(onUsage.mock.calls).toEqual([[{ model: `bedrock:${MODEL}`, kind: 'chat', usage }]])
  })

  test.each([
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
    ['guardrail_intervened', 'content-filter'],
    ['something_new', 'other']
  ])('that ends for %s ends for %s', async (stopReason, reason) => {
    const { server, stream } = await setup()
    server.script({ stopReason })
    expect((await collect(stream())).seen.at(-1)).toMatchObject({ type: 'finish', reason })
  })

  test('is asked for as the Converse API wants it', async () => {
    const { server, stream } = await setup()
    await collect(
      stream({
        system: 'Be brief.',
        messages: [
          { role: 'assistant', content: 'Where were we?' },
          {
            role: 'user',
            content: 'Look',
            images: [{ mediaType: 'image/png', data: Buffer.from('pixels') }]
          },
          { role: 'user', content: ' \n' },
          {
            role: 'assistant',
            content: '',
            toolCalls: [{ callId: 'a', name: 'look_up', arguments: '{"query"' }]
          },
          { role: 'tool', callId: 'a', content: 'nothing \ud800', isError: true },
          { role: 'user', content: 'Well?' }
        ],
        tools: [{ name: 'look_up', description: 'Looks up.', schema: { type: 'object' } }],
        maxOutputTokens: 100,
        sources: []
      })
    )
    expect(server.requests[0]?.model).toBe(MODEL)
    expect(server.requests[0]?.body).toEqual({
      system: [{ text: 'Be brief.' }, CACHE_POINT],
      messages: [
        { role: 'user', content: [{ text: '…' }] },
        { role: 'assistant', content: [{ text: 'Where were we?' }] },
        {
          role: 'user',
          content: [
            { image: { format: 'png', source: { bytes: Buffer.from('pixels').toString('base64') } } },
            { text: 'Look' }
          ]
        },
        {
          role: 'assistant',
          content: [{ toolUse: { toolUseId: 'a', name: 'look_up', input: {} } }, CACHE_POINT]
        },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 'a', content: [{ text: 'nothing \ufffd' }], status: 'error' } },
            { text: 'Well?' }
          ]
        }
      ],
      toolConfig: {
        tools: [
          {
            toolSpec: { name: 'look_up', description: 'Looks up.', inputSchema: { json: { type: 'object' } } }
          }
        ]
      },
      inferenceConfig: { maxTokens: 100 }
    })
  })

  test('is kept by models that cache, up to the last words, which the notes go before', async () => {
    const { server, stream } = await setup()
    await collect(
      stream({
        system: 'Be brief.',
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Hello' },
          { role: 'user', content: 'Who am I?' }
        ],
        notes: '<memory>\n[1] Ada\n</memory>',
        sources: []
      })
    )
    expect(server.requests[0]?.body).toMatchObject({
      system: [{ text: 'Be brief.' }, CACHE_POINT],
      messages: [
        { content: [{ text: 'Hi' }] },
        { content: [{ text: 'Hello' }, CACHE_POINT] },
        { content: [{ text: '<memory>\n[1] Ada\n</memory>\n\nWho am I?' }] }
      ]
    })
  })

  test.each(['meta.llama3-3-70b-instruct-v1:0', 'anthropic.claude-3-5-sonnet-20240620-v1:0'])(
    'is asked of %s, which keeps nothing, without a word of it',
    async (name) => {
      const { server, stream } = await setup({}, name)
      await collect(stream())
      expect(server.requests[0]?.body.system).toEqual([{ text: 'Be brief.' }])
    }
  )

  test('is asked for without that of one that refuses it, from then on', async () => {
    const { server, stream } = await setup()
    const message = 'You invoked an unsupported model or your request did not allow prompt caching.'
    server.script({ error: { status: 403, type: 'AccessDeniedException', message } })
    expect((await collect(stream())).error).toBeNull()
    expect((await collect(stream())).error).toBeNull()
    const points = server.requests.map(({ body }) => (body.system as object[]).length - 1)
    expect(points).toEqual([1, 0, 0])
  })

  test('comes of a model that sees, where its name says so', async () => {
    const { model } = await setup()
    const imageLimit = { count: 20, bytes: 3_932_160 }
    expect(model.abilities).toEqual({ images: true, imageLimit, tools: true, structured: true })
    expect(
      createBedrockModels({ region: 'eu-north-1' }).chat('amazon.nova-micro-v1:0').abilities?.images
    ).toBe(false)
  })
})

describe('a failure', () => {
  test('says how long to wait, where Bedrock does', async () => {
    const { server, stream } = await setup()
    for (const [headers, waitMs] of [
      [{ 'Retry-After': '7' }, 7_000],
      [{}, undefined]
    ] as const) {
      server.script({ error: { status: 429, type: 'ThrottlingException', headers } })
      expect(retryAfterOf((await collect(stream())).error)).toBe(waitMs)
    }
  })

  test.each<[string, ScriptedConverse, string]>([
    [
      'a refused key',
      { error: { status: 403, type: 'UnrecognizedClientException', message: WORDS } },
      'PAI_MODEL_REFUSED'
    ],
    [
      'a model out of reach',
      { error: { status: 403, type: 'AccessDeniedException', message: WORDS } },
      'PAI_MODEL_REFUSED'
    ],
    ['throttling', { error: { status: 429, type: 'ThrottlingException' } }, 'PAI_MODEL_RATE_LIMITED'],
    [
      'a spent quota',
      { error: { status: 400, type: 'ServiceQuotaExceededException' } },
      'PAI_MODEL_OUT_OF_QUOTA'
    ],
    ['a bad request', { error: { status: 400, type: 'ValidationException' } }, 'PAI_MODEL_REFUSED'],
    [
      'a long prompt',
      {
        error: {
          status: 400,
          type: 'ValidationException',
          message: `prompt is too long: 200049 tokens > 200000 maximum ${WORDS}`
        }
      },
      'PAI_MODEL_CONTEXT_TOO_LONG'
    ],
    ['a slow model', { error: { status: 408, type: 'ModelTimeoutException' } }, 'PAI_MODEL_TIMEOUT'],
    ['a broken model', { error: { status: 424, type: 'ModelErrorException' } }, 'PAI_MODEL_FAILED'],
    ['a broken service', { error: { status: 500, type: 'InternalServerException' } }, 'PAI_MODEL_FAILED'],
    ['a page', { body: `<html>${WORDS}</html>` }, 'PAI_MODEL_FAILED'],
    ['a broken connection', { before: 'cut' }, 'PAI_MODEL_UNREACHABLE']
  ])('by %s has its code, and nothing of the owner in it', async (_, reply, code) => {
    const { server, stream } = await setup()
    server.script(reply)
    const { seen, error } = await collect(stream())
    expect(seen).toEqual([])
    expect(error?.code).toBe(code)
    expect(describeError(error)).not.toMatch(/canary/)
    expect(server.requests).toHaveLength(1)
  })

  test.each<[string, ScriptedConverse, string]>([
    ['of throttling', { exception: 'throttlingException' }, 'PAI_MODEL_RATE_LIMITED'],
    ['of the model', { exception: 'modelStreamErrorException' }, 'PAI_MODEL_FAILED'],
    ['of the service', { exception: 'internalServerException' }, 'PAI_MODEL_FAILED'],
    ['of the connection', { ending: 'cut' }, 'PAI_MODEL_UNREACHABLE'],
    ['of an end without a word of why', { ending: 'end' }, 'PAI_MODEL_FAILED'],
    ['of half a message', { ending: 'torn' }, 'PAI_MODEL_FAILED']
  ])('%s in the middle comes after the words so far', async (_, ending, code) => {
    const { server, stream } = await setup()
    server.script({ deltas: ['Hello', ' Ada'], ...ending })
    const { seen, error } = await collect(stream())
    expect(seen.map((event) => 'text' in event && event.text)).toEqual(['Hello', ' Ada'])
    expect(error?.code).toBe(code)
    expect(describeError(error)).not.toMatch(/canary/)
  })

  test('to connect says that Bedrock cannot be reached', async () => {
    const { server, stream } = await setup()
    await server.close()
    expect((await collect(stream())).error?.code).toBe('PAI_MODEL_UNREACHABLE')
  })

  test.each<[string, ScriptedConverse, number]>([
    ['before its headers', { before: 'hang' }, 0],
    ['after some words', { deltas: ['Hello'], ending: 'hang' }, 1]
  ])('of a model that falls silent %s is a timeout, and ends the request', async (_, reply, words) => {
    const { server, stream } = await setup({ firstTokenMs: 500, betweenTokensMs: 50 })
    server.script(reply)
    const { seen, error } = await collect(stream())
    expect(error?.code).toBe('PAI_MODEL_TIMEOUT')
    expect(seen).toHaveLength(words)
    await server.waitForClosed(1)
  })
})

describe('an abort', () => {
  test.each<[string, ScriptedConverse]>([
    ['before the first word', { before: 'hang' }],
    ['between two words', { deltas: ['Hello'], ending: 'hang' }]
  ])('%s ends the stream with its reason, and the request at the server', async (_, reply) => {
    const { server, stream } = await setup()
    server.script(reply)
    const stop = new AbortController()
    const events = stream(PROMPT, stop.signal)[Symbol.asyncIterator]()
    if (reply.deltas) await events.next()
    const pending = events.next()
    await server.waitForRequests(1)
    stop.abort(new Error('the owner stopped it'))
    await expect(pending).rejects.toThrow('the owner stopped it')
    await server.waitForClosed(1)
  })

  test('by a reader who leaves ends the request at the server', async () => {
    const { server, stream } = await setup()
    server.script({ deltas: ['Hello'], ending: 'hang' })
    for await (const event of stream()) {
      expect(event).toEqual({ type: 'text-delta', text: 'Hello' })
      break
    }
    await server.waitForClosed(1)
  })
})
