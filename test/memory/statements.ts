import type pg from 'pg'
import { onTestFinished } from 'vitest'
import type { Database } from '../../src/db/client.ts'

export interface Statement {
  text: string
  values: unknown[]
  /** Set where it is prepared under a name. */
  name: string | undefined
}

/** Every statement that connections of the pool send from now to the end of the test, in order. */
export function recordStatements({ pool }: Database): Statement[] {
  const statements: Statement[] = []
  const heard = new Set<pg.PoolClient>()
  const listen = (client: pg.PoolClient) => {
    if (heard.has(client)) return
    heard.add(client)
    const query = client.query as (...args: unknown[]) => unknown
    const recording = (...args: unknown[]) => {
      const first = (typeof args[0] === 'string' ? { text: args[0] } : args[0]) as pg.QueryConfig
      const values = (Array.isArray(args[1]) ? args[1] : first.values) ?? []
      statements.push({ text: first.text, values, name: first.name })
      return query.apply(client, args)
    }
    client.query = recording as typeof client.query
    onTestFinished(() => {
      client.query = query as typeof client.query
    })
  }
  pool.on('acquire', listen)
  onTestFinished(() => void pool.off('acquire', listen))
  return statements
}
