import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { users } from '../../src/auth/tables.ts'
import type { Database } from '../../src/db/client.ts'
import { openEmbedded } from '../../src/db/embedded.ts'
import { connectPostgres } from '../../src/db/postgres.ts'
import { copyEmbeddedTemplate } from './template.ts'

export type DatabaseKind = Database['kind']

/** Where a test's database is, and how to be rid of it. */
export interface TestServerDatabase {
  url: string
  drop(): Promise<void>
}
export interface TestDataFolder {
  path: string
  remove(): void
}

/** False where this machine has no PostgreSQL with pgvector: such tests are skipped. */
export function hasDatabase(kind: DatabaseKind): boolean {
  return kind === 'embedded' || inject('testRun').postgres !== null
}

/**
 * Runs the same tests on the embedded database and on a PostgreSQL server, each with a migrated database of its own that
 * all tests of the block share. `database()` answers it, inside tests and hooks.
 */
export function describeEachDatabase(
  name: string,
  tests: (database: () => Database, kind: DatabaseKind) => void
): void {
  for (const kind of ['embedded', 'postgres'] as const) {
    describe.skipIf(!hasDatabase(kind))(`${name} (${kind})`, () => {
      let opened: { database: Database; close(): Promise<void> } | undefined
      beforeAll(async () => {
        opened = await openTestDatabase(kind)
      })
      afterAll(() => opened?.close())
      tests(() => {
        if (!opened)
          throw new Error('The database opens before the first test: ask for it inside a test or a hook')
        return opened.database
      }, kind)
    })
  }
}

/** A migrated database of the caller's own. */
export async function openTestDatabase(
  kind: DatabaseKind,
  { poolSize = 10 } = {}
): Promise<{ database: Database; close(): Promise<void> }> {
  if (kind === 'postgres') {
    const { url, drop } = await createServerDatabase()
    const database = connectPostgres(url, poolSize)
    return { database, close: () => database.close().then(drop) }
  }
  const folder = createDataFolder()
  const database = await openEmbedded(folder.path)
  return { database, close: () => database.close().then(folder.remove) }
}

/** A database on the PostgreSQL server, for a process that is given its address; migrated unless told otherwise. */
export async function createServerDatabase({ migrated = true } = {}): Promise<TestServerDatabase> {
  const { postgres } = inject('testRun')
  if (!postgres) throw new Error('There is no PostgreSQL server in this run')
  const name = `${postgres.databasePrefix}${uuidv7().replaceAll('-', '')}`
  const template = migrated ? postgres.template : 'template1'
  await runOnServer(postgres.url, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(postgres.url)
  url.pathname = name
  return {
    url: url.href,
    drop: () => runOnServer(postgres.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }
}

/** A data folder with a closed, migrated embedded database in it; empty unless `migrated`. */
export function createDataFolder({ migrated = true } = {}): TestDataFolder {
  const { folder, embeddedTemplate } = inject('testRun')
  const path = mkdtempSync(join(folder, 'data-'))
  if (migrated) copyEmbeddedTemplate(embeddedTemplate, path)
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** An account to own rows; answers its id. */
export async function createOwner(database: Database): Promise<string> {
  const id = uuidv7()
  await database.inOwner(id, (tx) =>
    tx
      .insert(users)
      .values({ id, email: `${id}@example.org`, name: 'Ada', role: 'member', passwordHash: '-' })
  )
  return id
}

async function runOnServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
