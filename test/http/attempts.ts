import type { InjectOptions } from 'fastify'
import {
  type Attempt,
  type Operation,
  requestFor,
  type Schema,
  sampleOf,
  toJson,
  UNKNOWN_ID,
  wrongValuesFor
} from './requests.ts'

/** Deeper than any stack. */
const DEPTH = 50_000
const DEEP_LIST = '['.repeat(DEPTH) + ']'.repeat(DEPTH)
const DEEP_OBJECT = `${'{"a":'.repeat(DEPTH / 2)}1${'}'.repeat(DEPTH / 2)}`
const MEGABYTE = 1_048_576

/** Every field of every body, with each value it must not have; and fields that are not there. */
export function* wrongFields(operation: Operation): Generator<Attempt> {
  const { body } = operation
  if (!body) return
  const sample = sampleOf(body) as Record<string, unknown>
  const attempt = (wrong: string, payload: unknown) => bodyAttempt(operation, wrong, payload)
  yield attempt('an unknown field', { ...sample, unknown: 1 })
  yield attempt('a field in another case', { ...sample, [firstName(body).toUpperCase()]: 1 })
  for (const name of body.required ?? []) {
    const { [name]: _, ...rest } = sample
    yield attempt(`no ${name}`, rest)
  }
  for (const [name, schema] of Object.entries(body.properties ?? {})) {
    for (const [what, value] of wrongValuesFor(schema)) {
      yield attempt(`${name} is ${what}`, { ...sample, [name]: value })
    }
  }
}

/** Bodies that are no object, no JSON, too much, or not what they seem. */
export function* wrongBodies(operation: Operation): Generator<Attempt> {
  const { body } = operation
  if (!body) return
  const sample = sampleOf(body) as Record<string, unknown>
  const fields = toJson(sample).slice(1, -1)
  const before = fields ? `${fields},` : ''
  const name = firstName(body)
  const texts = {
    'nothing at all': '',
    whitespace: ' \n',
    null: 'null',
    'a list': '[]',
    'a list of it': `[{${fields}}]`,
    'a string': '"words"',
    'a number': '1',
    'half of it': `{${fields}`,
    'more than it': `{${fields}}}`,
    'it twice': `{${fields}}{${fields}}`,
    'a comma too many': `{${before}}`,
    'single quotes': `{'a':1}`,
    'a comment': `{/* */${fields}}`,
    'not a number': `{"${name}":NaN}`,
    'a byte order mark within': `{\ufeff"${name}":1}`,
    'words that are no JSON': 'message=hello',
    'a raw NUL': `{${before}"${name}":"a\0b"}`,
    'a raw line break in a string': `{${before}"${name}":"a\nb"}`,
    'a broken escape': `{${before}"${name}":"\\u12G4"}`,
    'a key given twice, wrong at last': `{${before}"${name}":{},"${name}":{}}`,
    'a prototype': `{${before}"__proto__":{"admin":true}}`,
    'a prototype written in escapes': `{${before}"__proto\\u005f_":{"admin":true}}`,
    'a constructor with a prototype': `{${before}"constructor":{"prototype":{"admin":true}}}`,
    'an own toString': `{${before}"toString":1}`,
    'a NUL in the name of a field': `{${before}"a\\u0000b":1}`,
    'half of a pair in the name of a field': `{${before}"\\ud800":1}`,
    'deep lists': DEEP_LIST,
    'deep objects': DEEP_OBJECT,
    'deep lists in a field': `{${before}"${name}":${DEEP_LIST}}`,
    'deep objects in a field': `{${before}"${name}":${DEEP_OBJECT}}`,
    'two equal deep lists': `{${before}"${name}":[${DEEP_LIST},${DEEP_LIST}]}`,
    'deep lists in an unknown field': `{${before}"unknown":${DEEP_LIST}}`,
    'a field with a long name': `{${before}"${'n'.repeat(100_000)}":1}`,
    'many unknown fields': `{${before}${Array.from({ length: 20_000 }, (_, index) => `"f${index}":1`)}}`,
    'nearly a megabyte of text': `{${before}"${name}":"${'a'.repeat(MEGABYTE - 1_000)}"}`,
    'more than a megabyte of text': `{${before}"${name}":"${'a'.repeat(MEGABYTE)}"}`,
    // A whole conversation may be larger than that.
    ...(operation.path === '/v1/conversations/import'
      ? {}
      : { 'a megabyte of whitespace': `{${fields}}${' '.repeat(MEGABYTE)}` })
  }
  for (const [wrong, text] of Object.entries(texts)) yield bodyAttempt(operation, wrong, text)
  for (const [field, schema] of Object.entries(body.properties ?? {})) {
    if (schema.type !== 'array') continue
    const many = Array.from({ length: 100_000 }, (_, index) => index)
    yield bodyAttempt(operation, `100,000 different items in ${field}`, { ...sample, [field]: many })
    const deep = `{${before}"${field}":[${DEEP_LIST},${DEEP_LIST}]}`
    yield bodyAttempt(operation, `two equal deep lists in ${field}`, deep)
  }
}

/** Types that are not JSON, with a body that would do; and types that are nearly JSON, with one that must not pass. */
export function* wrongTypes(operation: Operation): Generator<Attempt> {
  if (!operation.body) return
  const right = requestFor(operation)
  const wrong = requestFor(operation, { payload: { ...(sampleOf(operation.body) as object), unknown: 1 } })
  const foreign = [
    'text/plain',
    'text/plain; charset=utf-8',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jsonx',
    'application/json-patch+json',
    'application/problem+json',
    'application/jso',
    'application/json garbage',
    'application/json,text/plain',
    'application /json',
    'application/ json',
    '*/*',
    'json',
    ' ',
    'null'
  ]
  for (const type of foreign) yield withType(operation, right, type)
  const nearly = [
    'application/json\t',
    'application/json\t; charset=utf-8',
    'application/json\tx',
    ' application/json',
    '\tapplication/json',
    'application/json ;a',
    'application/json;',
    'application/json; charset=latin1',
    'application/json; charset="utf-8',
    'APPLICATION/JSON',
    'application/json\u00a0',
    'application/json;charset=utf-8;charset=utf-16'
  ]
  for (const type of nearly) yield withType(operation, wrong, type)
}

/** Every query parameter of what has this id, with each value it must not have; and parameters that are not there. */
export function* wrongQueries(operation: Operation, id: string): Generator<Attempt> {
  const names = Object.keys(operation.query)
  if (names.length === 0) return
  const attempt = (search: string): Attempt => ({
    operation,
    wrong: search,
    request: requestFor(operation, { id, search })
  })
  for (const search of [
    '?unknown=1',
    '?__proto__=1',
    '?__proto__[a]=1',
    '?constructor=1',
    '?a%00=1',
    '?%ff=1'
  ]) {
    yield attempt(search)
  }
  for (const [name, schema] of Object.entries(operation.query)) {
    const values =
      schema.type === 'integer'
        ? [
            '',
            '0',
            '-1',
            '1.5',
            '1e9',
            'ten',
            'true',
            'null',
            '%00',
            '99999999999999999999',
            'Infinity',
            '1,2'
          ]
        : [
            '',
            'a'.repeat((schema.maxLength ?? 1_000) + 1),
            '%00',
            'a%00b',
            ...UNDECODABLE[name === 'query' ? 1 : 0]
          ]
    for (const value of values) yield attempt(`?${name}=${value}`)
    yield attempt(`?${name}=1&${name}=2`)
    yield attempt(`?${name}[]=1`)
    if (name === 'cursor')
      for (const value of FORGED_CURSORS) yield attempt(`?cursor=${encodeURIComponent(value)}`)
  }
}

/** What is no text stays as it was sent: anything may be searched for, and nothing else takes it. */
const UNDECODABLE = [['%ed%a0%80', '%ff'], []] as const

const cursorOf = (text: string) => Buffer.from(text).toString('base64url')
const FORGED_CURSORS = [
  'bees',
  ' ',
  '-1',
  '0.5',
  '1e3',
  '0x10',
  '99999999999',
  '9007199254740991',
  cursorOf('bees'),
  cursorOf(`2024-01-01 ${UNKNOWN_ID}`),
  cursorOf(`2024-01-01T00:00:00.000Z bees`),
  cursorOf(`2024-01-01T00:00:00.000Z ${UNKNOWN_ID}'; DROP TABLE users; --`),
  cursorOf(`-271821-04-20T00:00:00.000Z ${UNKNOWN_ID}`),
  cursorOf(`+275760-09-13T00:00:00.000Z ${UNKNOWN_ID}`),
  cursorOf(`0000-01-01T00:00:00.000Z ${UNKNOWN_ID}`),
  cursorOf(`2024-13-01T00:00:00.000Z ${UNKNOWN_ID}`),
  cursorOf('\0')
]

/** Every header a call reads, empty or beyond its bounds. */
export function* wrongHeaders(operation: Operation, id: string): Generator<Attempt> {
  for (const [name, { maxLength = 1_000, minLength }] of Object.entries(operation.headers)) {
    const values = ['a'.repeat(maxLength + 1), ...(minLength ? [''] : [])]
    if (name === 'last-event-id') values.push('bees', '-1', '1.5', '1e3', '9'.repeat(20), '9007199254740993')
    for (const value of values) {
      const request = requestFor(operation, { id })
      const headers = { ...request.headers, [name]: value }
      yield { operation, wrong: `${name}: ${value}`, request: { ...request, headers } }
    }
  }
}

/** Paths whose ids are no ids. */
export function* wrongPaths(operation: Operation): Generator<Attempt> {
  if (operation.pathParameters.length === 0) return
  const ids = [
    'bees',
    '1',
    '%20',
    `${UNKNOWN_ID}0`,
    `${UNKNOWN_ID}%0a`,
    `${UNKNOWN_ID}%00`,
    `urn:uuid:${UNKNOWN_ID}`,
    `{${UNKNOWN_ID}}`,
    UNKNOWN_ID.replaceAll('-', ''),
    '%00',
    '%ed%a0%80',
    '..%2f..%2fme',
    '__proto__',
    'a'.repeat(90),
    encodeURIComponent('蜜蜂'),
    // Refused before a route is found.
    '%zz',
    '%',
    'a'.repeat(200)
  ]
  for (const id of ids) {
    yield { operation, wrong: `the id ${id}`, request: requestFor(operation, { id }) }
  }
}

function bodyAttempt(operation: Operation, wrong: string, payload: unknown): Attempt {
  return { operation, wrong, request: requestFor(operation, { payload }) }
}

function withType(operation: Operation, request: InjectOptions, type: string): Attempt {
  return {
    operation,
    wrong: JSON.stringify(type),
    request: { ...request, headers: { 'content-type': type } }
  }
}

function firstName({ required = [], properties = {} }: Schema): string {
  return required[0] ?? Object.keys(properties)[0] ?? 'a'
}
