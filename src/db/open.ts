import type { Database } from './client.ts'
import { openEmbedded } from './embedded.ts'
import type { EmbeddedThread } from './embedded-thread.ts'
import { connectPostgres } from './postgres.ts'

/** The database that the settings name: a server, or the embedded one, whose thread may have been started before. */
export function openDatabase(
  { DATABASE_URL, PAI_DATA_DIR }: { DATABASE_URL?: string; PAI_DATA_DIR: string },
  embedded: EmbeddedThread | null
): Promise<Database> | Database {
  return DATABASE_URL ? connectPostgres(DATABASE_URL) : openEmbedded(PAI_DATA_DIR, embedded ?? undefined)
}
