import type pg from 'pg'
import { beforeAll, expect, test } from 'vitest'
import { createOwner, describeEachDatabase } from '../support/database.ts'
import { fillEveryTable, type OwnedTable, ownedTables } from '../support/every-table.ts'

/** Columns that look like pointers and are none. */
const NO_POINTERS = ['batch_id', 'runner_id']

// The tests ask the database which tables there are, so one that is added later is tested without a word.
describeEachDatabase('isolation of owners', (database) => {
  let ada = ''
  let bob = ''
  let tables: OwnedTable[] = []

  beforeAll(async () => {
    ada = await createOwner(database())
    bob = await createOwner(database())
    tables = await ownedTables(database())
    await fillEveryTable(database(), tables, ada)
    await fillEveryTable(database(), tables, bob)
  })

  /** Runs a statement in a transaction that leaves nothing behind. */
  async function undone(begin: string, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
    const client = await database().pool.connect()
    try {
      await client.query(begin)
      return await client.query(text, values)
    } finally {
      await client.query('ROLLBACK')
      client.release()
    }
  }
  const asOwner = (ownerId: string, text: string) =>
    undone(`BEGIN; SET LOCAL ROLE pai_app; SET LOCAL pai.owner_id = '${ownerId}'`, text)
  const anyColumn = ({ columns }: OwnedTable) => columns[0]?.name

  test('every table has row-level security that binds its owner too, and the policy by owner', async () => {
    const { rows } = await database().pool.query(`
      SELECT relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced,
             (SELECT array_agg(qual || ' ' || with_check) FROM pg_policies
               WHERE schemaname = 'public' AND tablename = relname AND cmd = 'ALL' AND roles = '{public}') AS policies
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname`)
    const condition = (column: string) => `(${column} = ( SELECT current_owner() AS current_owner))`
    expect(rows).toEqual(
      tables.map(({ name, ownerColumn }) => ({
        name,
        enabled: true,
        forced: true,
        policies: [`${condition(ownerColumn)} ${condition(ownerColumn)}`]
      }))
    )
    expect(tables.filter(({ ownerColumn }) => ownerColumn === 'id').map(({ name }) => name)).toEqual([
      'users'
    ])
    expect(tables.length).toBeGreaterThanOrEqual(17)
  })

  test('what sees across owners is the role of the listed functions, and the service is not that role', async () => {
    const { rows } = await database().pool.query(`
      SELECT tablename, policyname, roles::text FROM pg_policies WHERE roles NOT IN ('{public}', '{pai_system}')`)
    expect(rows).toEqual([])
    const member = await database().pool.query(
      `SELECT pg_has_role('pai_app', 'pai_system', 'MEMBER') AS member`
    )
    expect(member.rows).toEqual([{ member: false }])
  })

  test('an owner sees, changes and deletes the own rows and no others', async () => {
    for (const table of tables) {
      const { name, ownerColumn } = table
      const column = anyColumn(table)
      const seen = await asOwner(ada, `SELECT DISTINCT ${ownerColumn} AS owner FROM ${name}`)
      expect(seen.rows, name).toEqual([{ owner: ada }])
      const isBobs = `WHERE ${ownerColumn} = '${bob}'`
      expect((await asOwner(ada, `SELECT FROM ${name} ${isBobs}`)).rowCount, name).toBe(0)
      expect((await asOwner(ada, `UPDATE ${name} SET ${column} = ${column} ${isBobs}`)).rowCount, name).toBe(
        0
      )
      expect((await asOwner(ada, `DELETE FROM ${name} ${isBobs}`)).rowCount, name).toBe(0)
      const own = await database().pool.query(`SELECT FROM ${name} WHERE ${ownerColumn} = $1`, [ada])
      expect(own.rowCount, name).toBeGreaterThan(0)
      expect((await asOwner(ada, `UPDATE ${name} SET ${column} = ${column}`)).rowCount, name).toBe(
        own.rowCount
      )
      expect((await asOwner(ada, `DELETE FROM ${name}`)).rowCount, name).toBe(own.rowCount)
    }
  })

  test('without an owner nothing is seen, changed or deleted', async () => {
    for (const table of tables) {
      const { name } = table
      const column = anyColumn(table)
      for (const text of [
        `SELECT FROM ${name}`,
        `UPDATE ${name} SET ${column} = ${column}`,
        `DELETE FROM ${name}`
      ]) {
        expect((await asOwner('', text)).rowCount, text).toBe(0)
      }
    }
  })

  test('a row can neither be inserted for another owner nor be given to one', async () => {
    for (const { name, ownerColumn, columns } of tables) {
      const names = columns.map((column) => column.name).join(', ')
      const values = columns
        .map((column) => (column.name === ownerColumn ? `'${bob}'::uuid` : column.name))
        .join(', ')
      const insert = `INSERT INTO ${name} (${names}) SELECT ${values} FROM ${name} LIMIT 1`
      await expect(asOwner(ada, insert), name).rejects.toThrow('row-level security')
      const give = `UPDATE ${name} SET ${ownerColumn} = '${bob}'`
      await expect(asOwner(ada, give), name).rejects.toThrow('row-level security')
    }
  })

  test('every column that holds another row’s id is a foreign key, and carries the owner', () => {
    for (const { name, columns, foreignKeys } of tables) {
      const keyed = new Set(foreignKeys.flatMap((key) => key.columns))
      const pointers = columns.filter((column) => column.type === 'uuid' && /_(id|by)$/.test(column.name))
      for (const pointer of pointers) {
        if (NO_POINTERS.includes(pointer.name) || pointer.name === 'owner_id') continue
        expect(keyed, `${name}.${pointer.name}`).toContain(pointer.name)
      }
      for (const key of foreignKeys) expect(key.columns[0], `${name}: ${key.columns}`).toBe('owner_id')
    }
  })

  test('a foreign key cannot point at another owner’s row', async () => {
    let tried = 0
    for (const { name, foreignKeys } of tables) {
      for (const { columns, target, targetColumns } of foreignKeys.filter(
        ({ target }) => target !== 'users'
      )) {
        // As a superuser, whom no policy binds: the key alone must refuse.
        const pointAt = (owner: string) => {
          const row = `SELECT ${targetColumns.slice(1)} FROM ${target} WHERE owner_id = $2 LIMIT 1`
          const text = `UPDATE ${name} SET (${columns.slice(1)}) = (${row}) WHERE owner_id = $1`
          return undone('BEGIN; SET CONSTRAINTS ALL IMMEDIATE', text, [ada, owner])
        }
        expect((await pointAt(ada)).rowCount, `${name}: ${columns}`).toBeGreaterThan(0)
        await expect(pointAt(bob), `${name}: ${columns}`).rejects.toMatchObject({ code: '23503' })
        tried++
      }
    }
    expect(tried).toBeGreaterThanOrEqual(14)
  })

  test('deleting an account leaves no row of it in any table', async () => {
    const carol = await createOwner(database())
    await fillEveryTable(database(), tables, carol)
    await database().pool.query('DELETE FROM users WHERE id = $1', [carol])
    const left: string[] = []
    for (const { name, ownerColumn } of tables) {
      const { rowCount } = await database().pool.query(`SELECT FROM ${name} WHERE ${ownerColumn} = $1`, [
        carol
      ])
      if (rowCount) left.push(name)
    }
    expect(left).toEqual([])
  })
})
