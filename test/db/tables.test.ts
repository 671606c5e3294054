import { globSync } from 'node:fs'
import { join } from 'node:path'
import { is, SQL } from 'drizzle-orm'
import { getTableConfig, type PgColumn, PgDialect, PgTable } from 'drizzle-orm/pg-core'
import { expect, test } from 'vitest'
import { describeEachDatabase } from '../support/database.ts'

/** `src/db` imports no feature, so it cannot name their tables. */
const BY_HAND = ['idempotency_keys FOREIGN KEY (owner_id) REFERENCES users(id)']
const SOURCES = join(import.meta.dirname, '..', '..', 'src')

async function declaredTables(): Promise<Map<string, PgTable>> {
  const paths = globSync(['**/tables.ts', 'db/idempotency-table.ts'], { cwd: SOURCES })
  const modules = await Promise.all(paths.map((path) => import(join(SOURCES, path)) as Promise<object>))
  const tables = modules.flatMap((module) => Object.values(module)).filter((value) => is(value, PgTable))
  return new Map(tables.map((table) => [getTableConfig(table).name, table]))
}

/** The default as PostgreSQL writes it back. */
function defaultOf(column: PgColumn): string | null {
  if (!column.hasDefault) return null
  const value: unknown = column.default
  if (is(value, SQL)) return new PgDialect().sqlToQuery(value).sql
  const type = column.getSQLType()
  if (type === 'jsonb') return `'${JSON.stringify(value)}'::jsonb`
  if (Array.isArray(value)) return `'{${value.join()}}'::${type}`
  return typeof value === 'string' ? `'${value}'::${type}` : String(value)
}

describeEachDatabase('tables in the code', (database) => {
  test('have the columns the migrations make: names, types, nullability and defaults', async () => {
    const { rows } = await database().pool.query(`
      SELECT relname AS table, attname AS column, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
             pg_get_expr(adbin, adrelid) AS default
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
       ORDER BY relname, attname`)
    const declared = [...(await declaredTables())].flatMap(([table, definition]) =>
      getTableConfig(definition).columns.map((column) => ({
        table,
        column: column.name,
        type: column.getSQLType().replace(' (', '('),
        required: column.notNull,
        default: defaultOf(column)
      }))
    )
    const place = ({ table, column }: { table: string; column: string }) => `${table} ${column}`
    expect(declared.sort((a, b) => (place(a) < place(b) ? -1 : 1))).toEqual(rows)
    expect(declared.length).toBeGreaterThan(100)
  })

  test('have the primary keys and the foreign keys the migrations make', async () => {
    const { rows } = await database().pool.query<{ key: string }>(`
      SELECT conrelid::regclass || ' ' || regexp_replace(pg_get_constraintdef(oid), ' ON DELETE.*| DEFERRABLE.*| INCLUDE.*', '') AS key
        FROM pg_constraint WHERE contype IN ('p', 'f') AND connamespace = 'public'::regnamespace ORDER BY 1`)
    const names = (columns: PgColumn[]) => columns.map(({ name }) => name).join(', ')
    const declared = [...(await declaredTables())].flatMap(([table, definition]) => {
      const { columns, primaryKeys, foreignKeys } = getTableConfig(definition)
      const primary = primaryKeys[0]?.columns ?? columns.filter((column) => column.primary)
      const foreign = foreignKeys.map((key) => {
        const { columns, foreignColumns, foreignTable } = key.reference()
        return `FOREIGN KEY (${names(columns)}) REFERENCES ${getTableConfig(foreignTable).name}(${names(foreignColumns)})`
      })
      return [`PRIMARY KEY (${names(primary)})`, ...foreign].map((key) => `${table} ${key}`)
    })
    expect([...declared, ...BY_HAND].sort()).toEqual(rows.map(({ key }) => key).sort())
  })

  test('have the indexes the migrations make', async () => {
    const { rows } = await database().pool.query<{ index: string }>(`
      SELECT concat(relname, CASE WHEN indisunique THEN ' unique' END, ' (',
                    (SELECT string_agg(attname, ', ' ORDER BY place) FROM unnest(indkey::int[]) WITH ORDINALITY AS key(number, place)
                       JOIN pg_attribute ON attrelid = indrelid AND attnum = number), ')') AS index
        FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
       WHERE relnamespace = 'public'::regnamespace AND NOT indisprimary`)
    const declared = [...(await declaredTables()).values()].flatMap((definition) =>
      getTableConfig(definition).indexes.map(({ config }) => {
        const columns = config.columns.map((column) => ('name' in column ? column.name : '?'))
        return `${config.name}${config.unique ? ' unique' : ''} (${columns.join(', ')})`
      })
    )
    const made = rows.map(({ index }) => index)
    // A migration may have more: an index with an expression is written by hand.
    expect(declared.filter((index) => !made.includes(index))).toEqual([])
    expect(declared.length).toBeGreaterThan(15)
  })
})
