import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createLlm, type LlmSettings } from '../../src/llm/create-llm.ts'
import { RETRIES } from '../../src/llm/guard.ts'
import type { ModelEvent, Prompt } from '../../src/llm/model.ts'
import { eventually } from '../support/eventually.ts'
import { collect } from '../support/model-events.ts'
import { startScriptedBedrock } from '../support/scripted-bedrock.ts'
import { type ScriptedReply, startScriptedOpenAi } from '../support/scripted-openai.ts'

const PROMPT: Prompt = { system: '', messages: [{ role: 'user', content: 'Hi' }], sources: [] }
const IMAGE = { mediaType: 'image/png', data: Buffer.from('pixels') }
const SEEN: Prompt = { ...PROMPT, messages: [{ role: 'user', content: 'Look', images: [IMAGE] }] }
const DOWN: ScriptedReply = { status: 500, body: {} }
const REQUEST = { system: 'Find.', user: 'Ada', name: 'names', schema: { type: 'object' } }

/** Two providers, of which the second stands in for the first. */
async function setup(settings: Partial<LlmSettings> = {}) {
  const first = await startScriptedOpenAi()
  const second = await startScriptedOpenAi()
  onTestFinished(async () => {
    await first.close()
    await second.close()
  })
  const usages: string[] = []
  const llm = await createLlm({
    openAiBaseUrl: first.baseUrl,
    chatModel: 'one',
    servers: { lab: { baseUrl: second.baseUrl } },
    fallbackModels: ['lab:two'],
    embeddingDimensions: 64,
    retries: { ...RETRIES, firstWaitMs: 1 },
    onUsage: ({ model, kind }) => void usages.push(`${model} ${kind}`),
    ...settings
  })
  return { first, second, llm, usages }
}

const stream = (llm: {
  chat: { stream: (prompt: Prompt, signal: AbortSignal) => AsyncIterable<ModelEvent> }
}) => collect(llm.chat.stream(PROMPT, new AbortController().signal))

function break3(server: Awaited<ReturnType<typeof startScriptedOpenAi>>, reply = DOWN) {
  for (let tries = 0; tries < 3; tries++) server.script(reply)
}

describe('a reply', () => {
  test('is of the first model where that answers, and says so first', async () => {
    const { llm, second } = await setup()
    const { seen } = await stream(llm)
    expect(seen[0]).toEqual({ type: 'start', model: 'openai:one' })
    expect(second.requests).toEqual([])
  })

  test.each<[string, ScriptedReply]>([
    ['fails', DOWN],
    ['breaks off', { before: 'cut' }],
    ['is limited', { status: 429, body: {} }],
    ['is limited for long', { status: 429, body: {}, headers: { 'retry-after': '900' } }],
    ['is out of credit', { status: 429, body: { error: { code: 'insufficient_quota' } } }]
  ])('is of the next one where the first %s', async (_, reply) => {
    const { llm, first, second, usages } = await setup()
    break3(first, reply)
    second.script('Hello from two')
    const { seen } = await stream(llm)
    expect(seen.slice(0, 2)).toEqual([
      { type: 'start', model: 'lab:two' },
      { type: 'text-delta', text: 'Hello from two' }
    ])
    expect(first.requests.length).toBeLessThanOrEqual(3)
    expect(usages).toEqual(['lab:two chat'])
  })

  test('is not of another model where the first refuses', async () => {
    const { llm, first, second } = await setup()
    first.script({ status: 401, body: {} })
    expect((await stream(llm)).error?.code).toBe('PAI_MODEL_REFUSED')
    expect(second.requests).toEqual([])
  })

  test('that has begun is not begun again', async () => {
    const { llm, first, second } = await setup()
    first.script({ deltas: ['Hello'], ending: 'cut' })
    const { seen, error } = await stream(llm)
    expect(seen).toEqual([
      { type: 'start', model: 'openai:one' },
      { type: 'text-delta', text: 'Hello' }
    ])
    expect(error?.code).toBe('PAI_MODEL_FAILED')
    expect(first.requests).toHaveLength(1)
    expect(second.requests).toEqual([])
  })

  test('that none can give fails as the first model did', async () => {
    const { llm, first, second } = await setup()
    break3(first)
    second.script({ status: 401, body: {} })
    const { error } = await stream(llm)
    expect(error?.code).toBe('PAI_MODEL_FAILED')
    expect(error?.message).toContain('openai:one')
  })

  test.each<[string, ScriptedReply]>([
    ['refuses its key', { status: 401, body: {} }],
    ['cannot hold the prompt', { status: 400, body: { error: { code: 'context_length_exceeded' } } }]
  ])('is of the third one where the first is down and the second %s', async (_, reply) => {
    const { llm, first, second } = await setup({ fallbackModels: ['lab:two', 'lab:three'] })
    break3(first)
    second.script(reply)
    const { seen } = await stream(llm)
    expect(seen[0]).toEqual({ type: 'start', model: 'lab:three' })
    expect(second.requests.map(({ body }) => body.model)).toEqual(['two', 'three'])
  })

  test('may be a quote from memory in the end', async () => {
    const { llm, first } = await setup({ fallbackModels: ['offline'] })
    break3(first)
    const { seen } = await stream(llm)
    expect(seen[0]).toEqual({ type: 'start', model: 'offline' })
    expect(seen.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
  })

  test('comes at once of the next one while the first is left alone', async () => {
    const { llm, first, second } = await setup({ breaker: { failures: 2, windowMs: 60_000, restMs: 60_000 } })
    for (let turn = 0; turn < 2; turn++) {
      break3(first)
      await stream(llm)
    }
    expect(llm.providers()).toEqual([
      { provider: 'lab', circuit: 'closed', nearby: true },
      { provider: 'openai', circuit: 'open', nearby: true }
    ])
    const asked = first.requests.length
    expect((await stream(llm)).seen[0]).toEqual({ type: 'start', model: 'lab:two' })
    expect(first.requests).toHaveLength(asked)
    expect(second.requests).toHaveLength(3)
  })

  test('is of OpenAI where Bedrock throttles, and the other way round', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'id')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    onTestFinished(() => void vi.unstubAllEnvs())
    const aws = await startScriptedBedrock()
    onTestFinished(() => aws.close())
    const nova = 'bedrock:amazon.nova-lite-v1:0'
    const bedrock = { region: 'eu-north-1', endpoint: aws.endpoint }
    const { llm } = await setup({ chatModel: nova, fallbackModels: ['openai:one'], bedrock })
    for (let tries = 0; tries < 3; tries++)
      aws.script({ error: { status: 429, type: 'ThrottlingException' } })
    expect((await stream(llm)).seen[0]).toEqual({ type: 'start', model: 'openai:one' })
    expect(aws.requests).toHaveLength(3)
    const other = await setup({ chatModel: 'openai:one', fallbackModels: [nova], bedrock })
    break3(other.first)
    const { seen } = await stream(other.llm)
    expect(seen.slice(0, 2)).toEqual([
      { type: 'start', model: nova },
      { type: 'text-delta', text: 'Hello' }
    ])
  })

  test('that is stopped ends the request, and asks nobody else', async () => {
    const { llm, first, second } = await setup()
    first.script({ before: 'hang' })
    const stop = new AbortController()
    const events = llm.chat.stream(PROMPT, stop.signal)[Symbol.asyncIterator]()
    const pending = events.next()
    await first.waitForRequests(1)
    const began = performance.now()
    stop.abort('stopped')
    await expect(pending).rejects.toBe('stopped')
    await first.waitForClosed(1)
    expect(performance.now() - began).toBeLessThan(1_000)
    expect(second.requests).toEqual([])
  })

  test('whose reader leaves ends the request', async () => {
    const { llm, first } = await setup()
    first.script({ deltas: ['Hello'], ending: 'hang' })
    for await (const event of llm.chat.stream(PROMPT, new AbortController().signal))
      if (event.type === 'text-delta') break
    await first.waitForClosed(1)
  })
})

describe('an image', () => {
  test('is refused before any call by a model that does not see', async () => {
    const { llm, first } = await setup()
    const { error } = await collect(llm.chat.stream(SEEN, new AbortController().signal))
    expect(error?.code).toBe('PAI_MODEL_NO_IMAGES')
    expect(error?.message).toContain('openai:one')
    expect(first.requests).toEqual([])
  })

  test('goes to models that see, and past those that do not', async () => {
    const { llm, first, second } = await setup({
      chatModel: 'gpt-5-mini',
      fallbackModels: ['lab:two', 'lab:llava']
    })
    break3(first)
    const { seen } = await collect(llm.chat.stream(SEEN, new AbortController().signal))
    expect(seen[0]).toEqual({ type: 'start', model: 'lab:llava' })
    expect(second.requests.map(({ body }) => body.model)).toEqual(['llava'])
  })
})

test('an answer of a given shape falls back likewise', async () => {
  const { llm, first, second, usages } = await setup()
  break3(first)
  second.script('{"names":["Ada"]}')
  const answer = await llm.structured?.complete(REQUEST, new AbortController().signal)
  expect(answer?.value).toEqual({ names: ['Ada'] })
  expect(usages).toEqual(['lab:two structured'])
})

test('vectors are never of another model', async () => {
  const { llm, first, second, usages } = await setup({ embeddingModel: 'text-embedding-3-small' })
  for (let tries = 0; tries < 3; tries++) first.scriptEmbeddings(DOWN)
  await expect(llm.embedder.embed(['Ada'], new AbortController().signal)).rejects.toMatchObject({
    code: 'PAI_MODEL_FAILED'
  })
  expect(second.requests).toEqual([])
  await llm.embedder.embed(['Ada', 'Bo'], new AbortController().signal)
  await eventually(() => expect(usages).toEqual(['openai:text-embedding-3-small:64 embedding']))
})
