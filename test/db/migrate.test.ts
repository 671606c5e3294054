import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { openEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { connectPostgres } from '../../src/db/postgres.ts'
import {
  createDataFolder,
  createOwner,
  createServerDatabase,
  describeEachDatabase,
  hasDatabase,
  openTestDatabase
} from '../support/database.ts'
import { schemaOf } from '../support/schema.ts'

const journal = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'migrations', 'meta', '_journal.json'), 'utf8')
) as { entries: unknown[] }

async function appliedMigrations(database: Database): Promise<number> {
  const { rows } = await database.pool.query('SELECT count(*)::int FROM migrations.__drizzle_migrations')
  return rows[0].count
}

describeEachDatabase('migrations', (database) => {
  test('run again, they change nothing', async () => {
    const before = await schemaOf(database())
    const owner = await createOwner(database())
    await migrate(database())
    expect(await schemaOf(database())).toEqual(before)
    expect(await appliedMigrations(database())).toBe(journal.entries.length)
    expect(await database().inOwner(owner, (tx) => tx.execute(sql`SELECT FROM users`))).toHaveProperty(
      'rowCount',
      1
    )
  })

  test('they leave the connection as it was', async () => {
    const state = `SELECT current_user = session_user AS own, current_setting('statement_timeout') AS timeout,
                          (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory'
                            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS locks`
    const before = await database().pool.query(state)
    expect(before.rows).toMatchObject([{ own: true, locks: 0 }])
    await migrate(database())
    expect((await database().pool.query(state)).rows).toEqual(before.rows)
  })

  test('everything the service owns belongs to pai_owner, and what sees across owners to pai_system', async () => {
    const { rows } = await database().pool.query(`
      SELECT DISTINCT nspname AS schema, pg_get_userbyid(owner) AS owner FROM (
        SELECT relnamespace AS namespace, relowner AS owner FROM pg_class
        UNION SELECT pronamespace, proowner FROM pg_proc
               WHERE oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
      ) owned JOIN pg_namespace ON pg_namespace.oid = namespace
       WHERE nspname IN ('public', 'migrations', 'system') ORDER BY 1`)
    expect(rows).toEqual([
      { schema: 'migrations', owner: 'pai_owner' },
      { schema: 'public', owner: 'pai_owner' },
      { schema: 'system', owner: 'pai_system' }
    ])
  })
})

test.skipIf(!hasDatabase('postgres'))('both kinds of database get the same schema', async () => {
  const [embedded, server] = await Promise.all([openTestDatabase('embedded'), openTestDatabase('postgres')])
  expect(await schemaOf(embedded.database)).toEqual(await schemaOf(server.database))
  await Promise.all([embedded.close(), server.close()])
})

describe.skipIf(!hasDatabase('postgres'))('migrations of a new server database', () => {
  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function newDatabase() {
    const created = await createServerDatabase({ migrated: false })
    closing.push(created.drop)
    return created
  }
  function connect(url: string): Database {
    const database = connectPostgres(url, 1)
    closing.push(() => database.close())
    return database
  }
  async function expectedSchema(): Promise<string[]> {
    const { database, close } = await openTestDatabase('postgres')
    const lines = await schemaOf(database)
    await close()
    return lines
  }

  test('started by four processes at once, they run once', async () => {
    const { url } = await newDatabase()
    const databases = Array.from({ length: 4 }, () => connect(url))
    await Promise.all(databases.map((database) => migrate(database)))
    const [database] = databases
    if (!database) throw new Error('none')
    expect(await appliedMigrations(database)).toBe(journal.entries.length)
    expect(await schemaOf(database)).toEqual(await expectedSchema())
  })

  test('cut off at any statement, they leave what the next start brings to its end', async () => {
    const { url } = await newDatabase()
    const expected = await expectedSchema()
    let cuts = 0
    let failures = 0
    for (let finished = false; !finished; cuts++) {
      const database = connectPostgres(url, 1)
      const cut = cutBefore(database, cuts)
      await migrate(database).catch(() => failures++)
      await database.close()
      finished = !cut.happened()
    }
    expect(cuts).toBeGreaterThan(80)
    // The last round had no cut, and one before may have come after the last statement that matters.
    expect(failures).toBeGreaterThanOrEqual(cuts - 2)
    const database = connect(url)
    expect(await schemaOf(database)).toEqual(expected)
    expect(await appliedMigrations(database)).toBe(journal.entries.length)
  }, 120_000)

  test('what is up to date is left alone, and another version of what goes with it is not', async () => {
    const { url } = await newDatabase()
    const database = connect(url)
    const ran: string[] = []
    const withVersion = (version: string) => ({
      alsoMigrate: { version: () => version, run: async () => void ran.push(version) }
    })
    for (const version of ['1', '1', '2', '2']) await migrate(database, withVersion(version))
    expect(ran).toEqual(['1', '2'])
  })

  test('one login may migrate and another, which may do nothing else, may serve', async () => {
    const { url } = await newDatabase()
    const admin = connect(url)
    const name = `pai_test_${randomBytes(6).toString('hex')}`
    const password = randomBytes(8).toString('hex')
    await admin.pool.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`)
    closing.push(() => runAsAdmin(`DROP ROLE ${name}`))
    const loginUrl = new URL(url)
    loginUrl.username = name
    loginUrl.password = password
    const service = connect(loginUrl.href)
    await migrate(service, { migrationUrl: url, databaseUrl: loginUrl.href })
    expect(await schemaOf(admin)).toEqual(await expectedSchema())
    const owner = await createOwner(service)
    expect(await service.inOwner(owner, (tx) => tx.execute(sql`SELECT FROM users`))).toHaveProperty(
      'rowCount',
      1
    )
    await expect(service.pool.query('CREATE TABLE public.mine ()')).rejects.toThrow('permission denied')
    await expect(service.pool.query('SET ROLE pai_owner')).rejects.toThrow('permission denied')
    await expect(service.pool.query('SET ROLE pai_system')).rejects.toThrow('permission denied')
  })

  async function runAsAdmin(statement: string): Promise<void> {
    const { postgres } = inject('testRun')
    const client = new pg.Client({ connectionString: postgres?.url })
    await client.connect()
    await client.query(statement)
    await client.end()
  }
})

// PGlite is PostgreSQL 18, where a login that creates a role may not yet act as it: what managed servers give one.
test('a login that is no superuser, but may create roles, migrates its own database', async () => {
  const folder = createDataFolder({ migrated: false })
  const database = await openEmbedded(folder.path)
  await database.pool.query(
    `CREATE EXTENSION vector; CREATE ROLE manager LOGIN CREATEROLE; ALTER DATABASE postgres OWNER TO manager`
  )
  await database.pool.query('SET SESSION AUTHORIZATION manager')
  await migrate(database)
  const owner = await createOwner(database)
  expect(await database.inOwner(owner, (tx) => tx.execute(sql`SELECT FROM users`))).toHaveProperty(
    'rowCount',
    1
  )
  await migrate(database)
  await database.pool.query('RESET SESSION AUTHORIZATION')
  await database.close()
  folder.remove()
})

/** Has the server end the database's connection before its statement of this number, counted from 0. */
function cutBefore(database: Database, number: number): { happened(): boolean } {
  let seen = 0
  database.pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown
    client.query = ((...given: unknown[]) =>
      seen++ === number
        ? query('SELECT pg_terminate_backend(pg_backend_pid())')
        : query(...given)) as typeof client.query
  })
  return { happened: () => seen > number }
}
