import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { fillEveryTable, ownedTables } from '../support/every-table.ts'
import { wrongBodies, wrongFields, wrongHeaders, wrongPaths, wrongQueries, wrongTypes } from './attempts.ts'
import { findErrorCodes } from './error-codes.ts'
import { type Attempt, type Operation, operationsOf, requestFor, UNKNOWN_ID } from './requests.ts'
import { tablesOf } from './tables.ts'

const REQUEST_ID = /^[0-9a-f-]{36}$/

// Every call is read from the API's document, so that a route written later is tested without being named here.
describeEachDatabase('bad input', (database) => {
  let house: TestApp
  /** The administrator, whom every route lets in. */
  let ada: TestOwner
  let bob: TestOwner
  let operations: Operation[]
  let codes: string[]

  beforeAll(async () => {
    house = await buildTestApp(database())
    ada = await house.register()
    bob = await house.register()
    operations = operationsOf(house.app)
    codes = await findErrorCodes()
  })
  afterAll(() => house.close())

  /** Ids of rows in every table, which all are there and all are this owner's. */
  async function idsOf(owner: TestOwner): Promise<string[]> {
    const tables = await ownedTables(database())
    await fillEveryTable(database(), tables, owner.id)
    const ids: string[] = [owner.id]
    for (const { name, ownerColumn, columns } of tables) {
      if (!columns.some((column) => column.name === 'id' && column.type === 'uuid')) continue
      const { rows } = await database().pool.query(`SELECT id FROM ${name} WHERE ${ownerColumn} = $1`, [
        owner.id
      ])
      ids.push(...rows.map(({ id }) => id))
    }
    return ids
  }

  function send(request: InjectOptions, owner: TestOwner = ada): Promise<LightMyRequestResponse> {
    return house.app.inject({ ...request, headers: { ...owner.headers, ...request.headers } })
  }

  /** Why an answer is not the refusal it must be; null when it is. */
  function faultOf(response: LightMyRequestResponse): string | null {
    const { statusCode, headers, body } = response
    if (statusCode < 400 || statusCode > 499) return `answers ${statusCode} ${body.slice(0, 200)}`
    const contentType = String(headers['content-type'])
    if (!/^application\/problem\+json(;|$)/.test(contentType)) return `answers with ${contentType}`
    if (body.length > 2_000) return `answers ${body.length} characters`
    const { type, title, status, detail, code, requestId, errors, ...rest } = response.json()
    if (!codes.includes(code)) return `has the code ${code}`
    if (!REQUEST_ID.test(requestId) || requestId !== headers['x-request-id']) return `has the id ${requestId}`
    if (type !== 'about:blank' || !title || !detail || status !== statusCode) return `is not whole: ${body}`
    return Object.keys(rest).length > 0 ? `has ${Object.keys(rest)} too` : null
  }

  /** Makes every attempt; each must be refused, and nothing in the database may have changed. */
  async function expectRefused(
    attemptsOf: (operation: Operation) => Iterable<Attempt>,
    check: (response: LightMyRequestResponse, attempt: Attempt) => string | null = faultOf
  ): Promise<void> {
    const before = await tablesOf(database())
    const faults: string[] = []
    let made = 0
    for (const attempt of operations.flatMap((operation) => [...attemptsOf(operation)])) {
      const response = await send(attempt.request)
      const fault = check(response, attempt)
      if (fault) faults.push(`${attempt.operation.name} with ${attempt.wrong} ${fault}`)
      made++
    }
    expect(faults.slice(0, 40)).toEqual([])
    expect(made).toBeGreaterThan(0)
    expect(await tablesOf(database())).toEqual(before)
  }

  test('every route is looked at, and those that take a body say what it holds', () => {
    expect(operations.length).toBeGreaterThanOrEqual(30)
    expect(operations.filter(({ body }) => body).length).toBeGreaterThanOrEqual(12)
  })

  test('fields that are unknown, missing, of another type or beyond their bounds are refused', async () => {
    await expectRefused(wrongFields)
  })

  test('bodies that are broken, too large, too deep or poisoned are refused', async () => {
    await expectRefused(wrongBodies)
  })

  test('a body of another type is refused, and a type that is nearly JSON does not get a body past its check', async () => {
    await expectRefused(wrongTypes)
  })

  test('query parameters that are unknown, repeated, out of bounds or forged are refused', async () => {
    const ids = await idsOf(ada)
    // With every column filled, a memory is a forgotten one.
    await database().pool.query('UPDATE memories SET forgotten_at = NULL WHERE owner_id = $1', [ada.id])
    for (const operation of operations.filter(({ query }) => Object.keys(query).length > 0)) {
      const found: string[] = []
      // What is not a reading would change what the others read.
      for (const id of operation.method === 'GET' ? ids : []) {
        const search = 'query' in operation.query ? '?query=bees' : ''
        const response = await send(requestFor(operation, { id, search }))
        if (response.statusCode === 200) found.push(id)
      }
      // Of what is not there, no list would be read.
      if (operation.method === 'GET') expect(found.length, operation.name).toBeGreaterThan(0)
      await expectRefused((other) =>
        other === operation ? wrongQueries(operation, found[0] ?? ids[0] ?? '') : []
      )
    }
  })

  test('headers that are empty, too long or make no sense are refused', async () => {
    await idsOf(ada)
    const { rows } = await database().pool.query('SELECT id FROM turns WHERE owner_id = $1', [ada.id])
    await expectRefused((operation) => wrongHeaders(operation, rows[0]?.id))
  })

  test('a path whose id is no id is refused', async () => {
    await expectRefused(wrongPaths)
  })

  test('an id nobody has is not found', async () => {
    await expectRefused(
      function* unknownIds(operation) {
        if (operation.pathParameters.length === 0) return
        yield { operation, wrong: 'an unknown id', request: requestFor(operation) }
      },
      (response) =>
        faultOf(response) ?? (response.statusCode === 404 ? null : `answers ${response.statusCode}`)
    )
  })

  test('another person’s id is not found, whatever it is the id of', async () => {
    const ids = new Set(await idsOf(bob))
    expect(ids.size).toBeGreaterThan(8)
    const notFound = (response: LightMyRequestResponse) =>
      faultOf(response) ?? (response.statusCode === 404 ? null : `answers ${response.statusCode}`)
    await expectRefused(function* strangersIds(operation) {
      for (const id of ids) {
        if (operation.pathParameters.length > 0) {
          yield { operation, wrong: `Bob’s ${id}`, request: requestFor(operation, { id }) }
        }
        for (const [name, schema] of Object.entries(operation.body?.properties ?? {})) {
          if (schema.format !== 'uuid') continue
          const sample = JSON.parse(requestFor(operation).payload as string)
          const payload = { ...sample, [name]: id }
          yield { operation, wrong: `Bob’s ${id} as ${name}`, request: requestFor(operation, { payload }) }
        }
      }
    }, notFound)
    // Bob himself finds what is his.
    const { rows } = await database().pool.query('SELECT id FROM conversations WHERE owner_id = $1', [bob.id])
    const own = await send({ method: 'GET', url: `/v1/conversations/${rows[0].id}` }, bob)
    expect(own.statusCode).toBe(200)
  })

  test('an address that nothing answers at is not found, with any method', async () => {
    const urls = [
      '/v1',
      '/v1/',
      '/v1/nothing?token=secret',
      '/v1/me/',
      '/v1/%6de/x',
      '/V1/me',
      '/openai/v2/nothing',
      `/v1/memories/${UNKNOWN_ID}/nothing`
    ]
    // What no address can be is refused in other ways.
    const odd = [
      '/v1//me',
      '/../etc/passwd',
      '/%00',
      '/%2e%2e%2fpackage.json',
      '/v1/../../package.json',
      '/a%zz?secret=1'
    ]
    const faults: string[] = []
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'] as const) {
      for (const url of [...urls, ...odd]) {
        const response = await send({ method, url })
        // A HEAD has headers alone.
        const fault = method === 'HEAD' ? null : faultOf(response)
        const isRefused = urls.includes(url) ? response.statusCode === 404 : response.statusCode >= 400
        if (fault || !isRefused) faults.push(`${method} ${url} ${fault ?? response.statusCode}`)
      }
    }
    expect(faults).toEqual([])
  })
})
