import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'

const ROOT = join(import.meta.dirname, '..', '..')

/**
 * Makes an empty database directory once, after an install, so that a new data folder is copied in under a second instead
 * of made in three or four. It holds what PGlite itself creates and nothing of ours.
 */
export async function prepareDatabase(): Promise<void> {
  const path = preparedPath()
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true })
  // Two first starts may each make one.
  await makeWhole(path, `${path}.${process.pid}`, initialise)
}

/** Makes the directory of a new, empty database: a copy of the prepared one where there is one. */
export async function createDatabaseDir(path: string): Promise<void> {
  const prepared = preparedPath()
  await makeWhole(path, `${path}.new`, async (draft) => {
    if (existsSync(prepared)) cpSync(prepared, draft, { recursive: true })
    else await initialise(draft)
  })
}

/** A directory appears whole or not at all: one that was left half-made could never be opened again. */
async function makeWhole(path: string, draft: string, make: (draft: string) => Promise<void>): Promise<void> {
  rmSync(draft, { recursive: true, force: true })
  await make(draft)
  renameSync(draft, path)
}

async function initialise(path: string): Promise<void> {
  const database = await PGlite.create({ dataDir: path, extensions: { vector } })
  await database.close()
}

/** Keyed by the very versions that made it. */
function preparedPath(): string {
  const versions = ['pglite', 'pglite-pgvector'].map((name) =>
    readFileSync(join(ROOT, 'node_modules', '@electric-sql', name, 'package.json'), 'utf8')
  )
  const key = createHash('sha256').update(versions.join()).digest('hex').slice(0, 16)
  return join(ROOT, 'node_modules', '.cache', 'pai', `database-${key}`)
}
