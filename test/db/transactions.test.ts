import { sql } from 'drizzle-orm'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { expect, test } from 'vitest'
import { users } from '../../src/auth/tables.ts'
import { conversations } from '../../src/chat/tables.ts'
import type { Tx } from '../../src/db/client.ts'
import { createOwner, describeEachDatabase, openTestDatabase } from '../support/database.ts'

describeEachDatabase('transactions', (database, kind) => {
  const addConversation = (tx: Tx, ownerId: string, title = '') =>
    tx.insert(conversations).values({ ownerId, id: uuidv7(), title })
  const titles = async (ownerId: string) => {
    const rows = await database().inOwner(ownerId, (tx) => tx.select().from(conversations))
    return rows.map(({ title }) => title)
  }

  test('a transaction works as the unprivileged role and leaves nothing of it on the connection', async () => {
    const owner = await createOwner(database())
    const state = `SELECT current_user AS role, current_user = session_user AS own,
                          coalesce(current_setting('pai.owner_id', true), '') AS owner`
    const inside = await database().inOwner(owner, (tx) => tx.execute(sql.raw(state)))
    expect(inside.rows).toEqual([{ role: 'pai_app', own: false, owner }])
    const after = await database().pool.query(state)
    expect(after.rows).toEqual([{ role: expect.any(String), own: true, owner: '' }])
  })

  test('without an owner no row is seen and none can be written', async () => {
    const owner = await createOwner(database())
    await database().inOwner(owner, (tx) => addConversation(tx, owner))
    expect(await database().inSystem((tx) => tx.select().from(users))).toEqual([])
    expect(await database().inSystem((tx) => tx.select().from(conversations))).toEqual([])
    await expect(database().inSystem((tx) => addConversation(tx, owner))).rejects.toHaveProperty(
      'cause.message',
      expect.stringContaining('row-level security')
    )
  })

  test.each(["'; RESET ROLE; --", '', 'me', `${uuidv7()} `, `${uuidv7()}\n`])(
    'an owner id that is no UUID is refused before it reaches the database: %j',
    async (id) => {
      let ran = false
      const attempt = async () =>
        database().inOwner(id, async () => {
          ran = true
        })
      await expect(attempt()).rejects.toThrow(TypeError)
      expect(ran).toBe(false)
    }
  )

  test('an error rolls back, and is the error the caller gets', async () => {
    const owner = await createOwner(database())
    const failure = new Error('thought better of it')
    const attempt = database().inOwner(owner, async (tx) => {
      await addConversation(tx, owner)
      throw failure
    })
    await expect(attempt).rejects.toBe(failure)
    expect(await titles(owner)).toEqual([])
  })

  test('a failed statement rolls back what came before it', async () => {
    const owner = await createOwner(database())
    const attempt = database().inOwner(owner, async (tx) => {
      await addConversation(tx, owner)
      await tx.execute(sql`SELECT 1 / 0`)
    })
    await expect(attempt).rejects.toThrow()
    expect(await titles(owner)).toEqual([])
  })

  test('another transaction or the pool inside one is refused at once', async () => {
    const owner = await createOwner(database())
    const nested = {
      inOwner: () => database().inOwner(owner, async () => {}),
      inSystem: () => database().inSystem(async () => {}),
      query: () => database().pool.query('SELECT 1'),
      connect: () => database().pool.connect()
    }
    for (const [name, use] of Object.entries(nested)) {
      const started = performance.now()
      await expect(
        database().inOwner(owner, async () => void (await use())),
        name
      ).rejects.toThrow('used inside a transaction')
      expect(performance.now() - started).toBeLessThan(1_000)
    }
    await expect(database().pool.query('SELECT 1')).resolves.toHaveProperty('rowCount', 1)
  })

  test('what a transaction set going may use the pool once it has ended', async () => {
    const owner = await createOwner(database())
    const ended = Promise.withResolvers<void>()
    let later: Promise<unknown> | undefined
    await database().inOwner(owner, async () => {
      later = ended.promise.then(() => database().inOwner(owner, async () => 'later'))
    })
    ended.resolve()
    expect(await later).toBe('later')
  })

  test('1,000 interleaved transactions of two owners leak nothing', async () => {
    const { database: narrow, close } = await openTestDatabase(kind, { poolSize: 2 })
    try {
      const owners = [await createOwner(narrow), await createOwner(narrow)]
      const leaks: unknown[] = []
      const one = async (turn: number) => {
        const ownerId = owners[turn % 2] ?? ''
        await narrow
          .inOwner(ownerId, async (tx) => {
            await addConversation(tx, ownerId, ownerId)
            const { rows } = await tx.execute(sql`
              SELECT owner_id, title FROM conversations WHERE owner_id <> ${ownerId} OR title <> ${ownerId}`)
            leaks.push(...rows)
            // Some fail half-way: a connection must come back as clean from those.
            if (turn % 7 === 0) throw new Error('stop')
          })
          .catch((error: Error) => {
            if (error.message !== 'stop') throw error
          })
      }
      // Twenty wait at any moment: who waits too long is refused, however slow the machine.
      const next = Array.from({ length: 1_000 }, (_, turn) => turn).values()
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          for (const turn of next) await one(turn)
        })
      )
      expect(leaks).toEqual([])
      const counted = await narrow.pool.query(
        'SELECT owner_id AS owner, count(*)::int FROM conversations GROUP BY 1'
      )
      const kept = (parity: number) =>
        Array.from({ length: 1_000 }, (_, turn) => turn).filter(
          (turn) => turn % 2 === parity && turn % 7 !== 0
        ).length
      expect(new Map(counted.rows.map(({ owner, count }) => [owner, count]))).toEqual(
        new Map(owners.map((owner, index) => [owner, kept(index)]))
      )
    } finally {
      await close()
    }
  })

  if (kind === 'embedded') return // One connection cannot deadlock, be cut or be refused.

  test('a deadlock is tried again, and both come through', async () => {
    const owner = await createOwner(database())
    const ids = [uuidv7(), uuidv7()]
    await database().inOwner(owner, (tx) =>
      tx.insert(conversations).values(ids.map((id) => ({ ownerId: owner, id, title: '' })))
    )
    const bothHoldOne = Promise.withResolvers<void>()
    let holding = 0
    let tries = 0
    const takeBoth = (order: string[], mark: string) =>
      database().inOwner(owner, async (tx) => {
        tries++
        for (const [step, id] of order.entries()) {
          await tx.execute(sql`
            UPDATE conversations SET title = title || ${mark} WHERE owner_id = ${owner} AND id = ${id}`)
          if (step > 0) continue
          if (++holding === 2) bothHoldOne.resolve()
          await bothHoldOne.promise
        }
      })
    await Promise.all([takeBoth(ids, 'a'), takeBoth(ids.toReversed(), 'b')])
    expect(tries).toBeGreaterThan(2)
    expect((await titles(owner)).map((title) => [...title].sort().join(''))).toEqual(['ab', 'ab'])
  })

  test('a connection cut inside a transaction fails that transaction alone', async () => {
    const owner = await createOwner(database())
    const cut = Promise.withResolvers<void>()
    const attempt = database().inOwner(owner, async (tx) => {
      await addConversation(tx, owner)
      const { rows } = await tx.execute<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`)
      const killer = new pg.Client({ connectionString: database().pool.options.connectionString })
      await killer.connect()
      await killer.query('SELECT pg_terminate_backend($1, 5000)', [rows[0]?.pid])
      await killer.end()
      // The connection's end arrives while nobody waits on it.
      setTimeout(cut.resolve, 100)
      await cut.promise
      await addConversation(tx, owner)
    })
    await expect(attempt).rejects.toThrow()
    expect(await titles(owner)).toEqual([])
  })

  test('a database that cannot be reached is a 503 with a code', async () => {
    const { database: gone, close } = await openTestDatabase(kind)
    await close()
    await expect(gone.inSystem(async () => {})).rejects.toMatchObject({
      code: 'PAI_DATABASE_UNAVAILABLE',
      statusCode: 503
    })
  })
})
