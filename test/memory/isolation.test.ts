import { drizzle } from 'drizzle-orm/node-postgres'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Tx } from '../../src/db/client.ts'
import { findUnembeddedMessages } from '../../src/memory/recall/embed-messages.ts'
import { indexMessages, indexMessagesBefore } from '../../src/memory/recall/index-messages.ts'
import { findUnembedded } from '../../src/memory/recall/memory-vectors.ts'
import * as store from '../../src/memory/store.ts'
import { type Call, callAs } from '../chat/talk.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { runJob, runJobs } from './jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø'

describeEachDatabase('memories of two people who say the same', (database) => {
  let house: TestApp
  let ada: TestOwner
  let bob: TestOwner
  let asAda: Call
  let asBob: Call

  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  beforeEach(async () => {
    ada = await house.register()
    bob = await house.register()
    asAda = callAs(house, ada)
    asBob = callAs(house, bob)
  })
  afterAll(() => house.close())

  const remember = async (call: Call, text = BEES): Promise<string> =>
    (await call('POST', '/memories', { text })).data.id
  async function recalledBy(call: Call): Promise<string[]> {
    const { data } = await call('POST', '/recall', { query: 'bees', kinds: ['memory'] })
    return data.items.map(({ id }: { id: string }) => id)
  }
  /** All that is stored of an owner’s memory and messages, but for the times of jobs. */
  async function everythingOf(owner: TestOwner): Promise<unknown[]> {
    const tables = ['memories', 'memory_sources', 'memory_terms', 'memory_vectors', 'term_counts', 'messages']
    const all = await Promise.all(
      [...tables, 'message_terms', 'message_vectors'].map(async (table) => {
        const { rows } = await database().pool.query(
          `SELECT row::text AS line FROM ${table} AS row WHERE owner_id = $1 ORDER BY 1`,
          [owner.id]
        )
        return [table, rows.map(({ line }) => line)]
      })
    )
    expect(all.flat(2).length).toBeGreaterThan(30)
    return all
  }

  test('each has a memory of their own, finds that one, and changes that one', async () => {
    const [hers, his] = [await remember(asAda), await remember(asBob)]
    expect(hers).not.toBe(his)
    await runJobs(house, ada.id)
    await runJobs(house, bob.id)
    expect(await recalledBy(asAda)).toEqual([hers])
    expect(await recalledBy(asBob)).toEqual([his])
    await asAda('PATCH', `/memories/${hers}`, { text: 'My sister keeps goats' })
    expect(await recalledBy(asAda)).toEqual([])
    expect(await recalledBy(asBob)).toEqual([his])
    await asAda('DELETE', `/memories/${hers}`)
    expect((await asBob('GET', `/memories/${his}`)).data.text).toBe(BEES)
    expect((await asBob('GET', '/memories')).data.items).toHaveLength(1)
    expect((await asAda('GET', '/memories')).data.items).toEqual([])
  })

  test('what one of them said, only they recall', async () => {
    await asAda('POST', '/chat', { message: BEES })
    await runJobs(house, ada.id)
    for (const path of ['/recall', '/memories/search']) {
      expect((await asAda('POST', path, { query: 'bees' })).data.items, path).not.toEqual([])
      expect((await asBob('POST', path, { query: 'bees' })).data.items, path).toEqual([])
    }
    const reply = await asBob('POST', '/chat', { message: 'Who keeps bees?' })
    expect(reply.data.memoriesUsed).toEqual([])
    expect(reply.data.message.content).not.toContain('Tromsø')
  })

  test('how rare a word is depends on one’s own words', async () => {
    for (let number = 0; number < 20; number++) await remember(asBob, `bees and number ${number}`)
    await remember(asAda)
    const { rows } = await database().pool.query(
      `SELECT owner_id AS "ownerId", count FROM term_counts WHERE term = 'bee' AND kind = 'memory' AND owner_id = ANY($1)`,
      [[ada.id, bob.id]]
    )
    expect(Object.fromEntries(rows.map(({ ownerId, count }) => [ownerId, count]))).toEqual({
      [ada.id]: 1,
      [bob.id]: 20
    })
  })

  test('a job for one with the ids of the other does nothing to either', async () => {
    const his = await remember(asBob)
    const { data } = await asBob('POST', '/chat', { message: BEES })
    const { rows } = await database().pool.query('SELECT id FROM messages WHERE conversation_id = $1', [
      data.conversationId
    ])
    const messageIds = rows.map(({ id }) => id)
    const before = await everythingOf(bob)
    await runJob(house, { name: 'memory.index', data: { ownerId: ada.id, memoryIds: [his], messageIds } })
    await runJob(house, { name: 'memory.extract', data: { ownerId: ada.id, messageIds } })
    expect(await everythingOf(bob)).toEqual(before)
    expect((await asAda('GET', '/memories')).data.items).toEqual([])
  })

  test('every statement names its owner: without row-level security none touches another’s rows', async () => {
    for (const call of [asAda, asBob]) {
      await remember(call)
      await call('POST', '/chat', { message: BEES })
    }
    const { rows } = await database().pool.query<{ owner: string; id: string; kind: string }>(
      `SELECT owner_id AS owner, id, 'memory' AS kind FROM memories WHERE owner_id = ANY($1)
       UNION ALL SELECT owner_id, id, 'message' FROM messages WHERE owner_id = ANY($1)`,
      [[ada.id, bob.id]]
    )
    const idsOf = (kind: string, owner?: TestOwner) =>
      rows.filter((row) => row.kind === kind && (!owner || row.owner === owner.id)).map(({ id }) => id)
    const [memoryIds, messageIds] = [idsOf('memory'), idsOf('message')]
    const [his = ''] = idsOf('memory', bob)
    const before = await everythingOf(bob)
    const client = await database().pool.connect()
    try {
      const tx = drizzle(client) as Tx
      const isHers = (found: { id: string }[], kind: string) =>
        expect(found.map(({ id }) => id).sort()).toEqual(idsOf(kind, ada).sort())
      isHers(await store.loadMemories(tx, ada.id, memoryIds), 'memory')
      isHers(await store.listMemories(tx, ada.id, 200), 'memory')
      isHers(await findUnembedded(tx, ada.id, 'a model', memoryIds), 'memory')
      isHers(await findUnembeddedMessages(tx, ada.id, 'a model', messageIds), 'message')
      await indexMessages(tx, ada.id, messageIds)
      await indexMessagesBefore(tx, ada.id, messageIds)
      await expect(store.changeMemory(tx, ada.id, his, { text: 'changed' })).rejects.toMatchObject({
        statusCode: 404
      })
      const [kept] = await store.loadMemories(tx, ada.id, memoryIds)
      await store.keepMemory(
        tx,
        ada.id,
        { text: BEES, category: 'note', importance: 0.5 },
        {
          kind: 'message',
          messageId: idsOf('message', ada)[0] ?? null,
          quote: BEES,
          quoteStart: 0,
          saidBy: 'owner',
          saidAt: new Date()
        }
      )
      expect((await store.loadMemory(tx, ada.id, kept?.id ?? '')).sources).toHaveLength(2)
    } finally {
      client.release()
    }
    expect(await everythingOf(bob)).toEqual(before)
  })

  test('an account that is removed takes its memory along and leaves the other’s', async () => {
    await remember(asAda)
    await remember(asBob)
    await asBob('POST', '/chat', { message: BEES })
    await runJobs(house, bob.id)
    const before = await everythingOf(bob)
    const gone = await asAda('DELETE', '/me', { password: 'bees in Tromsø' })
    expect(gone.status).toBe(204)
    for (const table of [
      'memories',
      'memory_sources',
      'memory_terms',
      'memory_vectors',
      'term_counts',
      'messages'
    ]) {
      const { rows } = await database().pool.query(
        `SELECT count(*)::int AS left FROM ${table} WHERE owner_id = $1`,
        [ada.id]
      )
      expect(rows[0].left, table).toBe(0)
    }
    expect(await everythingOf(bob)).toEqual(before)
  })
})
