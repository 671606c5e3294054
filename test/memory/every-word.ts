import type { Database } from '../../src/db/client.ts'

/**
 * Every text that any column of any table holds for an owner, as the tests see it: by the login, past row-level security,
 * and by other means than the product's own proof.
 */
export async function everyWordOf(database: Database, ownerId: string): Promise<string[]> {
  const { rows: tables } = await database.pool.query<{ name: string; owned: boolean; job: boolean }>(`
    SELECT format('%I.%I', nspname, relname) AS name,
           EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'owner_id') AS owned,
           relname LIKE 'job%' AND nspname = 'pgboss' AS job
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname IN ('public', 'pgboss') AND relkind = 'r'`)
  const texts: string[] = []
  for (const { name, owned } of tables) {
    const where = owned ? 'WHERE owner_id = $1' : 'WHERE $1::uuid IS NOT NULL'
    const { rows } = await database.pool.query<{ row: unknown }>(
      `SELECT to_jsonb(row) AS row FROM ${name} AS row ${where}`,
      [ownerId]
    )
    for (const { row } of rows) collect(row, texts)
  }
  const { rows: logs } = await database.pool.query<{ text: string }>(
    `SELECT string_agg(data ->> 'text', '' ORDER BY id) AS text FROM turn_events
      WHERE owner_id = $1 AND type LIKE '%delta' GROUP BY turn_id`,
    [ownerId]
  )
  return [...texts, ...logs.map(({ text }) => text ?? '')]
}

function collect(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value)
  else if (typeof value === 'object' && value !== null)
    for (const item of Object.values(value)) collect(item, texts)
}
