import { beforeEach, expect, onTestFinished, test } from 'vitest'
import type { Embedder } from '../../../src/llm/model.ts'
import { createOfflineEmbedder } from '../../../src/llm/offline-embedder.ts'
import { createEmbedders } from '../../../src/memory/recall/embedders.ts'
import { type Call, callAs } from '../../chat/talk.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJob, runJobs, takeJobs } from '../jobs.ts'
import { recordStatements } from '../statements.ts'

const FACTS = ['My sister Ada keeps bees in Tromsø', 'My brother Bob breeds goats', 'I play the cello']
const SAID = 'The shed behind the house is painted red'
const [small, large] = [createOfflineEmbedder(64), createOfflineEmbedder(128)]

describeEachDatabase('changing the embedding model', (database) => {
  let owner: TestOwner

  async function open(embedder: Embedder): Promise<TestApp> {
    const house = await buildTestApp(database(), { llm: { embedder } })
    onTestFinished(() => house.close())
    return house
  }

  beforeEach(async () => {
    const before = await open(small)
    owner = await before.register()
    const call = callAs(before, owner)
    for (const text of FACTS) await call('POST', '/memories', { text })
    await call('POST', '/conversations/import', {
      messages: [{ role: 'user', content: SAID, createdAt: '2025-01-01T00:00:00Z' }]
    })
    await runJobs(before, owner.id)
  })

  /** What vectors alone find: nothing but what has one. */
  async function near(call: Call, query: string): Promise<string[]> {
    const { data } = await call('POST', '/recall', { query, ways: ['vector'], limit: 1 })
    return data.items.map(({ text }: { text: string }) => text)
  }
  async function modelsOf(table: string): Promise<Record<string, number>> {
    const { rows } = await database().pool.query(
      `SELECT model, count(*)::int FROM ${table} WHERE owner_id = $1 GROUP BY model ORDER BY model`,
      [owner.id]
    )
    return Object.fromEntries(rows.map(({ model, count }) => [model, count]))
  }
  async function indexesAsked(model: string): Promise<object[]> {
    const { rows } = await database().pool.query(
      `SELECT data - 'model' - 'dimensions' AS index FROM pgboss.job
        WHERE name = 'memory.build-vector-index' AND data ->> 'model' = $1 ORDER BY data::text`,
      [model]
    )
    return rows.map(({ index }) => index)
  }
  /** One to read each owner's vectors by, and one of this owner's own. */
  function indexesOf(ownerId: string): object[] {
    if (database().kind === 'embedded') return []
    const kinds = ['memory', 'message']
    return expect.arrayContaining(
      kinds.flatMap((kind) => [
        { kind, rows: true },
        { kind, ownerId }
      ])
    )
  }
  async function expectAllFound(call: Call): Promise<void> {
    expect(await near(call, 'Ada keeps bees')).toEqual([FACTS[0]])
    expect(await near(call, 'Bob breeds goats')).toEqual([FACTS[1]])
    expect(await near(call, 'the painted shed')).toEqual([SAID])
  }

  test('everything is found before, during and after, and then the old vectors go', async () => {
    let during = 0
    let call: Call
    const house = await open({
      ...large,
      async embed(texts, signal) {
        during++
        // A search under way asks the embedder as well, once it is the one in use.
        if (during === 1) await expectAllFound(call)
        return large.embed(texts, signal)
      }
    })
    call = callAs(house, owner)
    await expectAllFound(call)
    expect((await call('GET', '/embeddings')).data).toEqual({
      model: small.id,
      nextModel: large.id,
      done: 0,
      total: 4
    })
    const [job, ...more] = await takeJobs(database(), owner.id)
    expect([job?.name, more]).toEqual(['memory.reembed', []])
    if (job) await runJob(house, job)
    expect(during).toBeGreaterThan(0)
    expect((await call('GET', '/embeddings')).data).toEqual({
      model: large.id,
      nextModel: null,
      done: 4,
      total: 4
    })
    expect(await modelsOf('memory_vectors')).toEqual({ [large.id]: 3, [small.id]: 3 })
    await expectAllFound(call)
    await runJobs(house, owner.id)
    expect(await modelsOf('memory_vectors')).toEqual({ [large.id]: 3 })
    expect(await modelsOf('message_vectors')).toEqual({ [large.id]: 1 })
    await expectAllFound(call)
  })

  test('what comes in meanwhile is found at once and afterwards', async () => {
    const house = await open(large)
    const call = callAs(house, owner)
    await near(call, 'bees')
    const [reembed] = await takeJobs(database(), owner.id)
    await call('POST', '/memories', { text: 'A walrus lives in the harbour' })
    await runJobs(house, owner.id)
    expect(await near(call, 'walrus harbour')).toEqual(['A walrus lives in the harbour'])
    if (reembed) await runJob(house, reembed)
    await runJobs(house, owner.id)
    expect(await near(call, 'walrus harbour')).toEqual(['A walrus lives in the harbour'])
    expect(await modelsOf('memory_vectors')).toEqual({ [large.id]: 4 })
  })

  test('all that there is is counted once for a run, and the index for a large owner is asked for', async () => {
    const { pool } = database()
    await pool.query(
      `INSERT INTO memories (owner_id, id, text, text_hash, category, importance, status)
         SELECT $1, gen_random_uuid(), 'fact ' || n, sha256(n::text::bytea), 'fact', 0.5, 'active' FROM generate_series(1, 250) n`,
      [owner.id]
    )
    await pool.query(`UPDATE term_counts SET count = 10000 WHERE owner_id = $1 AND term = ''`, [owner.id])
    const huge = createOfflineEmbedder(192)
    const house = await open(huge)
    await near(callAs(house, owner), 'bees')
    const [reembed] = await takeJobs(database(), owner.id)
    const statements = recordStatements(database())
    if (reembed) await runJob(house, reembed)
    expect(statements.filter(({ text }) => text.includes('AS total'))).toHaveLength(1)
    const { rows } = await pool.query('SELECT model, done, total FROM vector_models WHERE owner_id = $1', [
      owner.id
    ])
    expect(rows).toEqual([{ model: huge.id, done: 254, total: 254 }])
    expect(await indexesAsked(huge.id)).toEqual(indexesOf(owner.id))
  })

  test('so it is after a large import whose vectors are made at once', async () => {
    const huge = createOfflineEmbedder(256)
    const house = await open(huge)
    await database().pool.query(`UPDATE term_counts SET count = 10000 WHERE owner_id = $1 AND term = ''`, [
      owner.id
    ])
    await callAs(house, owner)('POST', '/conversations/import', {
      messages: [{ role: 'user', content: SAID, createdAt: '2025-01-01T00:00:00Z' }]
    })
    expect(await indexesAsked(huge.id)).toEqual(indexesOf(owner.id))
  })

  test('a run that dies is followed by one that goes on, and any number of searches begin it once', async () => {
    let isDown = true
    const house = await open({
      ...large,
      async embed(texts, signal) {
        if (isDown) throw new Error('The embedder is down')
        return large.embed(texts, signal)
      }
    })
    const call = callAs(house, owner)
    for (let times = 0; times < 3; times++) await expectAllFound(call)
    const jobs = await takeJobs(database(), owner.id)
    expect(jobs.map(({ name }) => name)).toEqual(['memory.reembed'])
    const [job] = jobs
    if (!job) return
    await expect(runJob(house, job)).rejects.toThrow('The embedder is down')
    await expectAllFound(call)
    isDown = false
    await runJob(house, job)
    await runJob(house, job)
    await runJobs(house, owner.id)
    await expectAllFound(call)
    expect(await modelsOf('memory_vectors')).toEqual({ [large.id]: 3 })
  })

  test('back to the old model before the new one is there, nothing is lost', async () => {
    const ahead = await open(large)
    await near(callAs(ahead, owner), 'bees')
    const [forward] = await takeJobs(database(), owner.id)
    await callAs(ahead, owner)('POST', '/memories', { text: 'A walrus lives in the harbour' })
    await runJobs(ahead, owner.id)
    expect(await modelsOf('memory_vectors')).toEqual({ [large.id]: 1, [small.id]: 4 })
    const house = await open(small)
    const call = callAs(house, owner)
    await expectAllFound(call)
    if (forward) await runJob(house, forward)
    await runJobs(house, owner.id)
    await expectAllFound(call)
    expect((await call('GET', '/embeddings')).data).toMatchObject({ model: small.id, nextModel: null })
    expect(await modelsOf('memory_vectors')).toEqual({ [small.id]: 4 })
  })

  test('an owner whom another process takes elsewhere is followed within a minute', async () => {
    let at = 0
    const embedders = createEmbedders({
      database: database(),
      queue: { enqueue: async () => {} },
      current: small,
      build: () => large,
      now: () => new Date(at)
    })
    expect(await embedders.forWriting(owner.id)).toEqual([small])
    await database().pool.query('UPDATE vector_models SET model = $2 WHERE owner_id = $1', [
      owner.id,
      large.id
    ])
    at = 59_999
    expect(embedders.known(owner.id)).toMatchObject({ large: [] })
    at = 60_000
    expect(embedders.known(owner.id)).toBeUndefined()
    expect(await embedders.forWriting(owner.id)).toEqual([large, small])
  })

  test('where the old embedder cannot be had, the words find everything meanwhile', async () => {
    const house = await buildTestApp(database(), { llm: { embedder: large, embedderFor: () => null } })
    onTestFinished(() => house.close())
    const call = callAs(house, owner)
    const { data } = await call('POST', '/recall', { query: 'Who keeps bees?' })
    expect(data.items[0]).toMatchObject({ text: FACTS[0], matchedBy: ['lexical'] })
    await runJobs(house, owner.id)
    await expectAllFound(call)
  })
})
