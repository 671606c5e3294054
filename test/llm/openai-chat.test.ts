import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Prompt } from '../../src/llm/model.ts'
import { createOpenAiChatModel } from '../../src/llm/openai-chat.ts'
import { MODEL_TIMEOUTS, type ModelTimeouts } from '../../src/llm/silence.ts'
import type { OnUsage } from '../../src/llm/usage-meter.ts'
import { collect, describeError } from '../support/model-events.ts'
import { type ScriptedReply, startScriptedOpenAi } from '../support/scripted-openai.ts'

const KEY = 'sk-canary-key'
const WORDS = 'canary words of the owner'
const PROMPT: Prompt = { system: 'Be brief.', messages: [{ role: 'user', content: WORDS }], sources: [] }
const USAGE = { inputTokens: 12, outputTokens: 3, cachedTokens: 8 }
const WIRE_USAGE = { prompt_tokens: 12, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } }

async function setup(timeouts: Partial<ModelTimeouts> = {}, onUsage?: OnUsage) {
  const server = await startScriptedOpenAi()
  onTestFinished(() => server.close())
  const model = createOpenAiChatModel({
    apiKey: KEY,
    baseUrl: server.baseUrl,
    model: 'scripted',
    timeouts: { ...MODEL_TIMEOUTS, ...timeouts },
    onUsage
  })
  return { server, model, stream: (signal = new AbortController().signal) => model.stream(PROMPT, signal) }
}

function readFixture(name: string): ScriptedReply {
  const body = readFileSync(new URL(`fixtures/${name}.sse`, import.meta.url), 'utf8')
  return { body, headers: { 'content-type': 'text/event-stream; charset=utf-8' } }
}

describe('a reply', () => {
  test('streams word by word, as the server sends it, and ends with its usage', async () => {
    const { server, stream } = await setup()
    const second = Promise.withResolvers<string>()
    server.script({ deltas: ['Hello', second.promise], usage: WIRE_USAGE })
    const events = stream()[Symbol.asyncIterator]()
    expect((await events.next()).value).toEqual({ type: 'text-delta', text: 'Hello' })
    second.resolve(' Ada')
    expect((await events.next()).value).toEqual({ type: 'text-delta', text: ' Ada' })
    expect((await events.next()).value).toEqual({ type: 'finish', reason: 'stop', usage: USAGE })
    expect((await events.next()).done).toBe(true)
  })

  test('asks a server whose templates know only turns that go to and fro for nothing else', async () => {
    const { server, model } = await setup()
    const messages: Prompt['messages'] = [
      { role: 'user', content: 'No answer came' },
      { role: 'user', content: 'And now?' }
    ]
    await collect(model.stream({ system: '', messages, sources: [] }, new AbortController().signal))
    expect(server.requests[0]?.body.messages).toEqual([
      { role: 'user', content: 'No answer came\n\nAnd now?' }
    ])
  })

  test.each([
    'System role not supported',
    'Only user and assistant roles are supported!',
    'Conversation roles must alternate user/assistant/user/assistant/...'
  ])(
    'asks a server that answers "%s" with the instructions in the words of the user, from then on',
    async (message) => {
      const { server, stream } = await setup()
      server.script({ status: 400, body: { object: 'error', message, type: 'BadRequestError', code: 400 } })
      expect((await collect(stream())).error).toBeNull()
      expect((await collect(stream())).error).toBeNull()
      const folded = [{ role: 'user', content: `Be brief.\n\n${WORDS}` }]
      const asked = server.requests.map(({ body }) => body.messages)
      expect(asked).toEqual([
        [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: WORDS }
        ],
        folded,
        folded
      ])
    }
  )

  test('that calls without end is cut off', async () => {
    const { server, stream } = await setup()
    const endless = { id: 'a', name: 'find', arguments: 'x'.repeat(500_000) }
    server.script({ toolCalls: [endless], ending: 'hang' })
    expect((await collect(stream())).error?.code).toBe('PAI_CHAT_REPLY_TOO_LONG')
  })

  test('asks for the model with the key, the instructions and the messages, well-formed', async () => {
    const { server, model } = await setup()
    const messages: Prompt['messages'] = [
      { role: 'user', content: 'Hi \ud800' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Who am I?' }
    ]
    await collect(model.stream({ system: 'Be brief.', messages, sources: [] }, new AbortController().signal))
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`)
    expect(server.requests[0]?.body).toEqual({
      model: 'scripted',
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi \ufffd' },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'Who am I?' }
      ]
    })
  })

  test('may call the tools it is given, and be limited in the words of the server', async () => {
    const { server, model } = await setup()
    const schema = { type: 'object', properties: {} }
    const tools = [{ name: 'now', description: 'Tells the time.', schema }]
    await collect(model.stream({ ...PROMPT, tools, maxOutputTokens: 50 }, new AbortController().signal))
    expect(server.requests[0]?.body).toMatchObject({
      max_tokens: 50,
      tools: [
        { type: 'function', function: { name: 'now', description: 'Tells the time.', parameters: schema } }
      ]
    })
  })

  test('tells what it took, also where it broke off after that', async () => {
    const onUsage = vi.fn()
    const { server, stream } = await setup({ afterFinishMs: 20 }, onUsage)
    server.script({ deltas: ['Hello'], usage: WIRE_USAGE })
    await collect(stream())
    const call = { model: 'openai:scripted', kind: 'chat', usage: USAGE }
    expect(onUsage.mock.calls).toEqual([[call]])
    const chunk = { choices: [{ delta: { content: 'Hello' } }], usage: WIRE_USAGE }
    server.script({
      body: `data: ${JSON.stringify(chunk)}\n\n`,
      headers: { 'content-type': 'text/event-stream' }
    })
    expect((await collect(stream())).error?.code).toBe('PAI_MODEL_FAILED')
    expect(onUsage.mock.calls).toEqual([[call], [call]])
    server.script({ status: 500, body: {} })
    await collect(stream())
    expect(onUsage).toHaveBeenCalledTimes(2)
    server.script({ deltas: ['Hello'], ending: 'finish-and-hang' })
    await collect(stream())
    // About four characters a token: what was sent is 34 of them, and what came five.
    const estimate = { inputTokens: 10, outputTokens: 2, cachedTokens: 0, estimated: true }
    expect(onUsage).toHaveBeenLastCalledWith({ ...call, usage: estimate })
  })

  test('that never began, whatever its status, took nothing', async () => {
    const onUsage = vi.fn()
    const { server, stream } = await setup({}, onUsage)
    const nothing: ScriptedReply[] = [
      { body: '<html>Bad gateway</html>' },
      { body: { error: { message: 'overloaded' } } },
      { deltas: [], streamError: { message: 'overloaded' } },
      { deltas: [], ending: 'cut' }
    ]
    for (const reply of nothing) {
      server.script(reply)
      expect((await collect(stream())).error?.code).toMatch(/^PAI_MODEL_/)
    }
    expect(onUsage).not.toHaveBeenCalled()
  })

  test('took what its words say where it was left before the server told', async () => {
    const onUsage = vi.fn()
    const { server, stream } = await setup({ betweenTokensMs: 50, firstTokenMs: 50 }, onUsage)
    const lefts: [ScriptedReply, number][] = [
      [{ deltas: ['Hello Ada'], ending: 'cut' }, 3],
      [{ deltas: ['Hello Ada'], ending: 'hang' }, 3],
      [{ reasoning: ['Who is she?'], deltas: ['Hello Ada'], ending: 'hang' }, 5],
      [{ toolCalls: [{ id: 'a', name: 'find', arguments: '{"who":"Ada"}' }], ending: 'end' }, 5],
      [{ before: 'hang' }, 0]
    ]
    for (const [reply, outputTokens] of lefts) {
      server.script(reply)
      await collect(stream())
      const usage = { inputTokens: 10, outputTokens, cachedTokens: 0, estimated: true }
      expect(onUsage).toHaveBeenLastCalledWith({ model: 'openai:scripted', kind: 'chat', usage })
    }
    expect(onUsage).toHaveBeenCalledTimes(lefts.length)
    server.script({ before: 'cut' })
    await collect(stream())
    expect(onUsage).toHaveBeenCalledTimes(lefts.length)
  })

  test('keeps thoughts from the words where the server does not', async () => {
    const { server, stream } = await setup()
    server.script({ deltas: ['<thi', 'nk>Bees?</', 'think>\n', '\nIn Tromsø.'], usage: WIRE_USAGE })
    expect((await collect(stream())).seen).toEqual([
      { type: 'reasoning-delta', text: 'Bees?' },
      { type: 'text-delta', text: 'In Tromsø.' },
      { type: 'finish', reason: 'stop', usage: USAGE }
    ])
  })

  test('carries reasoning and whole tool calls', async () => {
    const { server, stream } = await setup()
    const calls = [
      { id: 'a', name: 'look_up', arguments: '{"query":"bees"}' },
      { id: 'b', name: 'weather', arguments: '{}' }
    ]
    server.script({ reasoning: ['Hm'], toolCalls: calls, usage: WIRE_USAGE })
    expect((await collect(stream())).seen).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'tool-call', call: { callId: 'a', name: 'look_up', arguments: '{"query":"bees"}' } },
      { type: 'tool-call', call: { callId: 'b', name: 'weather', arguments: '{}' } },
      { type: 'finish', reason: 'tool-calls', usage: USAGE }
    ])
  })

  test.each(['no-done', 'only-done'] as const)('is whole when the server ends it with %s', async (ending) => {
    const { server, stream } = await setup()
    server.script({ deltas: ['Hello'], ending, usage: WIRE_USAGE })
    const { seen, error } = await collect(stream())
    expect(error).toBeNull()
    const reason = ending === 'no-done' ? 'stop' : 'other'
    expect(seen).toEqual([
      { type: 'text-delta', text: 'Hello' },
      { type: 'finish', reason, usage: USAGE }
    ])
  })

  test('is whole when the server has said why it ends and then falls silent', async () => {
    const { server, stream } = await setup({ afterFinishMs: 20 })
    server.script({ deltas: ['Hello'], ending: 'finish-and-hang' })
    expect((await collect(stream())).seen.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
  })

  test('leaves the connection open for the next one', async () => {
    const { server, stream } = await setup()
    for (let turn = 0; turn < 5; turn++) await collect(stream())
    expect(server.connections()).toBeLessThan(5)
  })

  test('names the model, and the provider where it is not OpenAI', () => {
    const settings = { apiKey: KEY, model: 'llama3.2' }
    expect(createOpenAiChatModel(settings).id).toBe('openai:llama3.2')
    expect(createOpenAiChatModel({ ...settings, provider: 'ollama' }).id).toBe('ollama:llama3.2')
  })
})

describe('a recorded stream', () => {
  test.each([
    ['openai', 'She keeps them in Tromsø. 🐝', '', 'stop', [1482, 77, 1280, 64]],
    ['ollama', 'In Tromsø.', 'The user asks about bees.', 'tool-calls', [31, 52, 0, 0]],
    ['vllm', '\n\nTromsø.', 'Bees, then.', 'length', [25, 8, 0, 0]],
    ['openrouter', 'Tromsø', '', 'stop', [12, 3, 4, 0]]
  ] as const)('of %s is understood', async (name, text, reasoning, reason, counts) => {
    const { server, stream } = await setup()
    server.script(readFixture(name))
    const { seen } = await collect(stream())
    const join = (type: string) =>
      seen.map((event) => (event.type === type && 'text' in event ? event.text : '')).join('')
    expect(join('text-delta')).toBe(text)
    expect(join('reasoning-delta')).toBe(reasoning)
    const [inputTokens, outputTokens, cachedTokens, reasoningTokens] = counts
    expect(seen.at(-1)).toEqual({
      type: 'finish',
      reason,
      usage: { inputTokens, outputTokens, cachedTokens, ...(reasoningTokens && { reasoningTokens }) }
    })
  })

  test('with line ends of CRLF is understood', async () => {
    const { server, stream } = await setup()
    const fixture = readFixture('openrouter')
    server.script({ ...fixture, body: String(fixture.body).replaceAll('\n', '\r\n') })
    expect((await collect(stream())).seen.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
  })
})

describe('a failure', () => {
  const error = (code: string | null, message = `about ${WORDS} and ${KEY}`, type?: string) => ({
    error: { message, code, type }
  })

  test.each<[string, number, object | string, string]>([
    ['a wrong key', 401, error('invalid_api_key'), 'PAI_MODEL_REFUSED'],
    ['a forbidden model', 403, error(null), 'PAI_MODEL_REFUSED'],
    ['an unknown model', 404, error('model_not_found'), 'PAI_MODEL_REFUSED'],
    ['a bad request', 400, error('invalid_value'), 'PAI_MODEL_REFUSED'],
    ['a long prompt, at OpenAI', 400, error('context_length_exceeded'), 'PAI_MODEL_CONTEXT_TOO_LONG'],
    [
      'a long prompt, at vLLM',
      400,
      error(null, "This model's maximum context length is 8"),
      'PAI_MODEL_CONTEXT_TOO_LONG'
    ],
    [
      'a long prompt, at an older vLLM',
      400,
      { object: 'error', message: 'This model has a maximum context length of 8 tokens', code: 400 },
      'PAI_MODEL_CONTEXT_TOO_LONG'
    ],
    [
      'a long prompt, at llama.cpp',
      400,
      error(null, '-', 'exceed_context_size_error'),
      'PAI_MODEL_CONTEXT_TOO_LONG'
    ],
    ['too many requests', 429, error('rate_limit_exceeded'), 'PAI_MODEL_RATE_LIMITED'],
    ['no credit', 429, error('insufficient_quota'), 'PAI_MODEL_OUT_OF_QUOTA'],
    ['a broken server', 500, error(null), 'PAI_MODEL_FAILED'],
    ['an overloaded server', 503, '<html>Unavailable</html>', 'PAI_MODEL_FAILED'],
    ['a page where a stream was due', 200, '<html>Sign in</html>', 'PAI_MODEL_FAILED'],
    ['a completion where a stream was due', 200, { choices: [] }, 'PAI_MODEL_FAILED']
  ])('by %s has its code, and nothing of the owner in it', async (_, status, body, code) => {
    const { server, stream } = await setup()
    server.script({ status, body })
    const { seen, error } = await collect(stream())
    expect(seen).toEqual([])
    expect(error?.code).toBe(code)
    expect(describeError(error)).not.toMatch(/canary/)
    expect(server.requests).toHaveLength(1)
  })

  test.each<[string, ScriptedReply]>([
    ['is cut', { ending: 'cut' }],
    ['ends without a word of why', { ending: 'end' }],
    ['reports an error', { streamError: { message: WORDS, code: 'server_error' } }]
  ])('of a stream that %s comes after the words so far', async (_, ending) => {
    const { server, stream } = await setup()
    server.script({ deltas: ['Hello', ' Ada'], ...ending })
    const { seen, error } = await collect(stream())
    expect(seen.map((event) => 'text' in event && event.text)).toEqual(['Hello', ' Ada'])
    expect(error?.code).toBe('PAI_MODEL_FAILED')
    expect(describeError(error)).not.toMatch(/canary/)
  })

  test('of a stream that holds no JSON is ours', async () => {
    const { server, stream } = await setup()
    const headers = { 'content-type': 'text/event-stream' }
    server.script({ body: `data: {"choices":[${WORDS}\n\ndata: [DONE]\n\n`, headers })
    const { error } = await collect(stream())
    expect(error?.code).toBe('PAI_MODEL_FAILED')
    expect(describeError(error)).not.toMatch(/canary/)
  })

  test('to connect says that the server cannot be reached', async () => {
    const { server, stream } = await setup()
    server.script({ before: 'cut' })
    expect((await collect(stream())).error?.code).toBe('PAI_MODEL_UNREACHABLE')
    await server.close()
    const { error } = await collect(stream())
    expect(error?.code).toBe('PAI_MODEL_UNREACHABLE')
    expect(error?.cause).toMatchObject({ name: 'APIConnectionError', code: 'ECONNREFUSED' })
  })

  test('to look up the host says that the server cannot be reached', async () => {
    const model = createOpenAiChatModel({ apiKey: KEY, baseUrl: 'http://pai.invalid/v1', model: 'scripted' })
    const { error } = await collect(model.stream(PROMPT, new AbortController().signal))
    expect(error?.code).toBe('PAI_MODEL_UNREACHABLE')
  })

  test.each<[string, ScriptedReply, number]>([
    ['before its headers', { before: 'hang' }, 0],
    ['after some words', { deltas: ['Hello'], ending: 'hang' }, 1]
  ])('of a server that falls silent %s is a timeout', async (_, reply, words) => {
    const { server, stream } = await setup({ firstTokenMs: 150, betweenTokensMs: 50 })
    server.script(reply)
    const { seen, error } = await collect(stream())
    expect(error?.code).toBe('PAI_MODEL_TIMEOUT')
    expect(seen).toHaveLength(words)
  })
})

describe('an abort', () => {
  test.each<[string, ScriptedReply]>([
    ['before the first word', { before: 'hang' }],
    ['between two words', { deltas: ['Hello'], ending: 'hang' }]
  ])('%s ends the stream with its reason', async (_, reply) => {
    const { server, stream } = await setup()
    server.script(reply)
    const stop = new AbortController()
    const events = stream(stop.signal)[Symbol.asyncIterator]()
    if (reply.deltas) await events.next()
    const pending = events.next()
    await server.waitForRequests(1)
    stop.abort(new Error('the owner stopped it'))
    await expect(pending).rejects.toThrow('the owner stopped it')
  })

  test('that came before asks nothing of the server', async () => {
    const { server, stream } = await setup()
    const { error } = await collect(stream(AbortSignal.abort(new Error('too late'))))
    expect(error?.message).toBe('too late')
    expect(server.requests).toHaveLength(0)
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
