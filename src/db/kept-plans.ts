import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import type pg from 'pg'
import type { Tx } from './client.ts'
import { ask, nameOf } from './statement.ts'

/** For a statement that has one good plan, whoever asks and however many rows they have. */
export const KEPT_PLAN =
  'SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off'
/** A plan takes some memory of its connection's, and stays: of what varies without end the rest is planned each time. */
const MOST_KEPT = 50

const dialect = new PgDialect()
const keptBy = new WeakMap<pg.ClientBase, Set<string>>()

/** Runs a statement whose plan its connection keeps from then on, where it is a server's. */
export function executeKept<Row extends pg.QueryResultRow>(tx: Tx, statement: SQL): Promise<Row[]> {
  const { sql: text, params: values } = dialect.sqlToQuery(statement)
  const name = nameOf(text)
  const kept = keptBy.get(tx.$client) ?? new Set()
  keptBy.set(tx.$client, kept)
  if (kept.size < MOST_KEPT) kept.add(name)
  return ask(tx, { name: kept.has(name) ? name : undefined, text, values })
}
