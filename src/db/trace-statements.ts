import type pg from 'pg'
import { beginInside } from '../telemetry/traced.ts'

/** Statements are ours, and few; a text that is made anew each time must not fill the memory. */
const MOST_KNOWN = 1_000
/** Of a longer one the rest is rows. It is not kept: each is another. */
const LONGEST_READ = 10_000
const LONGEST_SUMMARY = 120
const TARGET =
  /\b(insert\s+into|(?<!\bfor\s|\bdo\s|\bno\s+key\s)update(?!\s+(?:set|of|skip|nowait)\b)|delete\s+from|from|join)\s+(?:only\s+)?(?!lateral\b)((?:"?[a-z_][a-z0-9_]*"?\.)?"?[a-z_][a-z0-9_]*"?)/gi
/** What a statement names itself, and its literals, one that is cut off included: neither is a table. */
const OWN_NAME =
  /(?:\bwith|,|\brecursive)\s+"?([a-z_][a-z0-9_]*)"?\s+as\s+(?:(?:not\s+)?materialized\s+)?\(/gi
const LITERAL = /'(?:[^']|'')*(?:'|$)|\$(\w*)\$[\s\S]*?(?:\$\1\$|$)|--[^\n]*/g
const VERBS: Record<string, string> = { 'insert into': 'INSERT', 'delete from': 'DELETE', update: 'UPDATE' }

const known = new Map<string, string>()

/**
 * Has each statement on a connection be a span, inside work that is traced. It is named by what it does to which tables;
 * neither its text nor its values are kept.
 */
export function traceStatements(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...values: unknown[]) => unknown
  client.query = ((...values: unknown[]) => {
    const [statement] = values
    const span = beginInside(() => {
      const summary = summaryOf(textOf(statement))
      return {
        name: summary,
        kind: 'client',
        facts: { 'db.system.name': 'postgresql', 'db.query.summary': summary, ...operationOf(summary) }
      }
    })
    if (!span) return query(...values)
    const back = values.at(-1)
    if (typeof back === 'function') {
      const hear = (error: unknown, result: unknown) => {
        span.end(error ?? undefined)
        back(error, result)
      }
      return query(...values.slice(0, -1), hear)
    }
    const answer = query(...values)
    if (answer instanceof Promise) answer.then(() => span.end(), span.end)
    else span.end()
    return answer
  }) as typeof client.query
}

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement
  const { text } = (statement ?? {}) as { text?: unknown }
  return typeof text === 'string' ? text : ''
}

/** Such as "INSERT conversations, INSERT messages": what it does and to which tables, and nothing else of its text. */
export function summaryOf(statement: string): string {
  const before = known.get(statement)
  if (before) return before
  const bare = statement.slice(0, LONGEST_READ).replace(LITERAL, "''")
  const own = new Set([...bare.matchAll(OWN_NAME)].map(([, name = '']) => name.toLowerCase()))
  const parts = new Set<string>()
  for (const [, verb = '', target = ''] of bare.matchAll(TARGET)) {
    const table = target.replaceAll('"', '').toLowerCase()
    if (!own.has(table)) parts.add(`${VERBS[verb.toLowerCase().replace(/\s+/g, ' ')] ?? 'SELECT'} ${table}`)
  }
  const [first = 'STATEMENT'] = /^[a-z]+/i.exec(bare.trim()) ?? []
  const summary = (parts.size > 0 ? [...parts].join(', ') : first.toUpperCase()).slice(0, LONGEST_SUMMARY)
  if (statement.length > LONGEST_READ) return summary
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(statement, summary)
  return summary
}

function operationOf(summary: string): { 'db.operation.name': string; 'db.collection.name'?: string } {
  const [operation = '', table] = summary.split(/,? /)
  return { 'db.operation.name': operation, ...(table && { 'db.collection.name': table }) }
}
