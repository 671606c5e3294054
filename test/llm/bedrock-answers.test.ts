import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createBedrockModels } from '../../src/llm/bedrock.ts'
import { createBreaker } from '../../src/llm/breaker.ts'
import { createEmbedder } from '../../src/llm/embed-in-batches.ts'
import { createGuard } from '../../src/llm/guard.ts'
import type { StructuredRequest } from '../../src/llm/model.ts'
import { type ScriptedConverse, startScriptedBedrock } from '../support/scripted-bedrock.ts'

const TITAN = 'amazon.titan-embed-text-v2:0'
const signal = new AbortController().signal
const REQUEST: StructuredRequest = {
  system: 'Find the names.',
  user: 'Ada met Bo. canary',
  name: 'names',
  schema: { type: 'object', properties: { names: { type: 'array' } }, required: ['names'] }
}
const ANSWER = { toolCalls: [{ toolUseId: 'a', name: 'names', input: { names: ['Ada'] } }] }
const REFUSED = {
  error: { status: 400, type: 'ValidationException', message: 'toolChoice is not supported' }
}

beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'canary-id')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary-secret')
  return () => vi.unstubAllEnvs()
})

async function setup(dimensions = 512) {
  const server = await startScriptedBedrock()
  onTestFinished(() => server.close())
  const onUsage = vi.fn()
  const models = createBedrockModels({ region: 'eu-north-1', endpoint: server.endpoint, onUsage })
  const titan = models.embedder(TITAN, dimensions)
  if (!titan) throw new Error('Titan is not known')
  const guard = createGuard(createBreaker(), {
    tries: 3,
    firstWaitMs: 1,
    longestWaitMs: 100,
    longestWaitWithOthersMs: 100,
    withinMs: 10_000
  })
  const embedder = createEmbedder(titan, guard, onUsage)
  return { server, model: models.structured('amazon.nova-lite-v1:0'), embedder, models, onUsage }
}

describe('an answer of a given shape', () => {
  test('is what a tool is called with that must be called', async () => {
    const { server, model, onUsage } = await setup()
    server.script({ ...ANSWER, usage: { inputTokens: 9, outputTokens: 4 } })
    const usage = { inputTokens: 9, outputTokens: 4, cachedTokens: 0 }
    expect(await model.complete(REQUEST, signal)).toEqual({ value: { names: ['Ada'] }, usage })
    expect(onUsage.mock.calls).toEqual([
      [{ model: 'bedrock:amazon.nova-lite-v1:0', kind: 'structured', usage }]
    ])
    expect(server.requests[0]?.body).toMatchObject({
      system: [{ text: REQUEST.system }],
      messages: [{ role: 'user', content: [{ text: REQUEST.user }] }],
      toolConfig: {
        tools: [{ toolSpec: { name: 'names', inputSchema: { json: REQUEST.schema } } }],
        toolChoice: { tool: { name: 'names' } }
      }
    })
  })

  test('is asked for in words of a model that takes no orders, and from then on at once', async () => {
    const { server, model } = await setup()
    server.script(REFUSED)
    server.script({ deltas: ['<think>Ada?</think>```json\n{"names":["Ada"]}\n```'] })
    expect((await model.complete(REQUEST, signal)).value).toEqual({ names: ['Ada'] })
    server.script({ deltas: ['{"names":["Bo"]}'] })
    expect((await model.complete(REQUEST, signal)).value).toEqual({ names: ['Bo'] })
    expect(server.requests.map(({ body }) => 'toolConfig' in body)).toEqual([true, false, false])
    expect(JSON.stringify(server.requests[1]?.body.system)).toContain('JSON Schema')
  })

  test.each<[string, ScriptedConverse, string]>([
    ['no JSON', { deltas: ['canary, sorry'] }, 'PAI_MODEL_UNREADABLE'],
    ['nothing', {}, 'PAI_MODEL_UNREADABLE'],
    ['filtered', { deltas: ['canary'], stopReason: 'content_filtered' }, 'PAI_MODEL_REFUSED'],
    ['half a body', { body: '{"output": "canary' }, 'PAI_MODEL_FAILED'],
    ['throttled', { error: { status: 429, type: 'ThrottlingException' } }, 'PAI_MODEL_RATE_LIMITED']
  ])('that is %s has its code, and nothing of the owner in it', async (_, reply, code) => {
    const { server, model } = await setup()
    server.script(reply)
    const error: Error & { code?: string } = await model.complete(REQUEST, signal).catch((error) => error)
    expect(error.code).toBe(code)
    expect(`${error.message} ${error.stack} ${JSON.stringify(error.cause)} ${error.cause}`).not.toContain(
      'canary'
    )
  })

  test("that is given up ends with the signal's reason", async () => {
    const { server, model } = await setup()
    server.script({ before: 'hang' })
    const stop = new AbortController()
    const answer = model.complete(REQUEST, stop.signal)
    await server.waitForRequests(1)
    stop.abort(new Error('stopped'))
    await expect(answer).rejects.toThrow('stopped')
    await server.waitForClosed(1)
  })
})

describe('vectors of Titan', () => {
  test.each([
    [64, 256],
    [256, 256],
    [512, 512],
    [600, 1024]
  ])('of %i dimensions are asked for at %i', async (dimensions, asked) => {
    const { server, embedder } = await setup(dimensions)
    const [vector] = await embedder.embed(['Ada'], signal)
    expect(vector).toHaveLength(dimensions)
    expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1)
    expect(server.requests[0]).toMatchObject({
      operation: 'invoke',
      model: TITAN,
      body: { inputText: 'Ada', dimensions: asked, normalize: true }
    })
    expect(embedder.id).toBe(`bedrock:${TITAN}:${dimensions}`)
  })

  test('that would be too short are an error', async () => {
    const { server, embedder } = await setup(1536)
    await expect(embedder.embed(['Ada'], signal)).rejects.toMatchObject({
      code: 'PAI_MODEL_EMBEDDING_TOO_SHORT'
    })
    expect(server.requests).toEqual([])
  })

  test('are asked for one by one, eight at once, each in its place, and what they took is told', async () => {
    const { server, embedder, onUsage } = await setup()
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`)
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    for (let place = 0; place < 8; place++) server.script({ gate })
    const embedding = embedder.embed(texts, signal)
    await server.waitForRequests(8)
    open()
    const vectors = await embedding
    expect(server.requests).toHaveLength(20)
    expect(server.mostAtOnce()).toBe(8)
    const alone = await embedder.embed(['text 13'], signal)
    expect(vectors[13]).toEqual(alone[0])
    const tokens = onUsage.mock.calls.map(([{ usage }]) => usage.inputTokens)
    expect(tokens.reduce((sum, value) => sum + value, 0)).toBe(63)
  })

  test('that were throttled are asked for again, without those made beside them', async () => {
    const { server, embedder, onUsage } = await setup()
    server.script({ error: { status: 429, type: 'ThrottlingException' } })
    const texts = ['Ada', 'Bo', 'Cy', 'Di', 'Ed', 'Flo', 'Gus', 'Hal']
    const vectors = await embedder.embed(texts, signal)
    expect(server.requests).toHaveLength(9)
    expect(vectors).toEqual(
      await Promise.all(texts.map(async (text) => (await embedder.embed([text], signal))[0]))
    )
    const tokens = onUsage.mock.calls.map(([{ usage }]) => usage.inputTokens)
    expect(tokens.slice(0, 2)).toEqual([21, 3])
  })

  test('that were made are told of, where another cannot be', async () => {
    const { server, embedder, onUsage } = await setup()
    server.script({})
    server.script({ error: { status: 400, type: 'ValidationException' } })
    await expect(embedder.embed(['Ada', 'Bo'], signal)).rejects.toMatchObject({ code: 'PAI_MODEL_REFUSED' })
    expect(onUsage.mock.calls.map(([{ usage }]) => usage.inputTokens)).toEqual([3])
  })

  test.each(['{}', '<html>', '{"embedding":[1,2'])('that come as %s are a failure', async (body) => {
    const { server, embedder } = await setup()
    for (let tries = 0; tries < 3; tries++) server.script({ body })
    await expect(embedder.embed(['Ada'], signal)).rejects.toMatchObject({ code: 'PAI_MODEL_FAILED' })
    expect(server.requests).toHaveLength(3)
  })

  test('are of Titan only: how another embeds is not known', async () => {
    const { models } = await setup()
    expect(models.embedder('cohere.embed-english-v3', 512)).toBeNull()
  })
})
