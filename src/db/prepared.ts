import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'

const ROOT = join(import.meta.dirname, '..', '..')

/** Where the prepared data directory for these very versions is, or null when it has not been made. */
export function preparedDatabasePath(): string | null {
  const path = pathForVersions()
  return existsSync(path) ? path : null
}

/**
 * Makes an empty data directory once, after an install, so that a new data folder is unpacked in under a second instead
 * of created in three or four. It holds what PGlite itself creates and nothing of ours.
 */
export async function prepareDatabase(): Promise<void> {
  const path = pathForVersions()
  if (existsSync(path)) return
  const database = await PGlite.create({ extensions: { vector } })
  const packed = await database.dumpDataDir('none')
  await database.close()
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, Buffer.from(await packed.arrayBuffer()))
  renameSync(draft, path)
}

function pathForVersions(): string {
  const versions = ['pglite', 'pglite-pgvector'].map((name) =>
    readFileSync(join(ROOT, 'node_modules', '@electric-sql', name, 'package.json'), 'utf8')
  )
  const key = createHash('sha256').update(versions.join()).digest('hex').slice(0, 16)
  return join(ROOT, 'node_modules', '.cache', 'pai', `database-${key}.tar`)
}
