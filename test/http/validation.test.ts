import type { TSchema } from 'typebox'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { createValidatorCompiler } from '../../src/http/validation.ts'

const compile = createValidatorCompiler()

/** Whether a part of a request fits a schema. */
function fits(schema: TSchema, httpPart: string, value: unknown): unknown {
  return compile({ schema, httpPart, method: 'POST', url: '/' } as Parameters<typeof compile>[0])(value)
}
const inBody = (schema: TSchema, value: unknown) => fits(Type.Object({ value: schema }), 'body', { value })
const inQuery = (schema: TSchema, value: unknown) =>
  fits(Type.Object({ value: schema }), 'querystring', { value })

test('a body is never read as something else than it says', () => {
  const number = Type.Integer({ minimum: 1 })
  expect(inBody(number, 1)).toBe(true)
  for (const value of ['1', true, null, [1], 1.5, Number.POSITIVE_INFINITY])
    expect(inBody(number, value)).toBe(false)
  for (const value of [1, true, null, ['a']]) expect(inBody(Type.String(), value)).toBe(false)
  for (const value of ['true', 1, 0, null]) expect(inBody(Type.Boolean(), value)).toBe(false)
})

test('numbers are read from a query string, within their bounds', () => {
  const limit = Type.Integer({ minimum: 1, maximum: 200 })
  const query = { value: '10' }
  expect(fits(Type.Object({ value: limit }), 'querystring', query)).toBe(true)
  expect(query).toEqual({ value: 10 })
  for (const value of ['', '0', '201', '1.5', 'ten', 'Infinity', '-Infinity', 'NaN', ['1', '2'], '1n']) {
    expect(inQuery(limit, value), String(value)).toBe(false)
  }
})

test('unknown fields are refused and not dropped', () => {
  const closed = Type.Object({ a: Type.Optional(Type.String()) }, { additionalProperties: false })
  for (const part of ['body', 'querystring', 'params']) {
    const value = { a: 'a', b: 'b' }
    expect(fits(closed, part, value), part).toBe(false)
    expect(value).toEqual({ a: 'a', b: 'b' })
  }
})

test('what is left out gets its default', () => {
  const body = {}
  fits(Type.Object({ limit: Type.Optional(Type.Integer({ default: 10 })) }), 'body', body)
  expect(body).toEqual({ limit: 10 })
})

test('an id is a UUID as PostgreSQL writes it', () => {
  const id = '019a0000-0000-7000-8000-00000000abcd'
  for (const value of [id, id.toUpperCase()])
    expect(inBody(Type.String({ format: 'uuid' }), value)).toBe(true)
  for (const value of [
    '',
    'bees',
    `urn:uuid:${id}`,
    `{${id}}`,
    id.replaceAll('-', ''),
    `${id} `,
    `${id}\n`
  ]) {
    expect(inBody(Type.String({ format: 'uuid' }), value), value).toBe(false)
  }
})

test('a moment is one that Date and PostgreSQL both have', () => {
  const instant = Type.String({ format: 'date-time' })
  for (const value of ['2024-02-29T23:59:59Z', '2024-01-01T00:00:00.123+05:30', '0001-01-01T00:00:00Z']) {
    expect(inBody(instant, value), value).toBe(true)
  }
  for (const value of [
    '2024-01-01',
    '2024-01-01T00:00:00',
    '2023-02-29T00:00:00Z',
    '2016-12-31T23:59:60Z',
    '0000-12-31T23:59:59Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+010000-01-01T00:00:00Z',
    'yesterday'
  ]) {
    expect(inBody(instant, value), value).toBe(false)
  }
})
