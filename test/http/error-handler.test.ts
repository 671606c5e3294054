import createError from '@fastify/error'
import Fastify from 'fastify'
import pg from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { abortedWhenGone } from '../../src/http/abort.ts'
import { errorHandler, toProblem } from '../../src/http/error-handler.ts'

const Lost = createError<[string]>('PAI_TEST_LOST', 'The %s is lost', 410)
const SECRET = 'bees in Tromsø'

function databaseError(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError(SECRET, 0, 'error')
  error.code = code
  error.detail = SECRET
  return error
}

test('our own errors are shown as they are', () => {
  expect(toProblem(new Lost('hive'))).toEqual({
    type: 'about:blank',
    title: 'Gone',
    status: 410,
    detail: 'The hive is lost',
    code: 'PAI_TEST_LOST'
  })
})

test('of what is not the caller’s fault nothing is said', () => {
  const thrown = [
    new Error(SECRET),
    new TypeError(SECRET),
    databaseError('23505'),
    Object.assign(new Error(SECRET), { statusCode: 502 }),
    Object.assign(new Error(SECRET), { code: 7 }),
    new DOMException(SECRET, 'AbortError'),
    new DOMException(SECRET, 'TimeoutError'),
    new Error('outer', { cause: new Error(SECRET) }),
    SECRET,
    null,
    undefined,
    42,
    { message: SECRET }
  ]
  for (const error of thrown) {
    expect(toProblem(error), String(error)).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Something went wrong',
      code: 'PAI_INTERNAL'
    })
  }
})

test('a database that does not answer, or not in time, is unavailable, and any other trouble with it is ours', () => {
  const gone = [
    ...['08006', '53100', '53300', '57P01', '57P03', '58P01'].map(databaseError),
    Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' }),
    new Error('Connection terminated unexpectedly'),
    new Error('Client has encountered a connection error and is not queryable'),
    new Error('a query failed', { cause: databaseError('57P01') })
  ]
  for (const error of gone)
    expect(toProblem(error)).toMatchObject({ status: 503, code: 'PAI_DATABASE_UNAVAILABLE' })
  expect(toProblem(new Error('a query failed', { cause: databaseError('57014') }))).toMatchObject({
    status: 503,
    code: 'PAI_DATABASE_TOO_SLOW'
  })
  for (const code of ['22P02', '23503', '40001', '42P01']) {
    expect(toProblem(databaseError(code)), code).toMatchObject({ status: 500, code: 'PAI_INTERNAL' })
  }
})

test('Fastify’s own refusals get our codes, and none of the address is repeated', () => {
  const refusal = (code: string, statusCode: number) =>
    Object.assign(new Error(`/?token=${SECRET}`), { code, statusCode })
  expect(toProblem(refusal('FST_ERR_CTP_BODY_TOO_LARGE', 413))).toMatchObject({ code: 'PAI_BODY_TOO_LARGE' })
  expect(toProblem(refusal('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415))).toMatchObject({ status: 415 })
  expect(toProblem(refusal('FST_ERR_NEW_IN_A_LATER_VERSION', 418))).toMatchObject({
    status: 418,
    code: 'PAI_REQUEST_INVALID'
  })
  for (const code of ['FST_ERR_BAD_URL', 'FST_ERR_MAX_PARAM_LENGTH']) {
    expect(toProblem(refusal(code, 400)).detail).not.toContain(SECRET)
  }
})

test('a validation error names the field and what was expected, not what was given', () => {
  const error = Object.assign(new Error(SECRET), {
    statusCode: 400,
    code: 'FST_ERR_VALIDATION',
    validationContext: 'body',
    validation: [
      { keyword: 'type', instancePath: '/message', message: 'must be string', params: { type: 'string' } },
      {
        keyword: 'additionalProperties',
        instancePath: '',
        message: 'must NOT have additional properties',
        params: { additionalProperty: 'n'.repeat(1_000) }
      }
    ]
  })
  expect(toProblem(error)).toMatchObject({
    status: 400,
    code: 'PAI_VALIDATION',
    errors: [
      { path: 'body/message', message: 'must be string' },
      { path: 'body', message: `must NOT have additional properties: ${'n'.repeat(100)}` }
    ]
  })
  expect(JSON.stringify(toProblem(error))).not.toContain(SECRET)
})

test('an answer says how to come back: where to sign in, and when to try again', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  app.setErrorHandler(errorHandler)
  app.get('/:status', (request) => {
    const status = Number((request.params as { status: string }).status)
    throw new (createError('PAI_TEST', 'A test', status))()
  })
  const answer = async (status: number) => (await app.inject(`/${status}`)).headers
  expect(await answer(401)).toMatchObject({ 'www-authenticate': 'Bearer' })
  expect(await answer(503)).toMatchObject({ 'retry-after': '1' })
  const { 'x-request-id': id, 'www-authenticate': challenge, 'retry-after': wait } = await answer(404)
  expect(id).toBeTruthy()
  expect([challenge, wait]).toEqual([undefined, undefined])
})

test('a caller who hangs up is no error of ours', async () => {
  const lines: string[] = []
  const answered = Promise.withResolvers<number>()
  const asked = Promise.withResolvers<void>()
  const app = Fastify({
    loggerInstance: pino({ level: 'error' }, { write: (line) => void lines.push(line) }),
    forceCloseConnections: true
  })
  onTestFinished(() => app.close())
  app.setErrorHandler((error, request, reply) => {
    const answer = errorHandler(error, request, reply)
    answered.resolve(reply.statusCode)
    return answer
  })
  app.get('/', async (_request, reply) => {
    const signal = abortedWhenGone(reply)
    asked.resolve()
    await new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    )
  })
  const caller = new AbortController()
  const response = fetch(await app.listen({ port: 0, host: '127.0.0.1' }), { signal: caller.signal })
  await asked.promise
  caller.abort()
  await expect(response).rejects.toThrow()
  expect(await answered.promise).toBe(499)
  expect(lines).toEqual([])
})
