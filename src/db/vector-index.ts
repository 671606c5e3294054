import { createHash } from 'node:crypto'
import pg from 'pg'
import type { Database } from './client.ts'

const TABLES = { memory: 'memory_vectors', message: 'message_vectors' } as const
export type VectorKind = keyof typeof TABLES

/** Any number nobody else uses: an index is built by one process at a time. */
const LOCK = 7_214_003

/**
 * Owners with an index of their own, of each kind: among a tenth of an index's rows a search goes ten times as far. Whoever
 * writes pays a little for each index there is, so that further large owners share one.
 */
const MOST_OWN = 16
/** An index of fewer rows than this is of an owner who has gone. */
const LEFT_BEHIND = 1_000

export interface VectorIndex {
  kind: VectorKind
  model: string
  dimensions: number
  /** Whose vectors; absent: everybody's. */
  ownerId?: string | undefined
  /** Not for finding the nearest but for reading an owner's one by one, which otherwise lie all over the table. */
  rows?: boolean | undefined
}

/** A row of more does not fit an index. */
export const MOST_ROW_DIMENSIONS = 1_300

/** A model's id may hold anything, and the name of an index 63 bytes. */
export function indexName({ kind, model, dimensions, ownerId, rows = false }: VectorIndex): string {
  const use = rows ? 'rows' : ownerId ? 'own' : 'hnsw'
  const of = [model, dimensions, ...(ownerId ? [ownerId] : [])].join('\n')
  return `${TABLES[kind]}_${use}_${createHash('sha256').update(of).digest('hex').slice(0, 16)}`
}

/**
 * Builds an index of one model's vectors, of one owner or, where too many have one, of all, while everybody goes on reading
 * and writing. Safe to repeat: one that is whole is left alone, and what a killed run left behind is built anew. False where
 * another process is at it.
 */
export async function buildVectorIndex(
  { pool, kind: database }: Database,
  migrationUrl: string | undefined,
  asked: VectorIndex
): Promise<boolean> {
  // Exact scans suit one person, and an insert would cost many times what it does.
  if (database === 'embedded') return true
  const client = new pg.Client({ connectionString: migrationUrl ?? pool.options.connectionString })
  await client.connect()
  try {
    await client.query('SET statement_timeout = 0; SET ROLE pai_owner')
    const isAlone = asked.ownerId === undefined || (await hasRoom(client, asked))
    const index = isAlone ? asked : { ...asked, ownerId: undefined }
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
          WHERE indrelid = $1::regclass AND relname ~ $2
            AND starts_with(ltrim(pg_get_expr(indpred, indrelid), '('), format('model = %L::text)', $3::text))`,
        [table, `^${table}_(hnsw|own|rows)_`, model]
      )
      for (const { name } of rows) {
        await drop(client, name)
      }
    }
  } finally {
    await client.end()
  }
}

/** Whether an owner can have this index alone; those that owners who have gone left behind make room. */
async function hasRoom(client: pg.Client, index: VectorIndex): Promise<boolean> {
  const table = TABLES[index.kind]
  const { rows } = await client.query<{ name: string; rows: number }>(
    `SELECT relname AS name, reltuples AS rows FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
      WHERE indrelid = $1::regclass AND starts_with(relname, $2) AND relname <> $3 AND indisvalid`,
    [table, `${table}_own_`, indexName(index)]
  )
  if (rows.length < MOST_OWN) return true
  const left = rows.filter((own) => own.rows < LEFT_BEHIND)
  for (const { name } of left) await drop(client, name)
  return rows.length - left.length < MOST_OWN
}

async function drop(client: pg.Client, name: string): Promise<void> {
  await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${pg.escapeIdentifier(name)}`)
}

async function build(client: pg.Client, index: VectorIndex): Promise<void> {
  const { kind, model, dimensions, ownerId, rows: byRows = false } = index
  const name = indexName(index)
  const { rows } = await client.query<{ valid: boolean }>(
    'SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)',
    [name]
  )
  if (rows[0]?.valid) return
  if (rows[0]) await drop(client, name)
  // Before 0.8.2 parallel workers overflow a buffer (CVE-2026-3172).
  if (!(await isAtLeast(client, [0, 8, 2]))) await client.query('SET max_parallel_maintenance_workers = 0')
  await client.query(`SET maintenance_work_mem = '512MB'`)
  const how = byRows
    ? '(owner_id) INCLUDE (id, embedding)'
    : `USING hnsw ((embedding::halfvec(${Math.trunc(dimensions)})) halfvec_cosine_ops) WITH (ef_construction = 128)`
  await client.query(
    `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${pg.escapeIdentifier(name)} ON ${TABLES[kind]} ${how}
      WHERE model = ${pg.escapeLiteral(model)}${ownerId ? ` AND owner_id = ${pg.escapeLiteral(ownerId)}` : ''}`
  )
  // The planner weighs the index by what it knows of the owners, and new statistics may be long in coming. Rows are read from
  // an index alone where the table's pages are known to be seen by all.
  await client.query(`VACUUM (ANALYZE, INDEX_CLEANUP OFF) ${TABLES[kind]}`)
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
