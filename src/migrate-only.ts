import pg from 'pg'
import type { Config } from './config.ts'
import { checkAppRole } from './db/check.ts'
import type { EmbeddedThread } from './db/embedded-thread.ts'
import { MigrationFailed } from './db/errors.ts'
import { migrate } from './db/migrate.ts'
import { openDatabase } from './db/open.ts'
import { hasAccounts } from './db/system.ts'
import { queueMigration } from './jobs/queue.ts'

/**
 * Brings the database up to date and ends: what a delivery does once, before the first process of the new version starts.
 * Then it does what the service does with its own login, so that a right which is missing shows here and not there.
 */
export async function migrateOnly(config: Config, embedded: EmbeddedThread | null): Promise<void> {
  const database = await openDatabase(config, embedded)
  try {
    const warnings = await migrate(database, {
      migrationUrl: config.PAI_MIGRATION_DATABASE_URL,
      databaseUrl: config.DATABASE_URL,
      alsoMigrate: queueMigration
    }).catch((error: unknown) => fail('The migration failed', error))
    await checkAppRole(database)
      .then(() => database.inSystem(hasAccounts))
      .catch((error: unknown) => fail('It is migrated, but the service could not work on it', error))
    for (const warning of warnings) console.warn(warning)
    // A delivery that has lost its DATABASE_URL would otherwise look well done.
    if (embedded)
      console.log(`No DATABASE_URL is set: this is the embedded database in ${config.PAI_DATA_DIR}`)
    console.log('The database is up to date')
  } finally {
    await database.close()
  }
}

/** Says what the server or the network said, and nothing that a row holds: `detail` and bound values may. */
function fail(what: string, error: unknown): never {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code, syscall } = current as NodeJS.ErrnoException
    if (current instanceof pg.DatabaseError)
      throw new MigrationFailed(`${what}: ${current.message} (SQLSTATE ${code})`)
    // Several addresses that refuse are one error without a system call of its own.
    if (syscall || current instanceof AggregateError)
      throw new MigrationFailed(`${what}: the database cannot be reached (${code})`)
  }
  throw error
}
