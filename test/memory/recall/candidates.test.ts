import { drizzle } from 'drizzle-orm/node-postgres'
import { beforeAll, expect, test } from 'vitest'
import type { Tx } from '../../../src/db/client.ts'
import { createOfflineEmbedder } from '../../../src/llm/offline-embedder.ts'
import { type CandidateQuery, findCandidates } from '../../../src/memory/recall/candidates.ts'
import { createEmbedders } from '../../../src/memory/recall/embedders.ts'
import { createRecall, type RecallQuery } from '../../../src/memory/recall/recall.ts'
import { createOwner, describeEachDatabase } from '../../support/database.ts'
import { fillEveryTable, ownedTables } from '../../support/every-table.ts'
import { recordStatements, type Statement } from '../statements.ts'

const DAY = '2024-01-01T00:00:00Z'
const QUERIES: Record<string, RecallQuery> = {
  everything: { query: 'Where does Ada keep her bees?' },
  memories: { query: 'bees', kinds: ['memory'] },
  messages: { query: 'bees', kinds: ['message'] },
  'a prompt': { query: 'bees', ownWordsOnly: true },
  'a category': { query: 'bees', kinds: ['memory'], category: 'note' },
  'a window': { query: 'bees', from: DAY, to: DAY, knownAt: DAY, asOf: DAY },
  'a time': { query: 'What happened on 1 January 2024?' },
  'words alone': { query: 'bees', ways: ['lexical'] },
  'vectors alone': { query: 'bees', ways: ['vector'] }
}

describeEachDatabase('what recall asks the database', (database, kind) => {
  const embedder = createOfflineEmbedder(64)
  let ada = ''
  let bob = ''

  beforeAll(async () => {
    ada = await createOwner(database())
    bob = await createOwner(database())
    const tables = await ownedTables(database())
    for (const ownerId of [ada, bob]) {
      await fillEveryTable(database(), tables, ownerId)
      const { rows } = await database().pool.query('SELECT id FROM memories WHERE owner_id = $1', [ownerId])
      await database().pool.query('DELETE FROM memory_vectors WHERE owner_id = $1', [ownerId])
      const vector = JSON.stringify((await embedder.embed(['bees'], new AbortController().signal))[0])
      await database().pool.query('INSERT INTO memory_vectors VALUES ($1, $2, $3, $4)', [
        ownerId,
        rows[0].id,
        embedder.id,
        vector
      ])
      await database().pool.query(`INSERT INTO memory_terms VALUES ($1, 'bee', $2, 1)`, [ownerId, rows[0].id])
      await database().pool.query(
        `UPDATE memories SET forgotten_at = NULL, valid_to = NULL WHERE owner_id = $1`,
        [ownerId]
      )
    }
  })

  async function statementsOf(query: RecallQuery): Promise<Statement[]> {
    const queue = { enqueue: async () => {} }
    const embedders = createEmbedders({ database: database(), queue, current: embedder, build: () => null })
    const recall = createRecall({ database: database(), embedders })
    // What is looked up once for an owner.
    await recall(ada, { query: 'bees' }, new AbortController().signal)
    const statements = recordStatements(database())
    await recall(ada, query, new AbortController().signal)
    return statements.slice(statements.findLastIndex(({ text }) => text.startsWith('BEGIN')))
  }

  /** The tables a plan reads, each with all the conditions on it. */
  function* scansIn(node: Record<string, unknown>): Generator<{ table: string; conditions: string }> {
    const conditions = ['Index Cond', 'Recheck Cond', 'Filter', 'TID Cond']
      .map((name) => node[name] ?? '')
      .join(' ')
    if (typeof node['Relation Name'] === 'string') yield { table: node['Relation Name'], conditions }
    for (const child of (node.Plans ?? []) as Record<string, unknown>[]) yield* scansIn(child)
  }

  test.each(Object.entries(QUERIES))(
    '%s is one round trip between begin and commit',
    async (_what, query) => {
      const statements = await statementsOf(query)
      // With messages, what is to be hidden of them is asked for in the same breath.
      const besides = statements.length === 4 ? [expect.stringContaining('purge_at IS NOT NULL')] : []
      expect(statements.map(({ text }) => text)).toEqual([
        expect.stringMatching(/^BEGIN/),
        expect.any(String),
        ...besides,
        'COMMIT'
      ])
      expect(statements[0]?.text).toContain(`SET LOCAL pai.owner_id = '${ada}'`)
      // A server's connection keeps the plan; the embedded database may have lost what a connection has named.
      const kept = kind === 'postgres' ? expect.stringMatching(/^pai_/) : undefined
      expect(statements.map(({ name }) => name)).toEqual([
        undefined,
        kept,
        ...besides.map(() => kept),
        undefined
      ])
    }
  )

  test.each(Object.entries(QUERIES))('%s names its owner for every table it reads', async (_what, query) => {
    const [begin, search] = await statementsOf(query)
    const none = search?.values.map(() => 'NULL').join()
    const client = await database().pool.connect()
    try {
      await client.query(begin?.text ?? '')
      // Without row-level security, which does not bind a superuser, only the statement itself can have named the owner.
      await client.query(`RESET ROLE; PREPARE asked AS ${search?.text}`)
      const { rows } = await client.query(`EXPLAIN (FORMAT JSON) EXECUTE asked (${none})`)
      const scans = [...scansIn(rows[0]['QUERY PLAN'][0].Plan)]
      expect(scans.length).toBeGreaterThanOrEqual(3)
      for (const { table, conditions } of scans) {
        const asked = /owner_id = \$(\d+)/.exec(conditions)?.[1]
        expect(search?.values[Number(asked) - 1], `${table}: ${conditions}`).toBe(ada)
      }
    } finally {
      await client.query('ROLLBACK; DEALLOCATE asked')
      client.release()
    }
  })

  test('without row-level security it still finds the owner’s rows and nobody else’s', async () => {
    const [values] = await embedder.embed(['bees'], new AbortController().signal)
    const query: CandidateQuery = {
      kinds: ['memory', 'message'],
      offered: 40,
      terms: ['bee'],
      names: [],
      vector: { model: embedder.id, dimensions: 64, values: values ?? [] },
      now: new Date()
    }
    const client = await database().pool.connect()
    try {
      const { rows } = await client.query('SELECT owner_id, id FROM memories')
      const idsOf = (ownerId: string) =>
        rows.filter(({ owner_id }) => owner_id === ownerId).map(({ id }) => id)
      for (const ownerId of [ada, bob]) {
        const found = await findCandidates(drizzle(client) as Tx, ownerId, query)
        expect(found.filter(({ kind }) => kind === 'memory').map(({ id }) => id)).toEqual(idsOf(ownerId))
        expect(found[0]).toMatchObject({ lexical: expect.any(Number), similarity: expect.closeTo(1, 2) })
      }
    } finally {
      client.release()
    }
  })
})
