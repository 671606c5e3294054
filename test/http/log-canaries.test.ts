import { DrizzleQueryError } from 'drizzle-orm'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { loggerOptions } from '../../src/http/log.ts'
import { createLlm } from '../../src/llm/create-llm.ts'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { type ScriptedReply, startScriptedOpenAi } from '../support/scripted-openai.ts'

// Each secret begins alike, so that one search finds them all; what is left tells which it was.
const SECRETS = {
  email: 'canary-email@example.org',
  name: 'canary-name',
  password: 'canary-password-1',
  wrongPassword: 'canary-wrong-password',
  message: 'My sister canary-message keeps bees\n    at canary-frame (file:///canary.ts:1:1)',
  reply: 'canary-reply',
  memory: 'My dog canary-memory barks',
  category: 'canary-category',
  changedMemory: 'My cat canary-changed sleeps',
  query: 'canary-search',
  idempotencyKey: 'canary-idempotency-key',
  openAiKey: 'canary-openai-key',
  vendor: 'this is what you sent: canary-vendor-error',
  token: 'canary-token',
  queryString: 'canary-query-string',
  field: 'canary-field'
}
const CANARY = /canary[\w-]*/g

describeEachDatabase('what is logged', (database) => {
  const lines: string[] = []
  /** Secrets the service makes: access tokens, refresh tokens, API keys. */
  const made: string[] = []
  const problems: string[] = []
  /** What the model answers next in a conversation. */
  const replies: (string | ScriptedReply)[] = []
  /** What it answers to extraction, which asks for a shape: prose, a failure that repeats what was written. */
  let facts = SECRETS.reply
  let openai: Awaited<ReturnType<typeof startScriptedOpenAi>>
  let house: TestApp
  let app: FastifyInstance

  beforeAll(async () => {
    openai = await startScriptedOpenAi({
      reply: ({ body }) => (body.response_format ? facts : (replies.shift() ?? SECRETS.reply))
    })
    const llm = await createLlm({
      openAiApiKey: SECRETS.openAiKey,
      openAiBaseUrl: openai.baseUrl,
      chatModel: 'scripted',
      embeddingModel: 'scripted-embedding',
      embeddingDimensions: 64
    })
    house = await buildTestApp(database(), { llm, works: true })
    const logger = pino(loggerOptions('trace'), { write: (line) => void lines.push(line) })
    app = buildApp(house.services, { logger, rateLimit: null, loopback: true })
    await walkThroughEverything()
    // As main.ts does with what fails where no request waits.
    for (const { error, doing } of house.failures) logger.error({ err: error }, doing)
  })
  afterAll(async () => {
    await app.close()
    await house.close()
    await openai.close()
  })

  async function send(request: InjectOptions, token?: string) {
    const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...request.headers }
    const response = await app.inject({ ...request, headers })
    if (response.statusCode >= 400) problems.push(response.body)
    return response
  }
  const post = (url: string, payload: object, token?: string) => send({ method: 'POST', url, payload }, token)

  async function walkThroughEverything(): Promise<void> {
    const { email, name, password } = SECRETS
    const session = (await post('/v1/auth/register', { email, password, name })).json()
    await post('/v1/auth/register', { email, password, name })
    await post('/v1/auth/login', { email, password: SECRETS.wrongPassword })
    await post('/v1/auth/login', { email, password })
    const renewed = (await post('/v1/auth/refresh', { refreshToken: session.refreshToken })).json()
    await post('/v1/auth/refresh', { refreshToken: SECRETS.token })
    const token = session.accessToken
    const { key } = (await post('/v1/api-keys', { name, scopes: ['chat', 'memory:read'] }, token)).json()
    made.push(token, session.refreshToken, renewed.accessToken, renewed.refreshToken, key)
    await chat(token, key)
    await remember(token)
    await refuse(token)
    await breakTheDatabase(token)
    await breakALesson(token)
    await post('/v1/auth/logout', { refreshToken: renewed.refreshToken })
    await send({ method: 'DELETE', url: '/v1/me', payload: { password: SECRETS.wrongPassword } }, token)
    // The last things said are still being learnt from.
    await vi.waitFor(async () => expect(await jobsLeft()).toBe(0), { timeout: 20_000, interval: 50 })
  }

  /** Talks to a model that answers, and that fails in each way. */
  async function chat(token: string, key: string): Promise<void> {
    const message = SECRETS.message
    const error = { error: { message: `${SECRETS.vendor} ${message}`, code: SECRETS.vendor } }
    replies.push(
      SECRETS.reply,
      { status: 400, body: error },
      { status: 401, body: error },
      { deltas: [SECRETS.reply], streamError: error.error },
      { deltas: [SECRETS.reply], ending: 'cut' },
      { body: SECRETS.vendor }
    )
    while (replies.length > 0) {
      const turn = await post('/v1/chat', { message }, replies.length % 2 ? key : token)
      problems.push(JSON.stringify(turn.json().error ?? {}))
    }
    openai.scriptEmbeddings({ status: 400, body: error })
    const headers = { accept: 'text/event-stream', 'idempotency-key': SECRETS.idempotencyKey }
    await send({ method: 'POST', url: '/v1/chat', payload: { message }, headers }, token)
  }

  async function remember(token: string): Promise<void> {
    const headers = { 'idempotency-key': SECRETS.idempotencyKey.repeat(2) }
    const kept = await send(
      { method: 'POST', url: '/v1/memories', payload: { text: SECRETS.memory }, headers },
      token
    )
    const url = `/v1/memories/${kept.json().id}`
    await send({ method: 'PATCH', url, payload: { text: SECRETS.changedMemory } }, token)
    await post('/v1/memories', { text: SECRETS.memory }, token)
    await send({ method: 'PATCH', url, payload: { text: SECRETS.memory } }, token)
    for (const path of ['/v1/memories/search', '/v1/recall'])
      await post(path, { query: SECRETS.query }, token)
  }

  /** What is refused before anything is done. */
  async function refuse(token: string): Promise<void> {
    const { field, queryString, email } = SECRETS
    await post('/v1/chat', { message: [field] }, token)
    await post('/v1/chat', { message: 'fine', conversationId: field }, token)
    await post('/v1/memories', { text: field, importance: field }, token)
    await post('/v1/memories', { text: `${field}\0` }, token)
    await post('/v1/auth/register', { email: field, password: field })
    const json = { 'content-type': 'application/json' }
    await send({ method: 'POST', url: '/v1/memories', payload: `{"text": "${field}`, headers: json }, token)
    await send({ method: 'POST', url: '/v1/memories', payload: field, headers: json }, token)
    await send(
      { method: 'POST', url: '/v1/memories', payload: field, headers: { 'content-type': field } },
      token
    )
    for (const path of ['/v1/nothing', '/', '/v1/me', '/healthz', '/v1/memories', '/metrics', '/docs']) {
      await send({ url: `${path}?token=${queryString}&email=${email}` }, token)
      await send({ url: `${path}?token=${queryString}` }, SECRETS.token)
    }
    await send({ url: `/v1/memories?cursor=${queryString}` }, token)
    await send({ url: '/v1/me', headers: { authorization: `Basic ${SECRETS.token}`, cookie: SECRETS.token } })
    await send({ url: '/v1/me' }, `pai_${SECRETS.token}`)
  }

  /** Errors of the database that carry bound values: in drizzle's message, in PostgreSQL's own, and in its detail. */
  async function breakTheDatabase(token: string): Promise<void> {
    await database().pool.query(
      'ALTER TABLE memories ADD CONSTRAINT no_bees CHECK (text = id::text) NOT VALID'
    )
    await post('/v1/memories', { text: SECRETS.memory.repeat(2) }, token)
    await database().pool.query('ALTER TABLE memories DROP CONSTRAINT no_bees')
    await database().pool.query('ALTER TABLE memories RENAME COLUMN importance TO weight')
    await post('/v1/memories', { text: SECRETS.memory.repeat(3) }, token)
    await post('/v1/recall', { query: SECRETS.query }, token)
    await database().pool.query('ALTER TABLE memories RENAME COLUMN weight TO importance')
    await database().pool.query('ALTER TABLE memories ALTER COLUMN category TYPE integer USING 1')
    await post('/v1/memories', { text: SECRETS.memory.repeat(4), category: SECRETS.category }, token)
    await database().pool.query(`ALTER TABLE memories ALTER COLUMN category TYPE text USING 'note'`)
  }

  /** A job that fails with what was said among its bound values. */
  async function breakALesson(token: string): Promise<void> {
    const fact = {
      message: 1,
      tags: [SECRETS.category],
      subject: SECRETS.category,
      slot: '',
      since: '',
      until: '',
      saidBy: 'owner',
      change: '',
      over: false,
      category: SECRETS.category,
      importance: 1,
      importanceReason: SECRETS.reply,
      quote: 'canary-message'
    }
    facts = JSON.stringify({ facts: [{ ...fact, text: SECRETS.memory.repeat(5) }] })
    await database().pool.query(
      'ALTER TABLE memories ADD CONSTRAINT no_facts CHECK (text = id::text) NOT VALID'
    )
    await post('/v1/chat', { message: SECRETS.message }, token)
    const isQuery = ({ error }: TestApp['failures'][number]) => error instanceof DrizzleQueryError
    await vi.waitFor(() => expect(house.failures.some(isQuery)).toBe(true), { timeout: 20_000, interval: 50 })
    await database().pool.query('ALTER TABLE memories DROP CONSTRAINT no_facts')
  }

  /** Jobs that nobody has tried yet. */
  async function jobsLeft(): Promise<number> {
    const { rows } = await database().pool.query<{ left: number }>(
      `SELECT count(*)::int AS left FROM pgboss.job WHERE state < 'completed' AND retry_count = 0 AND state <> 'retry'
          AND name LIKE 'memory.%'`
    )
    return rows[0]?.left ?? 0
  }

  const found = (text: string) => [
    ...(text.match(CANARY) ?? []),
    ...made.filter((secret) => text.includes(secret))
  ]

  test('no line holds anything that was said, searched for or signed in with', () => {
    expect(lines.length).toBeGreaterThan(50)
    expect(lines.filter((line) => found(line).length > 0)).toEqual([])
  })

  test('no job holds any of it, nor the reason why one failed', async () => {
    const { rows } = await database().pool.query<{ job: string; output: unknown }>(
      'SELECT row::text AS job, output FROM pgboss.job AS row'
    )
    expect(rows.filter(({ job }) => found(job).length > 0)).toEqual([])
    expect(rows.filter(({ output }) => output !== null).length).toBeGreaterThanOrEqual(1)
  })

  test('no problem repeats what was sent, except an unknown field’s name', () => {
    expect(problems.length).toBeGreaterThan(20)
    expect(problems.filter((problem) => found(problem).length > 0)).toEqual([])
  })

  test('the lines still tell what happened: to which request, in which statement, with which SQLSTATE', () => {
    const records = lines.map((line) => JSON.parse(line))
    const answered = records.filter(({ msg }) => msg === 'answered')
    expect(answered.length).toBeGreaterThan(40)
    for (const { reqId, method, status } of answered) {
      expect(reqId).toMatch(/^[0-9a-f-]{36}$/)
      expect(method).toMatch(/^[A-Z]+$/)
      expect(status).toBeGreaterThanOrEqual(200)
    }
    const failed = records.filter(({ msg }) => msg === 'answering a request')
    const states = failed.map(({ err }) => err.cause.code)
    expect(states).toEqual(['23514', '42703', '42703', '22P02'])
    for (const { err } of failed) expect(err.query).toMatch(/\$1/)
    for (const { reqId } of failed) expect(problems.some((problem) => problem.includes(reqId))).toBe(true)
    expect(failed[0].err.cause).toMatchObject({ table: 'memories', constraint: 'no_bees' })
    expect(records.some(({ msg }) => msg.startsWith('running job memory.'))).toBe(true)
  })

  test('the secrets were where a leak would have found them', async () => {
    const { rows } = await database().pool.query<{ texts: string }>(
      `SELECT string_agg(content, ' ') || (SELECT string_agg(text, ' ') FROM memories) AS texts FROM messages`
    )
    for (const secret of [SECRETS.message, SECRETS.reply, SECRETS.memory])
      expect(rows[0]?.texts).toContain(secret)
    const keys = openai.requests.map(({ headers }) => headers.authorization)
    expect(new Set(keys)).toEqual(new Set([`Bearer ${SECRETS.openAiKey}`]))
    expect(made.every((secret) => secret?.length > 20)).toBe(true)
  })
})
