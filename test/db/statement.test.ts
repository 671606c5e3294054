import { sql } from 'drizzle-orm'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { expect, test, vi } from 'vitest'
import { brokenConstraint } from '../../src/db/client.ts'
import { ask, fixed } from '../../src/db/statement.ts'
import { createOwner, describeEachDatabase, openTestDatabase } from '../support/database.ts'

type Conversation = { owner: string; id: string; title: string }

const add = fixed<Conversation, { id: string }>(
  ({ owner, id, title }) =>
    sql`INSERT INTO conversations (owner_id, id, title) VALUES (${owner}, ${id}, ${title}) RETURNING id`
)
const titles = fixed<{ owner: string }, { title: string; role: string }>(
  ({ owner }) =>
    sql`SELECT title, current_user AS role FROM conversations WHERE owner_id = ${owner} AND title <> ${'hidden'} ORDER BY id`
)

describeEachDatabase('a statement alone', (database, kind) => {
  const read = async (owner: string) =>
    (await database().readOneInOwner(owner, titles({ owner }))).map(({ title }) => title)

  test('is a transaction: it is kept when it answers, as the unprivileged role, whose rows alone it sees', async () => {
    const [ada, ben] = [await createOwner(database()), await createOwner(database())]
    const id = uuidv7()
    expect(await database().oneInOwner(ada, add({ owner: ada, id, title: 'Bees' }))).toEqual([{ id }])
    expect(await database().readOneInOwner(ada, titles({ owner: ada }))).toEqual([
      { title: 'Bees', role: 'pai_app' }
    ])
    expect(await database().readOneInOwner(ben, titles({ owner: ada }))).toEqual([])
    expect(await database().oneInSystem(titles({ owner: ada }))).toEqual([])
    await expect(
      database().oneInOwner(ben, add({ owner: ada, id: uuidv7(), title: 'Ours' }))
    ).rejects.toThrow()
    await expect(
      database().readOneInOwner(ada, add({ owner: ada, id: uuidv7(), title: 'Read' }))
    ).rejects.toThrow()
  })

  test('that fails leaves nothing, says why, and gives back a connection that serves the next', async () => {
    const { database: narrow, close } = await openTestDatabase(kind, { poolSize: 1 })
    try {
      const owner = await createOwner(narrow)
      const twice = { owner, id: uuidv7(), title: 'Bees' }
      await narrow.oneInOwner(owner, add(twice))
      const error = await narrow.oneInOwner(owner, add(twice)).catch((failure) => failure)
      expect(brokenConstraint(error)).toBe('conversations_owner_id_id_pk')
      expect(await narrow.pool.query('SELECT current_user = session_user AS own')).toMatchObject({
        rows: [{ own: true }]
      })
      await narrow.oneInOwner(owner, add({ owner, id: uuidv7(), title: 'Hives' }))
      expect(await narrow.readOneInOwner(owner, titles({ owner }))).toMatchObject([
        { title: 'Bees' },
        { title: 'Hives' }
      ])
    } finally {
      await close()
    }
  })

  test('goes among others as well, whatever failed before it, and however often', async () => {
    const owner = await createOwner(database())
    const attempt = database().inOwner(owner, async (tx) => {
      await ask(tx, add({ owner, id: uuidv7(), title: 'Given up' }))
      throw new Error('thought better of it')
    })
    await expect(attempt).rejects.toThrow('thought better of it')
    await database().inOwner(owner, async (tx) => {
      const all = ['a', 'b', 'c'].map((title) => ask(tx, add({ owner, id: uuidv7(), title })))
      await Promise.all(all)
    })
    expect((await read(owner)).toSorted()).toEqual(['a', 'b', 'c'])
  })

  if (kind === 'embedded') return // Its connections send one after the other, and keep no plans.

  test('is sent whole before any of it is answered, and is read and planned once', async () => {
    const { database: narrow, close } = await openTestDatabase(kind, { poolSize: 1 })
    const sent = vi.spyOn(pg.Client.prototype, 'query')
    try {
      const owner = await createOwner(narrow)
      sent.mockClear()
      const answer = narrow.oneInOwner(owner, add({ owner, id: uuidv7(), title: 'Bees' }))
      await vi.waitFor(() => expect(sent).toHaveBeenCalledTimes(3), { interval: 0 })
      expect(await Promise.race([answer.then(() => 'answered'), Promise.resolve('sent')])).toBe('sent')
      await answer
      for (let times = 0; times < 8; times++) await narrow.readOneInOwner(owner, titles({ owner }))
      const { rows } = await narrow.pool.query(
        `SELECT generic_plans::int AS generic FROM pg_prepared_statements WHERE statement LIKE '%current_user AS role%'`
      )
      expect(rows).toEqual([{ generic: expect.any(Number) }])
      expect(rows[0].generic).toBeGreaterThan(0)
    } finally {
      sent.mockRestore()
      await close()
    }
  })
})
