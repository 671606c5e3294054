import { type SQL, sql } from 'drizzle-orm'
import pg from 'pg'
import type { Tx } from '../../db/client.ts'

/** Where words or ids of an owner's may stand: a table, whoever added it. */
export interface Place {
  schema: string
  table: string
  columns: { name: string; type: string; kind: 'words' | 'ids' }[]
  /** Which rows are the owner's. */
  isOwners: SQL
}

/** How an account is called is not memory: a memory may hold a name that signs its owner in. */
const ACCOUNT = new Set(['users.name', 'users.email', 'users.password_hash', 'api_keys.name'])
const ROWS_AT_ONCE = 1_000
const KINDS: Record<string, 'words' | 'ids'> = {
  text: 'words',
  'character varying': 'words',
  json: 'words',
  jsonb: 'words',
  'text[]': 'words',
  uuid: 'ids',
  'uuid[]': 'ids'
}

/** Every table of the service and its queue, from the database's own catalogue: a new one needs no entry here. */
export async function listPlaces(tx: Tx, ownerId: string): Promise<Place[]> {
  const { rows } = await tx.execute<{ schema: string; table: string; columns: Record<string, string> }>(sql`
    SELECT nspname AS schema, relname AS table, json_object_agg(attname, format_type(atttypid, NULL)) AS columns
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname IN ('public', 'pgboss') AND relkind = 'r'
       AND attnum > 0 AND NOT attisdropped AND has_table_privilege(pg_class.oid, 'SELECT')
     GROUP BY nspname, relname ORDER BY nspname, relname`)
  return rows.map(({ schema, table, columns }) => ({
    schema,
    table,
    isOwners: ownersRows(ownerId, table, columns),
    columns: Object.entries(columns).flatMap(([name, type]) => {
      const kind = KINDS[type]
      return kind && !ACCOUNT.has(`${table}.${name}`) ? [{ name, type, kind }] : []
    })
  }))
}

function ownersRows(ownerId: string, table: string, columns: Record<string, string>): SQL {
  // Written out: a cursor is declared by a statement that takes no parameters.
  const owner = sql.raw(pg.escapeLiteral(ownerId))
  if ('owner_id' in columns) return sql`owner_id = ${owner}`
  if (table === 'users') return sql`id = ${owner}`
  // A job says in its payload whose it is; the queue's other tables are nobody's in particular.
  return 'data' in columns ? sql`data ->> 'ownerId' = ${owner}` : sql`true`
}

export function nameOf({ schema, table }: Place): SQL {
  return sql`${sql.identifier(schema)}.${sql.identifier(table)}`
}

export interface Found {
  column: string
  type: string
  /** As the database holds it. */
  value: unknown
}

/** Looks through every word of a place. Answers how many rows there are, and what `isIn` finds in them. */
export async function lookThrough(
  tx: Tx,
  place: Place,
  isIn: (text: string) => boolean
): Promise<{ looked: number; found: Found[] }> {
  const asked = place.columns.filter(({ kind }) => kind === 'words')
  if (asked.length === 0) return { looked: await countRows(tx, place), found: [] }
  const columns = sql.join(
    asked.map(({ name }) => sql.identifier(name)),
    sql`, `
  )
  const found: Found[] = []
  let looked = 0
  await tx.execute(
    sql`DECLARE looking NO SCROLL CURSOR FOR SELECT ${columns} FROM ${nameOf(place)} WHERE ${place.isOwners}`
  )
  for (;;) {
    const { rows } = await tx.execute<Record<string, unknown>>(
      sql`FETCH ${sql.raw(String(ROWS_AT_ONCE))} FROM looking`
    )
    looked += rows.length
    for (const row of rows) {
      for (const { name, type } of asked) {
        if (holds(row[name], isIn)) found.push({ column: name, type, value: row[name] })
      }
    }
    if (rows.length < ROWS_AT_ONCE) break
  }
  await tx.execute(sql`CLOSE looking`)
  return { looked, found }
}

async function countRows(tx: Tx, place: Place): Promise<number> {
  const { rows } = await tx.execute<{ count: number }>(
    sql`SELECT count(*)::int AS count FROM ${nameOf(place)} WHERE ${place.isOwners}`
  )
  return rows[0]?.count ?? 0
}

/** How many rows of a place name one of these ids. */
export async function countNaming(tx: Tx, place: Place, ids: string[]): Promise<number> {
  const columns = place.columns.filter(({ kind }) => kind === 'ids')
  if (columns.length === 0) return 0
  const wanted = sql`${sql.param(ids)}::uuid[]`
  // As an array of one, an id and a list of ids are asked alike.
  const named = columns.map(
    ({ name }) => sql`array_remove(array[]::uuid[] || ${sql.identifier(name)}, NULL) && ${wanted}`
  )
  const { rows } = await tx.execute<{ count: number }>(sql`
    SELECT count(*)::int AS count FROM ${nameOf(place)} WHERE ${place.isOwners} AND (${sql.join(named, sql` OR `)})`)
  return rows[0]?.count ?? 0
}

/** Whether any text in a value, however deep, is one that is looked for. */
export function holds(value: unknown, isIn: (text: string) => boolean): boolean {
  if (typeof value === 'string') return isIn(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, item]) => isIn(key) || holds(item, isIn))
}

/** The same value with every text in it changed. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), mapTexts(item, change)]))
}
