import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { loggerOptions } from '../../src/http/log.ts'
import { createLlm } from '../../src/llm/create-llm.ts'
import { openTracing } from '../../src/telemetry/open-tracing.ts'
import { meterCalls } from '../../src/usage/account.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startScriptedOpenAi } from '../support/scripted-openai.ts'
import { type CollectedSpan, startTraceCollector } from '../support/trace-collector.ts'

const SAID = 'My sister Ottilie keeps zebrafish in Tromsø'
const WORDS = /ottilie|zebrafish|tromsø|sister/i

let collector: Awaited<ReturnType<typeof startTraceCollector>>
let tracing: ReturnType<typeof openTracing>
let troubles = 0
// Before any database is opened: connections are traced from their opening on.
beforeAll(async () => {
  collector = await startTraceCollector()
  const { endpoint } = collector
  tracing = openTracing({
    endpoint,
    ratio: 1,
    service: 'pai-test',
    onTrouble: () => troubles++,
    gatherMs: 20
  })
})
afterAll(async () => {
  await tracing.close(2_000)
  await collector.close()
})
beforeEach(() => {
  collector.spans.length = 0
  collector.bodies.length = 0
})

const nameOf = (span: CollectedSpan | undefined) => span?.name
const all = (name: string) => collector.spans.filter((span) => span.name === name)

describeEachDatabase('a turn’s trace', (database) => {
  /** The house with a provider that is reached over its real protocol. */
  async function open(trustsTraces = false) {
    const server = await startScriptedOpenAi()
    onTestFinished(() => server.close())
    const llm = await createLlm({
      openAiBaseUrl: server.baseUrl,
      chatModel: 'scripted',
      embeddingModel: 'openai:text-embedding-3-small',
      embeddingDimensions: 512,
      ...meterCalls(() => {})
    })
    const lines: string[] = []
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk))
        done()
      }
    })
    const logger = pino(loggerOptions('trace'), stream)
    const house = await buildTestApp(database(), { llm, works: true, logger, trustsTraces })
    onTestFinished(() => house.close())
    const owner = await house.register()
    const { headers } = owner
    const url = `${await house.listen()}/v1`
    const post = (path: string, body: object, more: Record<string, string> = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', ...more },
        body: JSON.stringify(body)
      })
    return { owner, server, lines, post, url, headers }
  }

  test('the request, the turn, its model, its statements and the jobs it leaves are one tree', async () => {
    const { owner, server, post, lines } = await open()
    server.script({ deltas: ['Noted', '.'], usage: { prompt_tokens: 321, completion_tokens: 12 } })
    const answer = await post('/chat', { message: SAID })
    expect(answer.status).toBe(200)
    await answer.text()
    await eventually(() => {
      const names = collector.spans.map(nameOf)
      for (const name of ['POST /v1/chat', 'turn', 'job memory.extract', 'job memory.index', 'chat scripted'])
        expect(names).toContain(name)
    })

    const [request] = all('POST /v1/chat')
    if (!request) throw new Error('no request')
    expect(request).toMatchObject({
      kind: 2,
      service: 'pai-test',
      facts: { 'http.request.method': 'POST', 'http.route': '/v1/chat', 'http.response.status_code': 200 }
    })
    expect(request.parentSpanId).toBeUndefined()
    const tree = () => collector.spans.filter(({ traceId }) => traceId === request.traceId)
    const parentOf = ({ parentSpanId }: CollectedSpan) =>
      collector.spans.find(({ spanId }) => spanId === parentSpanId)
    await eventually(() => {
      // One is sent when it ends, which its parent may do later.
      for (const span of tree()) expect(span === request || parentOf(span), span.name).toBeTruthy()
      for (const name of ['job memory.extract', 'job memory.index'])
        expect(
          tree().find((span) => span.name === name),
          name
        ).toBeDefined()
    })
    const inTree = (name: string) => tree().find((span) => span.name === name) as CollectedSpan
    expect(nameOf(parentOf(inTree('turn')))).toBe('POST /v1/chat')
    expect(nameOf(parentOf(inTree('chat scripted')))).toBe('turn')
    expect(nameOf(parentOf(inTree('job memory.extract')))).toBe('turn')
    expect(inTree('chat scripted')).toMatchObject({
      kind: 3,
      facts: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'scripted',
        'gen_ai.usage.input_tokens': 321,
        'gen_ai.usage.output_tokens': 12,
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.response.time_to_first_chunk': expect.any(Number)
      }
    })
    expect(inTree('job memory.extract')).toMatchObject({
      kind: 5,
      facts: { 'messaging.destination.name': 'memory.extract', 'pai.job.tries': 1, 'pai.job.outcome': 'done' }
    })
    const statements = tree().filter(({ facts }) => facts['db.system.name'] === 'postgresql')
    const summaries = statements.map(({ facts }) => String(facts['db.query.summary']))
    expect(summaries.find((text) => /INSERT messages.*INSERT turns/.test(text))).toBeDefined()
    const inJobs = statements.filter((span) => nameOf(parentOf(span))?.startsWith('job '))
    expect(inJobs.length).toBeGreaterThan(0)

    // Not a word of the message, nor whose it is, in what is sent or logged.
    const sent = collector.bodies.join('\n')
    expect(sent).not.toMatch(WORDS)
    for (const theirs of [owner.id, '@example.org']) expect(sent).not.toContain(theirs)
    expect(lines.join('')).not.toMatch(WORDS)
    const answered = lines.map((line) => JSON.parse(line)).filter(({ route }) => route === '/v1/chat')
    expect(answered).toMatchObject([{ trace_id: request.traceId, span_id: request.spanId }])
    expect(troubles).toBe(0)
  })

  test('a caller says which trace it is in only where callers are trusted with it', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    for (const trusts of [false, true]) {
      const { url, headers } = await open(trusts)
      collector.spans.length = 0
      await fetch(`${url}/me`, { headers: { ...headers, traceparent } })
      await fetch(`${url}/me`, { headers: { ...headers, traceparent: `${traceparent}-of-a-stranger` } })
      await eventually(() => expect(all('GET /v1/me')).toHaveLength(2))
      const [first, second] = all('GET /v1/me')
      expect(first?.traceId === traceparent.slice(3, 35)).toBe(trusts)
      expect(first?.parentSpanId).toBe(trusts ? 'b7ad6b7169203331' : undefined)
      expect(second?.parentSpanId).toBeUndefined()
    }
  })

  test('a body that comes in many pieces loses no trace', async () => {
    const { url, headers } = await open()
    const body = `${JSON.stringify({ name: 'Ada' })}${' '.repeat(900_000)}`
    const answer = await fetch(`${url}/me`, {
      method: 'PATCH',
      headers: { ...headers, 'content-type': 'application/json' },
      body
    })
    expect(answer.status).toBe(200)
    await eventually(() => expect(all('PATCH /v1/me')).toHaveLength(1))
    const [request] = all('PATCH /v1/me')
    const inside = collector.spans.filter(({ parentSpanId }) => parentSpanId === request?.spanId)
    expect(inside.map(nameOf)).toContain('UPDATE users')
  })

  test('what fails says so by its code, and a request by its status', async () => {
    const { server, post } = await open()
    server.script({ status: 401, body: { error: { message: `no ${SAID}` } } })
    expect((await post('/chat', { message: SAID })).status).toBe(200)
    // What is learnt from the message afterwards asks the model, too, and is answered.
    const failed = () => all('chat scripted').filter(({ status }) => status?.code === 2)
    await eventually(() => expect(failed()).toHaveLength(1))
    expect(failed()).toMatchObject([{ facts: { 'error.type': expect.stringMatching(/^PAI_MODEL_/) } }])
    expect(collector.bodies.join()).not.toMatch(WORDS)
  })
})
