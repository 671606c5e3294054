import { hash } from 'node:crypto'
import { DrizzleQueryError, is, Placeholder, type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type pg from 'pg'

/** A statement with its values. `Row` is what it answers, as pg maps it. */
export interface Statement<Row extends pg.QueryResultRow> {
  /** A connection of a server plans it once under this name; undefined: each time. */
  readonly name: string | undefined
  readonly text: string
  readonly values: unknown[]
  /** Only for the type. */
  readonly row?: Row
}

type Values = Record<string, unknown>

/**
 * A statement that every turn asks: its text is put together once, and each connection of a server reads and plans it once.
 * So it looks up what it wants by whole keys, for which one plan suits every owner; a search has a plan of its own each time.
 */
export function fixed<Given extends Values, Row extends pg.QueryResultRow = Values>(
  write: (value: { [Name in keyof Given]: Placeholder }) => SQL
): (values: Given) => Statement<Row> {
  let made: ReturnType<typeof put> | undefined
  return function statement(values) {
    made ??= put(write)
    const { name, text, params } = made
    return { name, text, values: params.map((param) => ('of' in param ? values[param.of] : param.value)) }
  }
}

function put<Given extends Values>(write: (value: { [Name in keyof Given]: Placeholder }) => SQL) {
  const placeholders = new Proxy({}, { get: (_, name) => sql.placeholder(String(name)) })
  const { sql: text, params } = new PgDialect().sqlToQuery(write(placeholders as never))
  return {
    name: nameOf(text),
    text,
    params: params.map((param) => (is(param, Placeholder) ? { of: param.name } : { value: param as unknown }))
  }
}

/** What a connection knows a statement by: the same for the same text, wherever it comes from. */
export function nameOf(text: string): string {
  return `pai_${hash('sha256', text).slice(0, 32)}`
}

/** Sends a statement inside a transaction, at once, and answers its rows. */
export async function ask<Row extends pg.QueryResultRow>(
  { $client }: { $client: pg.ClientBase },
  { name, text, values }: Statement<Row>
): Promise<Row[]> {
  // The connections of the embedded database are one session: a name that one gave would be the others' as well.
  const named = name !== undefined && 'pipeline' in $client && $client.pipeline === true
  try {
    const { rows } = await $client.query<Row>(named ? { name, text, values } : { text, values })
    return rows
  } catch (error) {
    throw new DrizzleQueryError(text, values, error as Error)
  }
}
