import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync
} from 'node:fs'
import { join } from 'node:path'
import type { Database } from '../../src/db/client.ts'
import { openEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { connectPostgres } from '../../src/db/postgres.ts'
import { queueMigration } from '../../src/jobs/queue.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const CACHE = join(ROOT, 'node_modules', '.cache', 'pai')
/** What decides how a migrated database looks. */
const INGREDIENTS = [
  'package-lock.json',
  'migrations/**/*.*',
  'src/{db,jobs}/*.ts',
  'test/support/template.ts'
]
const UNUSED_MS = 2 * 60 * 60 * 1000

/** Everything the service itself does to a new database. */
async function migrateTemplate(database: Database): Promise<void> {
  await migrate(database, { alsoMigrate: queueMigration })
}

/** Migrates the server's database at `url`, to be cloned. */
export async function migrateServerTemplate(url: string): Promise<void> {
  const database = connectPostgres(url, 1)
  try {
    await migrateTemplate(database)
  } finally {
    await database.close()
  }
}

/** The folder of a migrated, cleanly closed embedded database: made once, copied by each test file. */
export async function embeddedTemplate(): Promise<string> {
  const folder = join(CACHE, `test-database-${fingerprint()}`)
  if (existsSync(folder)) {
    utimesSync(folder, new Date(), new Date())
    return folder
  }
  for (const old of globSync(join(CACHE, 'test-database-*'))) {
    // A younger one may belong to a run that goes on beside this one.
    if (Date.now() - statSync(old).mtimeMs > UNUSED_MS) rmSync(old, { recursive: true, force: true })
  }
  const draft = `${folder}.${process.pid}`
  mkdirSync(draft, { recursive: true })
  const database = await openEmbedded(draft)
  await migrateTemplate(database)
  await database.close()
  try {
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** Copies the template's database into `dataDir`, without its lock. */
export function copyEmbeddedTemplate(template: string, dataDir: string): void {
  cpSync(join(template, 'database'), join(dataDir, 'database'), { recursive: true })
}

function fingerprint(): string {
  const hash = createHash('sha256')
  for (const path of INGREDIENTS.flatMap((pattern) => globSync(pattern, { cwd: ROOT }).sort())) {
    hash.update(path).update(readFileSync(join(ROOT, path)))
  }
  return hash.digest('hex').slice(0, 16)
}
