import { createHash } from 'node:crypto'
import pg from 'pg'
import type { Database } from './client.ts'

const TABLES = { memory: 'memory_vectors', message: 'message_vectors' } as const
export type VectorKind = keyof typeof TABLES

/** Any number nobody else uses: an index is built by one process at a time. */
const LOCK = 7_214_003

export interface VectorIndex {
  kind: VectorKind
  model: string
  dimensions: number
}

/** A model's id may hold anything, and the name of an index 63 bytes. */
export function indexName({ kind, model, dimensions }: VectorIndex): string {
  const hash = createHash('sha256').update(`${model}\n${dimensions}`).digest('hex').slice(0, 16)
  return `${TABLES[kind]}_hnsw_${hash}`
}

/**
 * Builds the index of one model's vectors while everybody goes on reading and writing. Safe to repeat: one that is whole is
 * left alone, and what a killed run left behind is built anew. False where another process is at it.
 */
export async function buildVectorIndex(
  { pool, kind: database }: Database,
  migrationUrl: string | undefined,
  index: VectorIndex
): Promise<boolean> {
  // Exact scans suit one person, and an insert would cost many times what it does.
  if (database === 'embedded') return true
  const client = new pg.Client({ connectionString: migrationUrl ?? pool.options.connectionString })
  await client.connect()
  try {
    await client.query('SET statement_timeout = 0; SET ROLE pai_owner')
    const lock = await client.query<{ held: boolean }>(
      'SELECT pg_try_advisory_lock($1, hashtext($2)) AS held',
      [LOCK, indexName(index)]
    )
    if (!lock.rows[0]?.held) return false
    await build(client, index)
    return true
  } finally {
    await client.end()
  }
}

/** Takes away the indexes of a model's vectors, of whatever dimension, while everybody goes on. Safe to repeat. */
export async function dropVectorIndexes(
  { pool, kind: database }: Database,
  migrationUrl: string | undefined,
  model: string
): Promise<void> {
  if (database === 'embedded') return
  const client = new pg.Client({ connectionString: migrationUrl ?? pool.options.connectionString })
  await client.connect()
  try {
    await client.query('SET statement_timeout = 0; SET ROLE pai_owner')
    for (const table of Object.values(TABLES)) {
      const { rows } = await client.query<{ name: string }>(
        `SELECT relname AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
          WHERE indrelid = $1::regclass AND relname LIKE $2
            AND pg_get_expr(indpred, indrelid) = format('(model = %L::text)', $3::text)`,
        [table, `${table}_hnsw_%`, model]
      )
      for (const { name } of rows) {
        await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${pg.escapeIdentifier(name)}`)
      }
    }
  } finally {
    await client.end()
  }
}

async function build(client: pg.Client, index: VectorIndex): Promise<void> {
  const { kind, model, dimensions } = index
  const name = indexName(index)
  const { rows } = await client.query<{ valid: boolean }>(
    'SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)',
    [name]
  )
  if (rows[0]?.valid) return
  if (rows[0]) await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${pg.escapeIdentifier(name)}`)
  // Before 0.8.2 parallel workers overflow a buffer (CVE-2026-3172).
  if (!(await isAtLeast(client, [0, 8, 2]))) await client.query('SET max_parallel_maintenance_workers = 0')
  await client.query(`SET maintenance_work_mem = '512MB'`)
  await client.query(
    `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${pg.escapeIdentifier(name)} ON ${TABLES[kind]}
      USING hnsw ((embedding::halfvec(${Math.trunc(dimensions)})) halfvec_cosine_ops) WITH (ef_construction = 128)
      WHERE model = ${pg.escapeLiteral(model)}`
  )
  // The planner weighs the index by what it knows of the owners, and new statistics may be long in coming.
  await client.query(`ANALYZE ${TABLES[kind]}`)
}

async function isAtLeast(client: pg.Client, wanted: number[]): Promise<boolean> {
  const { rows } = await client.query<{ version: string }>(
    `SELECT extversion AS version FROM pg_extension WHERE extname = 'vector'`
  )
  const version = (rows[0]?.version ?? '').split('.').map(Number)
  for (const [place, part] of wanted.entries()) {
    const given = version[place] ?? 0
    if (given !== part) return given > part
  }
  return true
}
