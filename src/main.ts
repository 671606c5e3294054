import { parseArgs } from 'node:util'
import { ConfigInvalid } from './config-invalid.ts'
import { embeddedDataDir } from './data-dir.ts'
import { startEmbedded, takeDataFolder } from './db/embedded-thread.ts'
import { DatabaseUnsuitable, DataFolderInUse, EmbeddedLost, MigrationFailed } from './db/errors.ts'
import { AddressUnusable } from './http/errors.ts'
import { resolveQuickly } from './resolve-quickly.ts'

// The process: takes the data folder, so that a second one hears at once that it is in use; reads the settings, wakes the
// embedded database, and only then loads everything else, which takes as long.
// With --migrate it brings the database up to date and ends.
try {
  const { values } = parseArgs({ options: { migrate: { type: 'boolean', default: false } } })
  const dataDir = hasEmbedded() ? embeddedDataDir(process.env) : null
  const lock = dataDir === null ? null : takeDataFolder(dataDir)
  const resolveAsAlways = resolveQuickly()
  const { loadConfig } = await import('./config.ts')
  const config = loadConfig(process.env, process.stdout.isTTY)
  if (!config.DATABASE_URL && !lock)
    throw new ConfigInvalid('DATABASE_URL is required: the embedded database is not installed here')
  const embedded = lock && startEmbedded(config.PAI_DATA_DIR, lock)
  embedded?.lost.then((error) => {
    console.error(plainly(error))
    process.exit(1)
  })
  if (values.migrate) {
    const { migrateOnly } = await import('./migrate-only.ts')
    resolveAsAlways()
    await migrateOnly(config, embedded)
  } else {
    const { run } = await import('./run.ts')
    resolveAsAlways()
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
