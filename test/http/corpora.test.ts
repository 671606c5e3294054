import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { hasDatabase, openTestDatabase } from '../support/database.ts'

// Large public sets of strange input, which are not part of the project: PAI_CORPORA says where they are.
const folder = process.env.PAI_CORPORA ?? ''
const documents = folder ? globSync(join(folder, 'json-parsing', '*.json')).sort() : []

const nameOf = (path: string) => path.split(/[\\/]/).at(-1) ?? ''
const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0') && /\S/.test(text)

// Thousands of requests, so on the faster database where there is one, and with time.
describe.skipIf(!folder)('public sets of strange input', { timeout: 300_000 }, () => {
  let opened: Awaited<ReturnType<typeof openTestDatabase>>
  let house: TestApp
  let ada: TestOwner

  beforeAll(async () => {
    opened = await openTestDatabase(hasDatabase('postgres') ? 'postgres' : 'embedded')
    house = await buildTestApp(opened.database)
    ada = await house.register()
  })
  afterAll(async () => {
    await house?.close()
    await opened?.close()
  })

  function post(url: string, payload: Buffer | object) {
    const headers = { ...ada.headers, 'content-type': 'application/json' }
    return house.app.inject({ method: 'POST', url, headers, payload })
  }
  const get = async (url: string) => (await house.app.inject({ url, headers: ada.headers })).json()

  const strings = (): string[] => JSON.parse(readFileSync(join(folder, 'naughty-strings.json'), 'utf8'))

  /** Does so for each, some of them at once. */
  async function forEach<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
    const waiting = items.values()
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const item of waiting) await work(item)
      })
    )
  }

  test('a JSON document as a body is refused: as no JSON where it is none, else as not what is asked for', async () => {
    expect(documents.length).toBeGreaterThan(300)
    const faults: string[] = []
    for (const path of documents) {
      for (const url of ['/v1/memories', '/v1/chat', '/v1/auth/login', '/v1/recall']) {
        const { statusCode, headers, body } = await post(url, readFileSync(path))
        const { code } = JSON.parse(body)
        const expected = { n: /^PAI_JSON_INVALID$/, y: /^PAI_(VALIDATION|TEXT_REFUSED)$/ }[
          nameOf(path).charAt(0)
        ]
        const isRefused =
          statusCode === 400 && /^application\/problem\+json/.test(String(headers['content-type']))
        if (!isRefused || !(expected ?? /^PAI_/).test(code))
          faults.push(`${url} ${nameOf(path)} ${statusCode} ${code}`)
      }
    }
    expect(faults).toEqual([])
  })

  test('a JSON document as a field is stored as it was written when it is text, and refused when it is not', async () => {
    const faults: string[] = []
    let stored = 0
    for (const path of documents.filter((one) => nameOf(one).startsWith('y_'))) {
      const bytes = readFileSync(path)
      const value = [JSON.parse(bytes.toString())].flat(9)[0]
      const document = Buffer.concat([
        Buffer.from('{"text":'),
        Buffer.from(JSON.stringify(value) ?? 'null'),
        Buffer.from('}')
      ])
      const response = await post('/v1/memories', document)
      if (typeof value === 'string' && isStorable(value)) {
        stored++
        const { id } = response.json()
        if ((await get(`/v1/memories/${id}`)).text !== value) faults.push(`${nameOf(path)} came back changed`)
        await house.app.inject({ method: 'DELETE', url: `/v1/memories/${id}`, headers: ada.headers })
      } else if (response.statusCode !== 400) faults.push(`${nameOf(path)} answers ${response.statusCode}`)
    }
    expect(faults).toEqual([])
    expect(stored).toBeGreaterThan(30)
  })

  test('a naughty string comes back as it was sent, as a message', async () => {
    const faults: string[] = []
    await forEach(strings(), async (text) => {
      const turn = await post('/v1/chat', { message: text, useMemory: false })
      if (!isStorable(text))
        return void (turn.statusCode !== 400 && faults.push(`${JSON.stringify(text)} is not refused`))
      const { items } = await get(`/v1/conversations/${turn.json().conversationId}/messages`)
      if (items[0]?.content !== text) faults.push(`${JSON.stringify(text)} became ${items[0]?.content}`)
    })
    expect(faults).toEqual([])
    expect(strings().filter(isStorable).length).toBeGreaterThan(480)
  })

  test('a naughty string comes back as it was sent, as a memory', async () => {
    const faults: string[] = []
    // One after the other: two that differ in their case alone are one fact.
    for (const text of strings()) {
      const { statusCode, body } = await post('/v1/memories', { text })
      if (!isStorable(text)) {
        if (statusCode !== 400) faults.push(`${JSON.stringify(text)} is not refused`)
        continue
      }
      const url = `/v1/memories/${JSON.parse(body).id}`
      const kept = await get(url)
      if (kept.text !== text || kept.sources[0].quote !== text)
        faults.push(`${JSON.stringify(text)} became ${kept.text}`)
      await house.app.inject({ method: 'DELETE', url, headers: ada.headers })
    }
    expect(faults).toEqual([])
  })

  test('a naughty string breaks nothing as a query', async () => {
    await post('/v1/memories', { text: 'My sister Ada keeps bees in Tromsø' })
    await forEach(strings(), async (query) => {
      for (const url of ['/v1/recall', '/v1/memories/search']) {
        const { statusCode } = await post(url, { query })
        expect(statusCode, query).toBe(isStorable(query) ? 200 : 400)
      }
    })
  })
})
