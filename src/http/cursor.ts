import { UUID } from '../db/client.ts'
import { CursorInvalid } from './errors.ts'

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

/** A page of a list that was read one row past its limit: the extra row says that there is more. */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => Item,
  toCursor: (row: Row) => Cursor
): { items: Item[]; nextCursor: string | null } {
  const last = rows[limit - 1]
  return {
    items: rows.slice(0, limit).map(toItem),
    nextCursor: rows.length > limit && last ? encodeCursor(toCursor(last)) : null
  }
}
