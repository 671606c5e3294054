import { closeSync, existsSync, openSync } from 'node:fs'
import createError from '@fastify/error'
import { DrizzleQueryError } from 'drizzle-orm'
import pg from 'pg'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { loggerOptions, openLog, serializeError } from '../../src/http/log.ts'
import fc from '../support/properties.ts'

const WORDS = 'Ada keeps bees in Tromsø'

/** The lines a logger of ours writes. */
function capture(write: (log: pino.Logger) => void): string[] {
  const lines: string[] = []
  write(pino(loggerOptions('trace'), { write: (line) => void lines.push(line) }))
  return lines
}

/** As pg and drizzle throw it together. */
function failedQuery(code: string, words = WORDS): DrizzleQueryError {
  const cause = new pg.DatabaseError(`invalid input: "${words}"`, 0, 'error')
  Object.assign(cause, {
    code,
    severity: 'ERROR',
    detail: `Failing row contains (${words}).`,
    where: words,
    table: 'memories',
    constraint: 'memories_text_hash',
    routine: 'ExecConstraints'
  })
  return new DrizzleQueryError('insert into memories (text) values ($1)', [words], cause)
}

test('of a failed query, the statement and its state are kept and the values are not', () => {
  const line = capture((log) => log.error({ err: failedQuery('23505') }, 'keeping a memory'))[0] ?? ''
  expect(line).not.toContain(WORDS)
  expect(JSON.parse(line)).toMatchObject({
    msg: 'keeping a memory',
    err: {
      query: 'insert into memories (text) values ($1)',
      cause: {
        code: '23505',
        severity: 'ERROR',
        table: 'memories',
        constraint: 'memories_text_hash',
        routine: 'ExecConstraints',
        message: ''
      }
    }
  })
})

test('a fault in the statement itself is told in PostgreSQL’s words', () => {
  const cause = new pg.DatabaseError('column "txt" does not exist', 0, 'error')
  cause.code = '42703'
  expect(serializeError(cause).message).toBe('column "txt" does not exist')
})

test('our own errors keep their message, a stranger’s do not', () => {
  const Ours = createError('PAI_TEST', 'The hive is lost', 404)
  expect(serializeError(new Ours())).toMatchObject({
    code: 'PAI_TEST',
    statusCode: 404,
    message: 'The hive is lost'
  })
  const stranger = Object.assign(new TypeError(WORDS), {
    code: 'ERR_X',
    body: WORDS,
    request: { headers: WORDS }
  })
  const serialized = serializeError(stranger)
  expect(serialized).toMatchObject({ type: 'TypeError', code: 'ERR_X', message: '' })
  expect(JSON.stringify(serialized)).not.toContain(WORDS)
  expect(serializeError(Object.assign(new Error(), { code: WORDS }))).not.toHaveProperty('code')
})

test('an error says where it comes from', () => {
  expect(serializeError(new Error(WORDS)).stack).toMatch(/^\s+at .*log\.test\.ts/)
  expect(serializeError(new Error('')).stack).toMatch(/^\s+at .*log\.test\.ts/)
})

test('words that look like a stack stay words', () => {
  const canary = 'canary-in-a-frame'
  const texts = [
    `Hello\n    at ${canary}`,
    `\n    at ${canary} (file:///app/src/main.ts:1:1)\n    at again (${canary}:1:1)`,
    `    at ${canary}`,
    `Error\n    at ${canary}`
  ]
  for (const text of texts) {
    for (const error of [new Error(text), new SyntaxError(text), failedQuery('22P02', text)]) {
      expect(JSON.stringify(serializeError(error)), text).not.toContain(canary)
    }
    const changed = new Error(text)
    changed.message = 'changed later'
    expect(JSON.stringify(serializeError(changed))).not.toContain(canary)
  }
  fc.assert(
    fc.property(fc.string({ minLength: 0 }), (text) => {
      const { stack } = serializeError(new Error(`${text}\n at ${canary}${text}`))
      return !stack.includes(canary) && stack.includes('log.test.ts')
    })
  )
})

test('an error logged without a message gets one that is not its own', () => {
  const lines = capture((log) => {
    log.error(new Error(WORDS))
    log.error({ err: failedQuery('22P02') })
    log.error(new Error(WORDS), 'reading a turn')
    log.error({ err: new Error(WORDS) }, 'reading a turn')
  })
  expect(lines.join('')).not.toContain(WORDS)
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'an error',
    'an error',
    'reading a turn',
    'reading a turn'
  ])
})

test('what is thrown may be no error, or hold another', () => {
  for (const thrown of [WORDS, null, undefined, 42, { message: WORDS }]) {
    expect(JSON.stringify(serializeError(thrown))).not.toContain(WORDS)
  }
  const nested = new Error('outer', { cause: new Error('inner', { cause: failedQuery('40001') }) })
  expect(serializeError(nested)).toMatchObject({ cause: { cause: { cause: { code: '40001' } } } })
})

test('a request is logged as its method and path, without its query string', () => {
  const request = { method: 'GET', url: `/v1/me?token=${WORDS}`, headers: { authorization: WORDS } }
  const line = capture((log) => log.info({ req: request }, 'a request'))[0] ?? ''
  expect(JSON.parse(line).req).toEqual({ method: 'GET', path: '/v1/me' })
  expect(line).not.toContain(WORDS)
})

test.skipIf(!existsSync('/dev/full'))('a log that cannot be written is gone on without', () => {
  const full = openSync('/dev/full', 'w')
  const log = openLog('info', full)
  for (let line = 0; line < 20_000; line++) log.info({ line }, 'a line that nobody will read')
  closeSync(full)
})
