import { resolve } from 'node:path'

export const DEFAULT_DATA_DIR = '.pai'

/** The folder of the embedded database, known before all settings are read; null where a server is the database. */
export function embeddedDataDir({ DATABASE_URL, PAI_DATA_DIR }: NodeJS.ProcessEnv): string | null {
  return DATABASE_URL ? null : resolve(PAI_DATA_DIR || DEFAULT_DATA_DIR)
}
