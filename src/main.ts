import { ConfigInvalid, loadConfig } from './config.ts'
import { startEmbedded } from './db/embedded-thread.ts'
import { DatabaseUnsuitable, DataFolderInUse } from './db/errors.ts'
import { AddressUnusable } from './http/errors.ts'

// The process: reads the settings, wakes the embedded database, and only then loads everything else, which takes as long.
try {
  const config = loadConfig(process.env, process.stdout.isTTY)
  const embedded = config.DATABASE_URL ? null : startEmbedded(config.PAI_DATA_DIR)
  const { run } = await import('./run.ts')
  await run(config, embedded)
} catch (error) {
  console.error(plainly(error))
  process.exit(1)
}

/** What an operator can mend is said in a sentence; anything else keeps its stack. */
function plainly(error: unknown): unknown {
  const plain = [AddressUnusable, ConfigInvalid, DataFolderInUse, DatabaseUnsuitable]
  return plain.some((type) => error instanceof type) ? (error as Error).message : error
}
