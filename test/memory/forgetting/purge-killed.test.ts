import { expect, onTestFinished, test } from 'vitest'
import type { Database } from '../../../src/db/client.ts'
import { keepMemory } from '../../../src/memory/store.ts'
import { callAs, setUp } from '../../chat/talk.ts'
import { tablesOf } from '../../http/tables.ts'
import type { TestOwner } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { everyWordOf } from '../every-word.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'
const GOATS = 'My brother Bob breeds goats.'
const KILLS = 100

class Killed extends Error {}

/** From the statement with this number on, nothing reaches the database any more: as when the process dies before it. */
function killAt(database: Database, number: number): { stop(): number } {
  let sent = 0
  const hooked = new Map<object, () => void>()
  const hook = (client: import('pg').PoolClient) => {
    if (hooked.has(client)) return
    const query = client.query as (...args: unknown[]) => unknown
    client.query = ((...args: unknown[]) => {
      const text = typeof args[0] === 'string' ? args[0] : (args[0] as { text: string }).text
      // The server does this itself when a connection ends.
      if (text === 'ROLLBACK') return query.apply(client, args)
      if (++sent >= number) return Promise.reject(new Killed())
      return query.apply(client, args)
    }) as typeof client.query
    hooked.set(client, () => {
      client.query = query as typeof client.query
    })
  }
  database.pool.on('acquire', hook)
  return {
    stop() {
      database.pool.off('acquire', hook)
      for (const restore of hooked.values()) restore()
      return sent
    }
  }
}

describeEachDatabase('a worker that dies while it forgets', (database) => {
  test(`at ${KILLS} moments, has changed nothing, and the next one comes to the same end`, async () => {
    const { house, owner, call } = await setUp(database(), ({ sources }) =>
      sources.length > 0 ? [`You said: ${sources[0]?.text} [1]`] : ['Noted.']
    )
    const twin = await house.register()
    const [id, twinId] = [await tell(owner, call), await tell(twin, callAs(house, twin))]

    const counting = killAt(database(), Number.POSITIVE_INFINITY)
    onTestFinished(() => void counting.stop())
    await house.services.purge(twin.id, twinId)
    const statements = counting.stop()
    expect(statements).toBeGreaterThan(KILLS)

    const before = await tablesOf(database())
    for (let kill = 0; kill < KILLS; kill++) {
      // The first half of the statements is the purge and its proof; after its end it has only to be looked at again.
      const number = 1 + Math.floor((kill * statements) / (2 * KILLS))
      const killing = killAt(database(), number)
      const failure = await house.services.purge(owner.id, id).catch((error: Error) => error)
      expect([failure, (failure as Error)?.cause], `killed at ${number}`).toContainEqual(expect.any(Killed))
      killing.stop()
      if (kill % 10 === 0) expect(await tablesOf(database()), `killed at ${number}`).toEqual(before)
    }
    expect(await tablesOf(database())).toEqual(before)
    await house.services.purge(owner.id, id)
    expect(await stateOf(owner)).toEqual(await stateOf(twin))
    expect((await everyWordOf(database(), owner.id)).filter((text) => /bees/.test(text))).toEqual([])

    async function tell(who: TestOwner, as: typeof call): Promise<string> {
      const { message } = (await as('POST', '/chat', { message: `Hello! ${BEES} ${GOATS}` })).data
      const keep = (text: string) =>
        database().inOwner(who.id, (tx) =>
          keepMemory(
            tx,
            who.id,
            { text, category: 'fact', importance: 0.5 },
            {
              kind: 'message',
              messageId: message.parentId,
              quote: text,
              quoteStart: 0,
              saidBy: 'owner',
              saidAt: new Date()
            }
          )
        )
      const memoryId = await keep(BEES)
      await keep(GOATS)
      await as('POST', '/chat', { message: 'What does my sister Ada keep?' })
      await as('DELETE', `/memories/${memoryId}`)
      await database().pool.query('UPDATE memories SET purge_at = forgotten_at WHERE purge_at IS NOT NULL')
      return memoryId
    }
  }, 300_000)

  /** What is left of somebody, but for ids and times. */
  async function stateOf({ id }: TestOwner): Promise<unknown> {
    const queries = [
      'SELECT text, status FROM memories WHERE owner_id = $1 ORDER BY text',
      'SELECT quote, quote_start FROM memory_sources WHERE owner_id = $1 ORDER BY quote',
      'SELECT title FROM conversations WHERE owner_id = $1 ORDER BY title',
      'SELECT content, citations FROM messages WHERE owner_id = $1 ORDER BY content',
      'SELECT kind, term, count FROM term_counts WHERE owner_id = $1 ORDER BY kind, term',
      'SELECT count(*) FROM turn_events WHERE owner_id = $1',
      'SELECT count(*) FROM memory_purges WHERE owner_id = $1',
      `SELECT name, count(*) FROM pgboss.job WHERE data ->> 'ownerId' = $1::text GROUP BY name ORDER BY name`
    ]
    return Promise.all(queries.map(async (query) => (await database().pool.query(query, [id])).rows))
  }
})
