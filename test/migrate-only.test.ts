import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectPostgres } from '../src/db/postgres.ts'
import { createDataFolder, createServerDatabase, hasDatabase } from './support/database.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts')

/** Runs PAI as a process of its own, with these settings alone. */
async function runMain(args: string[], settings: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk
    })
  }
  const code = await new Promise((resolve) => child.once('close', resolve))
  return { code, output: output.trim() }
}

const UP_TO_DATE = /The database is up to date$/

test('--migrate migrates the embedded database and ends', async () => {
  const folder = createDataFolder({ migrated: false })
  onTestFinished(folder.remove)
  const settings = { PAI_DATA_DIR: folder.path }
  for (let time = 0; time < 2; time++) {
    expect(await runMain(['--migrate'], settings)).toEqual({
      code: 0,
      output: `No DATABASE_URL is set: this is the embedded database in ${folder.path}\nThe database is up to date`
    })
  }
})

test('an argument that is none is refused before anything is opened', async () => {
  const { code, output } = await runMain(['--migrated'], { PAI_DATA_DIR: '/nowhere' })
  expect(code).toBe(1)
  expect(output).toMatch(/^Unknown option '--migrated'/)
})

describe.skipIf(!hasDatabase('postgres'))('--migrate of a server database', () => {
  async function newDatabase() {
    const { url, drop } = await createServerDatabase({ migrated: false })
    onTestFinished(drop)
    return url
  }
  async function query(url: string, text: string) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return await client.query(text)
    } finally {
      await client.end()
    }
  }
  function withLogin(url: string, name: string, password: string) {
    const changed = new URL(url)
    changed.username = name
    changed.password = password
    return changed.href
  }

  test('two at once both end well, and a login without rights can then serve', async () => {
    const url = await newDatabase()
    const name = `pai_test_${randomBytes(6).toString('hex')}`
    const serving = withLogin(url, name, 'secret-of-the-service')
    await query(url, `CREATE ROLE ${name} LOGIN PASSWORD 'secret-of-the-service'`)
    onTestFinished(async () => {
      await query(url, `DROP OWNED BY ${name}; DROP ROLE ${name}`)
    })
    // As a task of the delivery has it: the worker's settings, and both logins.
    const settings = {
      HOST: '0.0.0.0',
      PAI_ROLE: 'worker',
      PAI_JWT_SECRET: 'x'.repeat(32),
      DATABASE_URL: serving,
      PAI_MIGRATION_DATABASE_URL: url
    }
    const both = await Promise.all([runMain(['--migrate'], settings), runMain(['--migrate'], settings)])
    for (const ran of both) expect(ran).toEqual({ code: 0, output: expect.stringMatching(UP_TO_DATE) })
    const service = connectPostgres(serving, 1)
    await service.inSystem((tx) => tx.execute('SELECT FROM pgboss.queue, users'))
    await service.close()
  })

  test('a database that cannot be reached, or refuses, is said in a sentence without the password', async () => {
    const url = await newDatabase()
    const elsewhere = new URL(withLogin(url, 'nobody', 'secret-of-nobody'))
    const refused = await runMain(['--migrate'], { DATABASE_URL: elsewhere.href })
    expect(refused).toEqual({
      code: 1,
      output: 'The migration failed: password authentication failed for user "nobody" (SQLSTATE 28P01)'
    })
    elsewhere.port = '1'
    const away = await runMain(['--migrate'], { DATABASE_URL: elsewhere.href })
    expect(away).toEqual({
      code: 1,
      output: 'The migration failed: the database cannot be reached (ECONNREFUSED)'
    })
  })

  test('a service that could not sign in to what was migrated fails the migration', async () => {
    const url = await newDatabase()
    const name = `pai_test_${randomBytes(6).toString('hex')}`
    await query(url, `CREATE ROLE ${name} LOGIN PASSWORD 'right'`)
    onTestFinished(async () => {
      await query(url, `DROP OWNED BY ${name}; DROP ROLE ${name}`)
    })
    const ran = await runMain(['--migrate'], {
      DATABASE_URL: withLogin(url, name, 'wrong'),
      PAI_MIGRATION_DATABASE_URL: url
    })
    expect(ran).toEqual({
      code: 1,
      output: `It is migrated, but the service could not work on it: password authentication failed for user "${name}" (SQLSTATE 28P01)`
    })
  })
})
