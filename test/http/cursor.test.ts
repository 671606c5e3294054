import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor, readPage } from '../../src/http/cursor.ts'
import fc from '../support/properties.ts'

const ID = '019a0000-0000-7000-8000-000000000001'
const moments = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true
})
const encode = (text: string) => Buffer.from(text).toString('base64url')

test('a cursor says where it was made', () => {
  fc.assert(
    fc.property(moments, fc.uuid(), (at, id) => {
      expect(decodeCursor(encodeCursor({ at, id }))).toEqual({ at, id })
    })
  )
})

test('a cursor is safe in an address', () => {
  fc.assert(
    fc.property(moments, fc.uuid(), (at, id) => {
      expect(encodeCursor({ at, id })).toMatch(/^[\w-]{1,200}$/)
    })
  )
})

test('any other text is refused by its code, never by a crash or by the database', () => {
  const refused = (text: string) => {
    try {
      decodeCursor(text)
      return false
    } catch (error) {
      return (error as { code?: string }).code === 'PAI_CURSOR_INVALID'
    }
  }
  fc.assert(fc.property(fc.string({ unit: 'binary' }), refused))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => refused(encode(text))))
  for (const instant of [
    '2024-01-01',
    '2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00.000+00:00',
    '2024-13-01T00:00:00.000Z',
    '0000-01-01T00:00:00.000Z',
    '-271821-04-20T00:00:00.000Z',
    '+275760-09-13T00:00:00.000Z',
    'now'
  ]) {
    expect(refused(encode(`${instant} ${ID}`)), instant).toBe(true)
  }
  for (const id of ['', 'bees', `${ID}0`, `${ID}'--`, `urn:uuid:${ID}`, `${ID}\n`]) {
    expect(refused(encode(`2024-01-01T00:00:00.000Z ${id}`)), id).toBe(true)
  }
  expect(refused(encode(`2024-01-01T00:00:00.000Z ${ID}`))).toBe(false)
})

test('a page that was read one row past its limit says where the next one begins', async () => {
  const rows = [3, 2, 1].map((day) => ({
    at: new Date(`2024-01-0${day}`),
    id: ID.replace(/1$/, String(day))
  }))
  const page = await readPage(
    { limit: 2 },
    async () => rows,
    (row) => row,
    ({ id }) => id
  )
  expect(page.items).toEqual([rows[0]?.id, rows[1]?.id])
  expect(decodeCursor(page.nextCursor ?? '')).toEqual(rows[1])
})

test('the last page has no next one, nor has an empty list', async () => {
  const row = { at: new Date(0), id: ID }
  const cursor = (given: typeof row) => given
  expect(await readPage({ limit: 2 }, async () => [row, row], cursor)).toEqual({
    items: [row, row],
    nextCursor: null
  })
  expect(await readPage({ limit: 2 }, async () => [], cursor)).toEqual({ items: [], nextCursor: null })
})

test('a list is asked for what the query says, or for fifty from its beginning', async () => {
  const row = { at: new Date('2024-01-01'), id: ID }
  const asked = async (query: { cursor?: string; limit?: number }) => {
    const calls: unknown[] = []
    const list = async (...call: unknown[]) => {
      calls.push(call)
      return [row]
    }
    await readPage(query, list, (given) => given)
    return calls
  }
  expect(await asked({})).toEqual([[50, undefined]])
  expect(await asked({ cursor: encodeCursor(row), limit: 7 })).toEqual([[7, row]])
  await expect(asked({ cursor: 'bees' })).rejects.toMatchObject({ code: 'PAI_CURSOR_INVALID' })
})
