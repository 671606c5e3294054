import type { FastifyInstance, InjectOptions } from 'fastify'

/** What the tests read of a JSON Schema. */
export interface Schema {
  type?: string
  format?: string
  pattern?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
}

/** One call of the API, as its document describes it. */
export interface Operation {
  /** As people write it: `POST /v1/chat`. */
  name: string
  method: NonNullable<InjectOptions['method']>
  path: string
  /** Whether it needs someone to be signed in. */
  secured: boolean
  body: Schema | null
  pathParameters: string[]
  query: Record<string, Schema>
  headers: Record<string, Schema>
}

/** A request that must be refused, and what is wrong with it. */
export interface Attempt {
  operation: Operation
  wrong: string
  request: InjectOptions
}

/** An id that nobody's row has. */
export const UNKNOWN_ID = '019a0000-0000-7000-8000-0000000000ff'

interface Document {
  security?: unknown[]
  paths: Record<string, Record<string, DocumentedOperation>>
}
interface DocumentedOperation {
  security?: unknown[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  parameters?: Parameter[]
}
interface Parameter {
  in: string
  name: string
  schema: Schema
}

/** Every call of the API's document, routes that are added later included. */
export function operationsOf(app: FastifyInstance): Operation[] {
  const document = app.swagger() as unknown as Document
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { security, requestBody, parameters = [] }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase() as Operation['method'],
      path,
      secured: (security ?? document.security ?? []).length > 0 && isRequired(security ?? document.security),
      body: requestBody?.content['application/json']?.schema ?? null,
      pathParameters: Object.keys(parametersIn('path', parameters)),
      query: parametersIn('query', parameters),
      headers: parametersIn('header', parameters)
    }))
  )
}

function parametersIn(place: string, parameters: Parameter[]): Record<string, Schema> {
  return Object.fromEntries(
    parameters.filter((parameter) => parameter.in === place).map(({ name, schema }) => [name, schema])
  )
}

/** An empty requirement among several says that credentials may be left out. */
function isRequired(security: unknown[] = []): boolean {
  return security.every((requirement) => Object.keys(requirement as object).length > 0)
}

/** The call with everything right, except that its ids are nobody's. */
export function requestFor(
  { method, path, body, pathParameters }: Operation,
  { id = UNKNOWN_ID, payload, search = '' }: { id?: string; payload?: unknown; search?: string } = {}
): InjectOptions {
  const url = pathParameters.reduce((filled, name) => filled.replace(`{${name}}`, id), path)
  if (!body) return { method, url: url + search }
  return {
    method,
    url: url + search,
    headers: { 'content-type': 'application/json' },
    payload: typeof payload === 'string' ? payload : toJson(payload ?? sampleOf(body))
  }
}

/** Stands for a number that JSON can write and no number type can hold. */
const TOO_LARGE = 'the number 1e999'

/** JSON text, also of what `JSON.stringify` would not write. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(JSON.stringify(TOO_LARGE), '1e999')
}

const WORDS = ['bees in Tromsø', 'ada@example.org', 'keeper']

/** A value the schema allows, with no more in it than must be. */
export function sampleOf(schema: Schema): unknown {
  const { type, enum: choices, anyOf, minimum = 0, minLength = 0, maxLength = Infinity } = schema
  if ('const' in schema) return schema.const
  if (choices) return choices[0]
  if (anyOf) return sampleOf(anyOf[0] ?? {})
  if (schema.format === 'uuid') return UNKNOWN_ID
  if (schema.format === 'date-time') return '2030-01-01T00:00:00Z'
  if (type === 'integer' || type === 'number') return minimum
  if (type === 'boolean') return false
  if (type === 'array') return schema.minItems && schema.items ? [sampleOf(schema.items)] : []
  if (type === 'object') {
    const { properties = {}, required = [] } = schema
    // A change must change something.
    const names = required.length > 0 ? required : Object.keys(properties).slice(0, 1)
    return Object.fromEntries(names.map((name) => [name, sampleOf(properties[name] ?? {})]))
  }
  const fits = (word: string) => !schema.pattern || new RegExp(schema.pattern).test(word)
  return WORDS.find((word) => fits(word) && word.length >= minLength && word.length <= maxLength) ?? ''
}

/** Values of every kind that the schema does not allow. */
export function wrongValuesFor(schema: Schema): [wrong: string, value: unknown][] {
  const { type, enum: choices, anyOf, minimum, maximum, minLength, maxLength, pattern, items } = schema
  const kinds: [string, unknown][] = [
    ['null', null],
    ['a boolean', true],
    ['a number', 1],
    ['a fraction', 1.5],
    ['a huge number', 1e308],
    ['words', 'words'],
    ['a list', [1]],
    ['an object', { a: 1 }]
  ]
  const wrong = kinds.filter(([, value]) => !allowsKind(schema, value))
  if (anyOf) return wrong
  if (typeof choices?.[0] === 'string') wrong.push(['another case', choices[0].toUpperCase()])
  if (minimum !== undefined) wrong.push(['too small', minimum - 1])
  if (maximum !== undefined) wrong.push(['too large', maximum + 1], ['not finite', TOO_LARGE])
  if (minLength) wrong.push(['empty', ''])
  if (pattern) wrong.push(['whitespace', ' \t\n'])
  if (maxLength !== undefined) wrong.push(['too long', 'a'.repeat(maxLength + 1)])
  if (type === 'string') wrong.push(...UNSTORABLE)
  if (schema.format) wrong.push(['not of its format', 'bees'], ...WRONG_FORMAT)
  if (type === 'array' && items) {
    if (schema.minItems) wrong.push(['empty', []])
    if (schema.uniqueItems) wrong.push(['repeated', [sampleOf(items), sampleOf(items)]])
    if (schema.maxItems) wrong.push(['too many', Array(schema.maxItems + 1).fill(sampleOf(items))])
    for (const [what, value] of wrongValuesFor(items)) wrong.push([`in it: ${what}`, [value]])
  }
  return wrong
}

const UNSTORABLE: [string, unknown][] = [
  ['a NUL', 'bees\0in Tromsø'],
  ['half of a surrogate pair', 'bees \ud83d in Tromsø'],
  ['the other half', '\udc1d'],
  ['a pair the wrong way round', '\udc1d\ud83d']
]
/** What the standard formats allow and a database does not. */
const WRONG_FORMAT: [string, unknown][] = [
  ['a URN', `urn:uuid:${UNKNOWN_ID}`],
  ['a leap second', '2016-12-31T23:59:60Z'],
  ['a year before all years', '0000-01-01T00:00:00Z'],
  ['a day that is none', '2024-02-30T00:00:00Z']
]

function allowsKind({ type, enum: choices, anyOf, format, items }: Schema, value: unknown): boolean {
  if (choices) return choices.includes(value)
  if (anyOf) return anyOf.some((schema) => allowsKind(schema, value))
  if (type === 'null') return value === null
  if (type === 'number') return typeof value === 'number'
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'array') return Array.isArray(value) && allowsKind(items ?? {}, value[0])
  if (type === 'string') return typeof value === 'string' && !format
  return typeof value === type && value !== null && !Array.isArray(value)
}
