import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { openTestDatabase } from '../support/database.ts'
import { operationsOf, requestFor } from './requests.ts'

// biome-ignore lint/suspicious/noExplicitAny: a document is walked whatever is in it
type Json = any

/** What no client of the API calls, what is no HTTP, and what OpenAI's own document describes. */
const NOT_DOCUMENTED = /^(?:\/docs(?:\/.*)?|\/openapi\.json|\/?\*|\/v1\/ws|\/openai\/v1\/.*)$/

describe('the API’s document', () => {
  const routes: RouteOptions[] = []
  let opened: Awaited<ReturnType<typeof openTestDatabase>>
  let house: TestApp
  let app: FastifyInstance
  let document: Json

  beforeAll(async () => {
    opened = await openTestDatabase('embedded')
    house = await buildTestApp(opened.database)
    app = buildApp(house.services, { rateLimit: 600, loopback: true })
    app.addHook('onRoute', (route) => void routes.push(route))
    await app.ready()
    document = app.swagger()
  })
  afterAll(async () => {
    await app.close()
    await house.close()
    await opened.close()
  })

  const operations = (): [name: string, operation: Json][] =>
    Object.entries<Json>(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, Json] => [
        `${method.toUpperCase()} ${path}`,
        operation
      ])
    )

  /** Everything in a value that is an object, with the path to it. */
  function* objectsIn(value: Json, path = ''): Generator<[path: string, object: Json]> {
    if (typeof value !== 'object' || value === null) return
    yield [path, value]
    for (const [key, item] of Object.entries(value))
      yield* objectsIn(item, `${path}/${key.replaceAll('/', '~1')}`)
  }

  test('is OpenAPI 3.1, says who may use what, and is served to anybody as it is', async () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'PAI', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }]
    })
    const response = await app.inject('/openapi.json')
    expect(response.headers['content-type']).toMatch(/^application\/json/)
    expect(response.json()).toEqual(JSON.parse(JSON.stringify(document)))
  })

  test('holds every route of the service', () => {
    const served = routes
      .flatMap(({ method, url }) => [method].flat().map((one) => `${one} ${url.replace(/:(\w+)/g, '{$1}')}`))
      .filter((name) => !NOT_DOCUMENTED.test(name.split(' ')[1] ?? ''))
    expect(
      operations()
        .map(([name]) => name)
        .toSorted()
    ).toEqual(served.toSorted())
    expect(served.length).toBeGreaterThanOrEqual(30)
  })

  test('says of every call what it is, what it answers, and how it refuses', () => {
    for (const [name, { summary, tags, responses }] of operations()) {
      expect(summary, name).toMatch(/^\S.{5,}/)
      expect(tags, name).toHaveLength(1)
      const { default: refusal, ...answers } = responses
      const schemas = Object.values<Json>(answers).map(
        ({ content = {} }) => Object.values<Json>(content)[0]?.schema
      )
      const isEmpty = Object.keys(answers).join() === '204'
      expect(isEmpty || schemas.every(Boolean), name).toBe(true)
      expect(
        Object.keys(answers).every((status) => /^2\d\d$/.test(status)),
        name
      ).toBe(true)
      expect(refusal.content['application/problem+json'].schema, name).toEqual({
        $ref: '#/components/schemas/Problem'
      })
    }
  })

  test('asks for a bearer everywhere but where nobody can have one yet', () => {
    const open = operations().filter(([, { security }]) => security?.length === 0)
    expect(open.map(([name]) => name.split(' ')[1]).toSorted()).toEqual([
      '/healthz',
      '/readyz',
      '/v1/auth/login',
      '/v1/auth/logout',
      '/v1/auth/refresh',
      '/v1/auth/register',
      '/v1/auth/status'
    ])
    for (const [name, { security = document.security }] of operations()) {
      for (const requirement of security)
        expect(['bearer', undefined], name).toContain(Object.keys(requirement)[0])
    }
  })

  test('is sound: references lead somewhere, parameters are in their paths, schemas are schemas', () => {
    for (const [path, object] of objectsIn(document)) {
      if (typeof object.$ref === 'string') {
        const target = object.$ref
          .slice(2)
          .split('/')
          .reduce((node: Json, key: string) => node?.[key], document)
        expect(target, `${path} ${object.$ref}`).toBeDefined()
      }
      if (Array.isArray(object.required) && object.properties) {
        expect(Object.keys(object.properties), path).toEqual(expect.arrayContaining(object.required))
      }
      // Words of OpenAPI 3.0 that mean nothing in 3.1.
      if (!path.endsWith('/properties')) expect(object, path).not.toHaveProperty('nullable')
    }
    const ajv = addFormats.default(new Ajv({ strict: true, strictTypes: false, keywords: ['example'] }))
    for (const [name, { parameters = [], requestBody, responses }] of operations()) {
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
      const declared = parameters.filter((parameter: Json) => parameter.in === 'path')
      expect(
        declared.map((parameter: Json) => parameter.name),
        name
      ).toEqual(inPath)
      expect(
        declared.every((parameter: Json) => parameter.required),
        name
      ).toBe(true)
      const { default: _, ...answers } = responses
      const media = [requestBody, ...Object.values<Json>(answers)].flatMap((part) =>
        Object.values<Json>(part?.content ?? {})
      )
      for (const { schema } of media) expect(() => ajv.compile(schema), name).not.toThrow()
    }
  })

  test('closes every object a caller sends, however deep', () => {
    for (const [name, { requestBody }] of operations()) {
      for (const [path, object] of objectsIn(requestBody)) {
        if (object.type === 'object') expect(object.additionalProperties, `${name} ${path}`).toBe(false)
      }
    }
  })

  test('bounds every text, list and number a caller sends', () => {
    for (const [name, { requestBody, parameters }] of operations()) {
      for (const [path, schema] of objectsIn([requestBody, parameters])) {
        const where = `${name} ${path}`
        if (schema.type === 'string' && !schema.format && !schema.enum)
          expect(schema, where).toHaveProperty('maxLength')
        if (schema.type === 'integer') expect(schema, where).toHaveProperty('maximum')
        if (schema.type === 'array' && !schema.uniqueItems) expect(schema, where).toHaveProperty('maxItems')
      }
    }
  })

  test('is what the service answers: no field more, none less', async () => {
    const ada = await house.register()
    const answered = await answersOf(ada)
    const ajv = addFormats.default(new Ajv({ strict: false }))
    for (const [name, body] of answered) {
      const responses =
        document.paths[name.split(' ')[1] ?? ''][(name.split(' ')[0] ?? '').toLowerCase()].responses
      const { default: _, ...answers } = responses
      const schema = structuredClone(Object.values<Json>(answers)[0].content['application/json'].schema)
      for (const [, object] of objectsIn(schema))
        if (object.type === 'object') object.additionalProperties = false
      expect(ajv.validate(schema, body), `${name} ${ajv.errorsText()} ${JSON.stringify(body)}`).toBe(true)
    }
    expect(new Set(answered.map(([name]) => name)).size).toBeGreaterThanOrEqual(15)
  })

  /** What the calls answer to someone who has one of everything. */
  async function answersOf(owner: TestOwner): Promise<[name: string, body: Json][]> {
    const { headers } = owner
    const make = (url: string, payload: object) => house.app.inject({ method: 'POST', url, headers, payload })
    for (let count = 0; count < 2; count++) {
      await make('/v1/chat', { message: 'My sister Ada keeps bees in Tromsø. Where does she keep them?' })
    }
    await make('/v1/memories', { text: 'My sister Ada keeps bees in Tromsø' })
    await make('/v1/api-keys', { name: 'script', expiresAt: '2100-01-01T00:00:00Z' })
    const { rows } = await opened.database.pool.query<{ id: string }>(
      ['conversations', 'messages', 'turns', 'memories']
        .map((table) => `SELECT id FROM ${table} WHERE owner_id = $1`)
        .join(' UNION ALL '),
      [owner.id]
    )
    const answered: [string, Json][] = []
    for (const operation of operationsOf(house.app)) {
      if (operation.path.endsWith('/events') || operation.path === '/metrics') continue
      for (const id of operation.pathParameters.length > 0 ? rows.map((row) => row.id) : ['']) {
        if (operation.method === 'DELETE') continue
        const request = requestFor(operation, { id, search: operation.query.limit ? '?limit=1' : '' })
        const response = await house.app.inject({ ...request, headers: { ...request.headers, ...headers } })
        if (response.statusCode < 300 && response.body) answered.push([operation.name, response.json()])
      }
    }
    return answered
  }

  test('can be read at /docs, where only its own scripts run', async () => {
    const page = await app.inject('/docs/')
    expect(page.statusCode).toBe(200)
    expect(page.headers['content-type']).toMatch(/^text\/html/)
    const policy = String(page.headers['content-security-policy'])
    const scripts = /script-src ([^;]*)/.exec(policy)?.[1] ?? ''
    expect(scripts).toContain("'self'")
    expect(scripts).not.toMatch(/unsafe-inline|unsafe-eval|\*|https?:/)
    expect(page.body).not.toMatch(/<script(?![^>]*\bsrc=)/)
    const files = [...page.body.matchAll(/(?:src|href)="([^"]+\.(?:js|css|png))"/g)].map(
      ([, file]) => file ?? ''
    )
    expect(files.length).toBeGreaterThanOrEqual(4)
    for (const file of files) {
      const response = await app.inject(new URL(file, 'http://localhost/docs/').pathname)
      expect(response.statusCode, file).toBe(200)
    }
    expect((await app.inject('/docs/json')).json()).toEqual((await app.inject('/openapi.json')).json())
  })
})
