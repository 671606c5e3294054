import { parseArgs } from 'node:util'
import { ConfigInvalid, loadConfig } from './config.ts'
import { startEmbedded } from './db/embedded-thread.ts'
import { DatabaseUnsuitable, DataFolderInUse, EmbeddedLost, MigrationFailed } from './db/errors.ts'
import { AddressUnusable } from './http/errors.ts'

// The process: reads the settings, wakes the embedded database, and only then loads everything else, which takes as long.
// With --migrate it brings the database up to date and ends.
try {
  const { values } = parseArgs({ options: { migrate: { type: 'boolean', default: false } } })
  const config = loadConfig(process.env, process.stdout.isTTY)
  if (!config.DATABASE_URL && !hasEmbedded())
    throw new ConfigInvalid('DATABASE_URL is required: the embedded database is not installed here')
  const embedded = config.DATABASE_URL ? null : startEmbedded(config.PAI_DATA_DIR)
  embedded?.lost.then((error) => {
    console.error(plainly(error))
    process.exit(1)
  })
  if (values.migrate) {
    const { migrateOnly } = await import('./migrate-only.ts')
    await migrateOnly(config, embedded)
  } else {
    const { run } = await import('./run.ts')
    await run(config, embedded)
  }
} catch (error) {
  console.error(plainly(error))
  process.exit(1)
}

/** The container image leaves it out: there, a PostgreSQL server is beside it. */
function hasEmbedded(): boolean {
  try {
    return import.meta.resolve('@electric-sql/pglite') !== ''
  } catch {
    return false
  }
}

/** What an operator can mend is said in a sentence; anything else keeps its stack. */
function plainly(error: unknown): unknown {
  const plain = [
    AddressUnusable,
    ConfigInvalid,
    DataFolderInUse,
    DatabaseUnsuitable,
    EmbeddedLost,
    MigrationFailed
  ]
  const { code, message } = error as NodeJS.ErrnoException
  return code?.startsWith('ERR_PARSE_ARGS') || plain.some((type) => error instanceof type) ? message : error
}
