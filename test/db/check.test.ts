import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import { checkAppRole, checkDatabase, isBelow } from '../../src/db/check.ts'
import { DatabaseUnsuitable } from '../../src/db/errors.ts'
import type { Pool } from '../../src/db/pool.ts'
import { describeEachDatabase } from '../support/database.ts'

test.each([
  ['0.8.0', [0, 8, 0], false],
  ['0.8.0', [0, 8, 4], true],
  ['0.8', [0, 8, 0], false],
  ['0.8', [0, 8, 1], true],
  ['0.8.10', [0, 8, 4], false],
  ['0.10.0', [0, 8, 4], false],
  ['0.7.4', [0, 8, 0], true],
  ['1.0', [0, 8, 4], false]
])('version %s is below %j: %s', (version, least, below) => {
  expect(isBelow(version, least)).toBe(below)
})

describe('what is said of a server', () => {
  /** A connection to a server that answers this about itself. */
  const server = (found: { server?: number; available?: string | null; installed?: string | null }) =>
    ({
      query: async () => ({ rows: [{ server: 170_002, available: null, installed: null, ...found }] })
    }) as unknown as pg.Client

  test('one without pgvector is refused, with what to install', async () => {
    const refusal = expect(checkDatabase(server({}))).rejects
    await refusal.toThrow(DatabaseUnsuitable)
    await refusal.toThrow(/pgvector extension is missing .*install/)
  })

  test('one before PostgreSQL 15 is refused', async () => {
    await expect(checkDatabase(server({ server: 140_011, available: '0.8.4' }))).rejects.toThrow(
      'PostgreSQL 15 or newer'
    )
  })

  test('a pgvector too old is refused, naming its version', async () => {
    await expect(checkDatabase(server({ available: '0.7.4' }))).rejects.toThrow(/0\.8 or newer.*0\.7\.4/)
  })

  test('what this database has installed counts, not what the server could install', async () => {
    await expect(checkDatabase(server({ available: '0.8.4', installed: '0.7.4' }))).rejects.toThrow('0.7.4')
  })

  test('faults of a version are warned of, and only of that version', async () => {
    expect(await checkDatabase(server({ installed: '0.8.4' }))).toEqual([])
    expect(await checkDatabase(server({ installed: '0.8.2' }))).toEqual([
      expect.stringContaining('fixed in 0.8.4')
    ])
    expect(await checkDatabase(server({ installed: '0.8.1' }))).toEqual([
      expect.stringContaining('ALTER EXTENSION vector UPDATE'),
      expect.stringContaining('parallel index builds')
    ])
  })
})

describeEachDatabase('the check at start-up', (database) => {
  /** Runs the check after `statement`, in a transaction that is undone: roles belong to the whole server. */
  async function checkAfter(statement: string): Promise<void> {
    const client = await database().pool.connect()
    try {
      await client.query('BEGIN')
      await client.query(statement)
      await checkAppRole({ pool: client as unknown as Pool })
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  }

  test('finds nothing wrong with a migrated database', async () => {
    await expect(checkAfter('SELECT 1')).resolves.toBeUndefined()
    const client = await database().pool.connect()
    expect(await checkDatabase(client)).toBeInstanceOf(Array)
    client.release()
  })

  test.each([
    [
      'ALTER ROLE pai_app BYPASSRLS',
      'pai_app bypasses row-level security: ALTER ROLE pai_app NOSUPERUSER NOBYPASSRLS'
    ],
    ['ALTER ROLE pai_app SUPERUSER', 'pai_app bypasses row-level security'],
    ['ALTER ROLE pai_app RENAME TO pai_other', 'pai_app is missing'],
    ['ALTER TABLE memories NO FORCE ROW LEVEL SECURITY', 'does not bind pai_app on: memories'],
    ['ALTER TABLE turns DISABLE ROW LEVEL SECURITY', 'does not bind pai_app on: turns'],
    ['ALTER TABLE messages OWNER TO pai_app', 'does not bind pai_app on: messages'],
    ['GRANT pai_owner TO pai_app', 'does not bind pai_app on: '],
    ['CREATE TABLE notes (owner_id uuid, id uuid)', 'does not bind pai_app on: notes']
  ])('refuses after %s', async (statement, message) => {
    const refusal = checkAfter(statement)
    await expect(refusal).rejects.toThrow(DatabaseUnsuitable)
    await expect(refusal).rejects.toThrow(message)
  })
})
