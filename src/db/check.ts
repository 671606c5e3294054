import type { Connection, Database } from './client.ts'
import { DatabaseUnsuitable } from './errors.ts'

/** pgvector before this can leave an HNSW index damaged by vacuum or repair (its changelog, 0.8.3 and 0.8.4). */
const SOUND_VECTOR = [0, 8, 4]
/** pgvector before this can overflow a buffer in a parallel index build (CVE-2026-3172). */
const SAFE_PARALLEL_VECTOR = [0, 8, 2]
const LEAST_VECTOR = [0, 8, 0]
const LEAST_SERVER = 150_000

/** Refuses a database PAI cannot be right on, and answers warnings about one that is merely old. */
export async function checkDatabase(client: Connection): Promise<string[]> {
  const { rows } = await client.query<{
    server: number
    available: string | null
    installed: string | null
  }>(`
    SELECT current_setting('server_version_num')::int AS server,
           (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available,
           (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS installed`)
  const found = rows[0]
  if (!found || found.server < LEAST_SERVER) throw new DatabaseUnsuitable('PAI needs PostgreSQL 15 or newer')
  const version = found.installed ?? found.available
  if (!version) {
    throw new DatabaseUnsuitable(
      'The pgvector extension is missing on this PostgreSQL server: install its package (postgresql-NN-pgvector) and start again'
    )
  }
  if (isBelow(version, LEAST_VECTOR)) {
    throw new DatabaseUnsuitable(`PAI needs pgvector 0.8 or newer, this database has ${version}`)
  }
  const warnings: string[] = []
  if (isBelow(version, SOUND_VECTOR)) {
    warnings.push(
      `pgvector ${version} has known faults in HNSW indexes (fixed in 0.8.4): upgrade it, then ALTER EXTENSION vector UPDATE`
    )
  }
  if (isBelow(version, SAFE_PARALLEL_VECTOR)) {
    warnings.push(
      `pgvector ${version} is unsafe in parallel index builds (CVE-2026-3172): PAI builds its vector indexes without parallel workers until it is upgraded`
    )
  }
  return warnings
}

/** Refuses to work as a role that row-level security does not bind. */
export async function checkAppRole({ pool }: Pick<Database, 'pool'>): Promise<void> {
  const { rows } = await pool.query<{ bypasses: boolean; tables: string | null }>(`
    SELECT rolsuper OR rolbypassrls AS bypasses,
           (SELECT string_agg(relname, ', ') FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname = 'public' AND relkind IN ('r', 'p')
               AND (relowner = pg_roles.oid OR pg_has_role('pai_app', relowner, 'MEMBER')
                    OR NOT relrowsecurity OR NOT relforcerowsecurity)) AS tables
      FROM pg_roles WHERE rolname = 'pai_app'`)
  const role = rows[0]
  if (!role) throw new DatabaseUnsuitable('The role pai_app is missing: run the migrations')
  if (role.bypasses) {
    throw new DatabaseUnsuitable(
      'The role pai_app bypasses row-level security: ALTER ROLE pai_app NOSUPERUSER NOBYPASSRLS'
    )
  }
  if (role.tables) throw new DatabaseUnsuitable(`Row-level security does not bind pai_app on: ${role.tables}`)
}

export function isBelow(version: string, least: number[]): boolean {
  const parts = version.split('.').map(Number)
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0
    if (part !== wanted) return part < wanted
  }
  return false
}
