import type { Database } from '../../src/db/client.ts'

/** What every table of the service and the queue's jobs hold: how many rows, and a hash of all that is in them. */
export async function tablesOf(database: Database): Promise<Record<string, string>> {
  const { rows } = await database.pool.query<{ name: string }>(`
    SELECT format('%I.%I', nspname, relname) AS name
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE relkind IN ('r', 'p') AND NOT relispartition
       AND (nspname = 'public' OR (nspname = 'pgboss' AND relname = 'job')) ORDER BY 1`)
  const contents: Record<string, string> = {}
  for (const { name } of rows) {
    const { rows: found } = await database.pool.query<{ content: string }>(
      `SELECT count(*) || ' ' || coalesce(md5(string_agg(line, ',' ORDER BY line)), '') AS content
         FROM (SELECT row::text AS line FROM ${name} AS row) AS lines`
    )
    contents[name] = found[0]?.content ?? ''
  }
  return contents
}
