import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as runMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { checkDatabase } from './check.ts'
import type { Connection, Database } from './client.ts'
import { prepareRoles } from './roles.ts'

const MIGRATIONS = join(import.meta.dirname, '..', '..', 'migrations')
/** Any number nobody else uses: two processes that start at once take turns. */
const LOCK = 7_214_001

export interface MigrationSettings {
  /** Who migrates; absent: the database's own connection. */
  migrationUrl?: string | undefined
  databaseUrl?: string | undefined
  /** Work that needs the same turn and the same rights, such as the queue's own tables. */
  alsoMigrate?: AlsoMigrate
}

export interface AlsoMigrate {
  /** Another answer than last time means that there is something to do. */
  version(): string
  run(client: Connection): Promise<void>
}

/**
 * Brings the schema up to date, once, however many processes start at the same time. All of it is one transaction: killed
 * at any statement, it leaves the old schema. Answers warnings an operator should read.
 */
export async function migrate(database: Database, settings: MigrationSettings = {}): Promise<string[]> {
  const { client, release } = await connectMigrator(database, settings.migrationUrl)
  try {
    // Most starts find everything done.
    const fingerprint = fingerprintOf(settings)
    if (await isCurrent(client, fingerprint)) return await checkDatabase(client)
    // A server's statement limit must not cut a migration in half.
    await client.query('SET statement_timeout = 0')
    await client.query(`SELECT pg_advisory_lock(${LOCK})`)
    const warnings = await checkDatabase(client)
    await prepareRoles(client, loginOf(settings))
    await client.query('SET ROLE pai_owner')
    await runMigrations(drizzle(client), { migrationsFolder: MIGRATIONS, migrationsSchema: 'migrations' })
    await settings.alsoMigrate?.run(client)
    await keepFingerprint(client, fingerprint)
    return warnings
  } finally {
    await client.query('RESET ROLE; RESET statement_timeout').catch(() => {})
    await client.query(`SELECT pg_advisory_unlock(${LOCK})`).catch(() => {})
    await release()
  }
}

/** Everything a migration's outcome depends on, whoever runs it aside. */
function fingerprintOf(settings: MigrationSettings): string {
  const journal = readFileSync(join(MIGRATIONS, 'meta', '_journal.json'))
  const hash = createHash('sha256').update(journal)
  hash.update(`\0${settings.alsoMigrate?.version() ?? ''}\0${loginOf(settings) ?? ''}`)
  return hash.digest('hex')
}

async function isCurrent(client: Connection, fingerprint: string): Promise<boolean> {
  const { rows: tables } = await client.query(`SELECT to_regclass('migrations.current') AS found`)
  if (!tables[0]?.found) return false
  const { rows } = await client.query(
    'SELECT FROM migrations.current WHERE fingerprint = $1 AND migrated_by = current_user',
    [fingerprint]
  )
  return rows.length > 0
}

/** Written last: a start that was cut off before has not written it. */
async function keepFingerprint(client: Connection, fingerprint: string): Promise<void> {
  await client.query(
    'CREATE TABLE IF NOT EXISTS migrations.current (fingerprint text NOT NULL, migrated_by name NOT NULL)'
  )
  await client.query('DELETE FROM migrations.current')
  await client.query('INSERT INTO migrations.current VALUES ($1, session_user)', [fingerprint])
}

/** A connection of the migration's own: on the embedded database the pool has only one, and it is not yet in use. */
async function connectMigrator(
  { pool }: Database,
  url: string | undefined
): Promise<{ client: Connection; release: () => Promise<void> | void }> {
  if (!url) {
    const client = await pool.connect()
    return { client, release: () => client.release() }
  }
  const client = new pg.Client({ connectionString: url, application_name: 'pai migrate' })
  await client.connect()
  return { client, release: () => client.end() }
}

function loginOf({ migrationUrl, databaseUrl }: MigrationSettings): string | null {
  if (!migrationUrl || !databaseUrl) return null
  return decodeURIComponent(new URL(databaseUrl).username) || null
}
