import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { expect, test, vi } from 'vitest'
import { conversations, messages } from '../../src/chat/tables.ts'
import type { Tx } from '../../src/db/client.ts'
import { memoryTerms, messageTerms } from '../../src/memory/recall/tables.ts'
import { memories } from '../../src/memory/tables.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'

describeEachDatabase('term counts', (database, kind) => {
  async function addMemory(tx: Tx, ownerId: string, terms: string[]): Promise<string> {
    const id = uuidv7()
    await tx.insert(memories).values({
      ownerId,
      id,
      text: id,
      textHash: Buffer.from(id),
      category: 'fact',
      importance: 0.5,
      status: 'active'
    })
    await tx.insert(memoryTerms).values(terms.map((term) => ({ ownerId, id, term, weight: 1 })))
    return id
  }

  async function addMessage(
    tx: Tx,
    ownerId: string,
    conversationId: string,
    terms: string[]
  ): Promise<string> {
    const id = uuidv7()
    const sequence = sql<number>`(SELECT count(*) FROM messages WHERE conversation_id = ${conversationId})`
    await tx.insert(messages).values({ ownerId, id, conversationId, sequence, role: 'user', content: id })
    await tx.insert(messageTerms).values(terms.map((term) => ({ ownerId, id, term, weight: 1 })))
    return id
  }

  async function addConversation(tx: Tx, ownerId: string): Promise<string> {
    const id = uuidv7()
    await tx.insert(conversations).values({ ownerId, id })
    return id
  }

  async function counts(ownerId: string): Promise<Record<string, number>> {
    const { rows } = await database().pool.query<{ key: string; count: number }>(
      `SELECT kind || ' ' || term AS key, count FROM term_counts WHERE owner_id = $1`,
      [ownerId]
    )
    return Object.fromEntries(rows.map(({ key, count }) => [key, count]))
  }

  /** What the counts should be, counted the slow way. */
  async function counted(ownerId: string): Promise<Record<string, number>> {
    const { rows } = await database().pool.query<{ key: string; count: number }>(
      `SELECT key, count(*)::int FROM (
         SELECT 'memory ' || term AS key FROM memory_terms WHERE owner_id = $1
         UNION ALL SELECT 'message ' || term FROM message_terms WHERE owner_id = $1) terms GROUP BY key`,
      [ownerId]
    )
    return Object.fromEntries(rows.map(({ key, count }) => [key, count]))
  }

  test('follow what is added, kind by kind and owner by owner', async () => {
    const [ada, bob] = [await createOwner(database()), await createOwner(database())]
    await database().inOwner(ada, async (tx) => {
      await addMemory(tx, ada, ['bees', 'tromsø'])
      await addMemory(tx, ada, ['bees'])
      await addMessage(tx, ada, await addConversation(tx, ada), ['bees', 'honey'])
    })
    await database().inOwner(bob, (tx) => addMemory(tx, bob, ['bees']))
    expect(await counts(ada)).toEqual({
      'memory bees': 2,
      'memory tromsø': 1,
      'message bees': 1,
      'message honey': 1
    })
    expect(await counts(bob)).toEqual({ 'memory bees': 1 })
  })

  test('follow what is taken away, and a term nobody has is gone', async () => {
    const owner = await createOwner(database())
    const [first] = await database().inOwner(owner, async (tx) => [
      await addMemory(tx, owner, ['bees', 'tromsø']),
      await addMemory(tx, owner, ['bees'])
    ])
    await database().inOwner(owner, (tx) => tx.execute(sql`DELETE FROM memory_terms WHERE id = ${first}`))
    expect(await counts(owner)).toEqual({ 'memory bees': 1 })
  })

  test('follow a deletion that reaches the terms from above', async () => {
    const owner = await createOwner(database())
    const { memory, conversation } = await database().inOwner(owner, async (tx) => {
      const conversation = await addConversation(tx, owner)
      const other = await addConversation(tx, owner)
      await addMessage(tx, owner, conversation, ['bees', 'honey'])
      await addMessage(tx, owner, conversation, ['bees'])
      await addMessage(tx, owner, other, ['bees'])
      return { conversation, memory: await addMemory(tx, owner, ['bees']) }
    })
    await database().inOwner(owner, (tx) => tx.execute(sql`DELETE FROM memories WHERE id = ${memory}`))
    expect(await counts(owner)).toEqual({ 'message bees': 3, 'message honey': 1 })
    await database().inOwner(owner, (tx) =>
      tx.execute(sql`DELETE FROM conversations WHERE id = ${conversation}`)
    )
    expect(await counts(owner)).toEqual({ 'message bees': 1 })
  })

  test('go with their owner, as the owner and as a superuser', async () => {
    const [ada, bob] = [await createOwner(database()), await createOwner(database())]
    for (const owner of [ada, bob]) {
      await database().inOwner(owner, async (tx) => {
        await addMemory(tx, owner, ['bees', 'honey'])
        await addMessage(tx, owner, await addConversation(tx, owner), ['bees'])
      })
    }
    await database().inOwner(ada, (tx) => tx.execute(sql`DELETE FROM users WHERE id = ${ada}`))
    expect(await counts(ada)).toEqual({})
    expect(await counts(bob)).toEqual({ 'memory bees': 1, 'memory honey': 1, 'message bees': 1 })
    await database().pool.query('DELETE FROM users WHERE id = $1', [bob])
    expect(await counts(bob)).toEqual({})
  })

  test('follow a transaction that is undone', async () => {
    const owner = await createOwner(database())
    const undone = database().inOwner(owner, async (tx) => {
      await addMemory(tx, owner, ['bees'])
      throw new Error('no')
    })
    await expect(undone).rejects.toThrow('no')
    expect(await counts(owner)).toEqual({})
  })

  test('are right after many writers at once, none of which had to try again', async () => {
    const owner = await createOwner(database())
    const vocabulary = Array.from({ length: 12 }, (_, index) => `term${index}`)
    let tries = 0
    const rounds = kind === 'postgres' ? 40 : 10
    const write = async (writer: number) => {
      const own: string[] = []
      for (let round = 0; round < rounds; round++) {
        // Every writer takes the same terms in another order.
        const terms = vocabulary
          .map((_, index) => vocabulary[(index * 5 + writer * 3 + round) % 12] ?? '')
          .slice(0, 8)
        await database().inOwner(owner, async (tx) => {
          tries++
          const gone = round % 2 === 1 ? own.shift() : undefined
          if (gone) await tx.execute(sql`DELETE FROM memories WHERE owner_id = ${owner} AND id = ${gone}`)
          else own.push(await addMemory(tx, owner, terms))
        })
      }
    }
    const writers = kind === 'postgres' ? 8 : 3
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
    expect(await counts(owner)).toEqual(await counted(owner))
    expect(Object.values(await counts(owner)).every((count) => count > 0)).toBe(true)
    expect(tries).toBe(writers * rounds)
  })

  if (kind === 'embedded') return // One connection has nobody to wait for.

  // Without an order of its own a statement may happen on the right one: so with several sets of terms.
  test.each([...'abcdef'])(
    'a writer and a remover of the same terms take them in one order: %s',
    async (letter) => {
      const owner = await createOwner(database())
      const terms = Array.from({ length: 8 }, (_, index) => `${letter}${index}`)
      const gone = await database().inOwner(owner, (tx) => addMemory(tx, owner, terms))
      let tries = 0
      const run = (step: (tx: Tx) => Promise<unknown>) =>
        database().inOwner(owner, async (tx) => {
          tries++
          await step(tx)
        })
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      const untilWaiting = (count: number) =>
        vi.waitFor(async () => expect((await database().pool.query(waiting)).rowCount).toBe(count), {
          timeout: 5_000
        })

      // At the second term both are held up, each with what it has taken so far.
      const holder = await database().pool.connect()
      await holder.query('BEGIN')
      await holder.query('SELECT FROM term_counts WHERE owner_id = $1 AND term = $2 FOR UPDATE', [
        owner,
        terms[1]
      ])
      const removing = run((tx) =>
        tx.execute(sql`DELETE FROM memories WHERE owner_id = ${owner} AND id = ${gone}`)
      )
      await untilWaiting(1)
      const writing = run((tx) => addMemory(tx, owner, terms))
      await untilWaiting(2)
      await holder.query('ROLLBACK')
      holder.release()
      await Promise.all([removing, writing])
      expect(tries).toBe(2)
      expect(await counts(owner)).toEqual(await counted(owner))
    }
  )
})
