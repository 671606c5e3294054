import { describe, expect, onTestFinished, test } from 'vitest'
import { createBreaker } from '../../src/llm/breaker.ts'
import { createEmbedder } from '../../src/llm/embed-in-batches.ts'
import { createGuard } from '../../src/llm/guard.ts'
import { createOpenAiEmbedder } from '../../src/llm/openai-embedder.ts'
import { type ScriptedOpenAiOptions, startScriptedOpenAi } from '../support/scripted-openai.ts'

const signal = new AbortController().signal
const LOCAL = { model: 'nomic-embed-text', dimensions: 3 }

async function setup(settings: { model: string; dimensions: number }, options?: ScriptedOpenAiOptions) {
  const server = await startScriptedOpenAi(options)
  onTestFinished(() => server.close())
  const provider = createOpenAiEmbedder({ apiKey: 'sk-canary', baseUrl: server.baseUrl, ...settings })
  const embedder = createEmbedder(provider, createGuard(createBreaker()))
  const inputs = () => server.requests.map(({ body }) => body.input as string[])
  return { server, embedder, inputs }
}

function length(vector: number[] = []): number {
  return Math.hypot(...vector)
}

describe('vectors', () => {
  test('come in the order of the texts, whatever order the server answers in', async () => {
    const { server, embedder } = await setup(LOCAL)
    const data = [
      { index: 1, embedding: [0, 1, 0] },
      { index: 0, embedding: [1, 0, 0] }
    ]
    server.scriptEmbeddings({ body: { data } })
    expect(await embedder.embed(['a', 'b'], signal)).toEqual([
      [1, 0, 0],
      [0, 1, 0]
    ])
  })

  test('are asked for at their length where the model can shorten them', async () => {
    const { server, embedder } = await setup({ model: 'text-embedding-3-small', dimensions: 64 })
    const [vector] = await embedder.embed(['Ada'], signal)
    expect(vector).toHaveLength(64)
    expect(server.requests[0]?.body).toEqual({
      model: 'text-embedding-3-small',
      input: ['Ada'],
      encoding_format: 'float',
      dimensions: 64
    })
    expect(embedder.id).toBe('openai:text-embedding-3-small:64')
  })

  test('are cut to length, and made unit vectors again, where it cannot', async () => {
    const { server, embedder } = await setup(LOCAL, { embed: () => [3, 0, 4, 12] })
    expect(await embedder.embed(['Ada'], signal)).toEqual([[0.6, 0, 0.8]])
    expect(server.requests[0]?.body).not.toHaveProperty('dimensions')
  })

  test('that are too short are an error which names both lengths', async () => {
    const { embedder } = await setup(LOCAL, { embed: () => [1, 0] })
    await expect(embedder.embed(['Ada'], signal)).rejects.toMatchObject({
      code: 'PAI_MODEL_EMBEDDING_TOO_SHORT',
      message:
        'The model nomic-embed-text gives vectors of 2 dimensions where PAI_EMBEDDING_DIMENSIONS asks for 3'
    })
  })

  test.each([
    ['all zeros', [{ index: 0, embedding: [0, 0, 0] }]],
    ['no numbers', [{ index: 0, embedding: ['x', 1, 1] }]],
    ['too few', []],
    ['not there', undefined]
  ])('that are %s are a failure', async (_, data) => {
    const { server, embedder } = await setup(LOCAL)
    server.scriptEmbeddings({ body: { data } })
    await expect(embedder.embed(['Ada'], signal)).rejects.toMatchObject({ code: 'PAI_MODEL_FAILED' })
  })

  test('of no texts ask nothing of the server', async () => {
    const { server, embedder } = await setup(LOCAL)
    expect(await embedder.embed([], signal)).toEqual([])
    expect(server.requests).toHaveLength(0)
  })

  test('of texts without words are made here, so that they cannot fail the others', async () => {
    const { embedder, inputs } = await setup({ model: 'text-embedding-3-small', dimensions: 16 })
    const vectors = await embedder.embed(['', 'Ada', ' \n'], signal)
    expect(inputs()).toEqual([['Ada']])
    expect(vectors.map(length).map((value) => value.toFixed(6))).toEqual(['1.000000', '1.000000', '1.000000'])
  })
})

describe('many texts', () => {
  test('go in batches of at most 256, each text keeping its place', async () => {
    const { embedder, inputs } = await setup(LOCAL, { embed: (text) => [Number(text) + 1, 1, 0] })
    const vectors = await embedder.embed(
      Array.from({ length: 600 }, (_, index) => String(index)),
      signal
    )
    expect(inputs().map((input) => input.length)).toEqual([256, 256, 88])
    expect(vectors.map(([x = 0, y = 1]) => Math.round(x / y) - 1)).toEqual(
      Array.from({ length: 600 }, (_, index) => index)
    )
  })

  test('go in smaller batches when they are long', async () => {
    const { embedder, inputs } = await setup(LOCAL, { embed: () => [1, 0, 0] })
    await embedder.embed(Array(60).fill('bees '.repeat(1_600)), signal)
    for (const input of inputs()) expect(input.join('').length).toBeLessThanOrEqual(200_000)
    expect(inputs().flat()).toHaveLength(60)
  })

  test.each(['a', '蜜', '🐝', '\ud800'])(
    'made of %j are cut to what every model takes, whole characters only',
    async (piece) => {
      const { embedder, inputs } = await setup(LOCAL, { embed: () => [1, 0, 0] })
      await embedder.embed([piece.repeat(50_000)], signal)
      const [sent = ''] = inputs()[0] ?? []
      expect(Buffer.byteLength(sent)).toBeGreaterThan(8_000)
      expect(Buffer.byteLength(sent)).toBeLessThanOrEqual(8_191)
      expect(new Set(sent)).toEqual(new Set([piece.toWellFormed()]))
    }
  )
})

describe('a failure', () => {
  test('that passes is tried again', async () => {
    const { server, embedder } = await setup(LOCAL, { embed: () => [1, 0, 0] })
    server.scriptEmbeddings({ status: 429, body: {}, headers: { 'retry-after-ms': '1' } })
    server.scriptEmbeddings({ status: 500, body: {}, headers: { 'retry-after-ms': '1' } })
    expect(await embedder.embed(['Ada'], signal)).toEqual([[1, 0, 0]])
  })

  test('that stays has its code, and nothing of the owner in it', async () => {
    const { server, embedder } = await setup(LOCAL)
    server.scriptEmbeddings({ status: 401, body: { error: { message: 'canary', code: 'invalid_api_key' } } })
    const error: Error & { code?: string } = await embedder.embed(['canary'], signal).catch((error) => error)
    expect(error).toMatchObject({
      code: 'PAI_MODEL_REFUSED',
      cause: { status: 401, code: 'invalid_api_key' }
    })
    expect(`${error.message} ${error.stack} ${error.cause} ${JSON.stringify(error.cause)}`).not.toContain(
      'canary'
    )
  })

  test("by an abort is the signal's reason", async () => {
    const { server, embedder } = await setup(LOCAL)
    server.scriptEmbeddings({ before: 'hang' })
    const stop = new AbortController()
    const vectors = embedder.embed(['Ada'], stop.signal)
    await server.waitForRequests(1)
    stop.abort(new Error('stopped'))
    await expect(vectors).rejects.toThrow('stopped')
  })
})
