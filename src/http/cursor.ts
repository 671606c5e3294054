import { UUID } from '../db/client.ts'
import { CursorInvalid } from './errors.ts'
import { PAGE_LIMIT, type PageQuery } from './schemas.ts'

/** Where a newest-first list goes on: after this moment and id. */
export interface Cursor {
  at: Date
  id: string
}

/** As `toISOString` writes the years PostgreSQL and people know. */
const INSTANT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

export function encodeCursor({ at, id }: Cursor): string {
  return Buffer.from(`${at.toISOString()} ${id}`).toString('base64url')
}

export function decodeCursor(text: string): Cursor {
  const [instant = '', id = ''] = Buffer.from(text, 'base64url').toString().split(' ')
  const at = new Date(instant)
  if (!INSTANT.test(instant) || Number.isNaN(at.getTime()) || !UUID.test(id)) throw new CursorInvalid()
  return { at, id }
}

interface Page<Item> {
  items: Item[]
  nextCursor: string | null
}

/** The page that was asked for of a list. `list` reads one row past the limit: the extra row says that there is more. */
export async function readPage<Row>(
  query: PageQuery,
  list: (limit: number, after: Cursor | undefined) => Promise<Row[]>,
  toCursor: (row: Row) => Cursor
): Promise<Page<Row>>
export async function readPage<Row, Item>(
  query: PageQuery,
  list: (limit: number, after: Cursor | undefined) => Promise<Row[]>,
  toCursor: (row: Row) => Cursor,
  toItem: (row: Row) => Item
): Promise<Page<Item>>
export async function readPage<Row>(
  { cursor, limit = PAGE_LIMIT }: PageQuery,
  list: (limit: number, after: Cursor | undefined) => Promise<Row[]>,
  toCursor: (row: Row) => Cursor,
  toItem: (row: Row) => unknown = (row) => row
): Promise<Page<unknown>> {
  const rows = await list(limit, cursor === undefined ? undefined : decodeCursor(cursor))
  const last = rows[limit - 1]
  return {
    items: rows.slice(0, limit).map(toItem),
    nextCursor: rows.length > limit && last ? encodeCursor(toCursor(last)) : null
  }
}
