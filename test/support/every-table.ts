import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../../src/db/client.ts'

/** A table of the service, as the database itself describes it. */
export interface OwnedTable {
  name: string
  /** `owner_id`, or `id` where the row is the owner. */
  ownerColumn: string
  columns: Column[]
  foreignKeys: ForeignKey[]
}
interface Column {
  name: string
  type: string
}
/** Both lists in the key's own order. */
interface ForeignKey {
  columns: string[]
  target: string
  targetColumns: string[]
}

/** Every table in the schema `public`, whoever added it. */
export async function ownedTables(database: Database): Promise<OwnedTable[]> {
  const { rows } = await database.pool.query<Omit<OwnedTable, 'ownerColumn'>>(`
    SELECT relname AS name,
           (SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, NULL)) ORDER BY attnum)
              FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) AS columns,
           (SELECT coalesce(json_agg(json_build_object(
                     'target', confrelid::regclass::text,
                     'columns', ${namesOf('conrelid', 'conkey')},
                     'targetColumns', ${namesOf('confrelid', 'confkey')})), '[]')
              FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'f') AS "foreignKeys"
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname`)
  return rows.map((table) => ({
    ...table,
    ownerColumn: table.columns.some(({ name }) => name === 'owner_id') ? 'owner_id' : 'id'
  }))
}

function namesOf(relation: string, key: string): string {
  return `(SELECT json_agg(attname ORDER BY place) FROM unnest(${key}) WITH ORDINALITY AS numbered(number, place)
             JOIN pg_attribute ON attrelid = ${relation} AND attnum = number)`
}

/**
 * Gives the owner, who has an account, a row in every table that has none of theirs, with every column filled except those
 * that point at a row of the same table.
 */
export async function fillEveryTable(
  database: Database,
  tables: OwnedTable[],
  ownerId: string
): Promise<void> {
  const filled = new Map<string, Record<string, unknown>>()
  const fill = async (table: OwnedTable): Promise<Record<string, unknown>> => {
    const known = filled.get(table.name) ?? (await findRow(database, table, ownerId))
    if (known) return known
    const row: Record<string, unknown> = { [table.ownerColumn]: ownerId }
    for (const { columns, target, targetColumns } of table.foreignKeys) {
      const other = tables.find(({ name }) => name === target)
      const pointed = other && other !== table ? await fill(other) : {}
      columns.forEach((column, index) => {
        if (column !== table.ownerColumn) row[column] = pointed[targetColumns[index] ?? ''] ?? null
      })
    }
    for (const { name, type } of table.columns)
      if (!(name in row)) row[name] = SAMPLES[name] ?? sampleOf(type)
    const names = Object.keys(row)
    await database.pool.query(
      `INSERT INTO ${table.name} (${names.join(', ')}) VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')})
       ON CONFLICT DO NOTHING`,
      Object.values(row)
    )
    filled.set(table.name, row)
    return row
  }
  for (const table of tables) await fill(table)
}

async function findRow(
  database: Database,
  { name, ownerColumn }: OwnedTable,
  ownerId: string
): Promise<Record<string, unknown> | undefined> {
  const { rows } = await database.pool.query(`SELECT * FROM ${name} WHERE ${ownerColumn} = $1 LIMIT 1`, [
    ownerId
  ])
  return rows[0]
}

/** Columns whose rows are read by what they hold. */
const SAMPLES: Record<string, unknown> = {
  error: '{"code":"PAI_INTERNAL","message":"Something went wrong","retryable":true}',
  report: '{"steps":[]}',
  status: 'completed'
}

function sampleOf(type: string): unknown {
  const values: Record<string, () => unknown> = {
    uuid: () => uuidv7(),
    text: () => randomBytes(8).toString('hex'),
    bytea: () => randomBytes(32),
    'text[]': () => [],
    'uuid[]': () => [],
    jsonb: () => '[]',
    boolean: () => false,
    integer: () => 1,
    bigint: () => 1,
    real: () => 0.5,
    halfvec: () => '[1,2,3]',
    date: () => '2026-03-01',
    'timestamp with time zone': () => new Date()
  }
  const value = values[type]
  if (!value) throw new Error(`A table has a column of type ${type}: say here what to fill it with`)
  return value()
}
