import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createConsolidate } from '../../src/consolidation/consolidate.ts'
import type { Consolidation } from '../../src/consolidation/schemas.ts'
import type { Database } from '../../src/db/client.ts'
import { afterClosing, reaffirmDependants } from '../../src/memory/closing.ts'
import { record } from '../../src/memory/history.ts'
import { merge } from '../../src/memory/merge.ts'
import { hashText, indexWords } from '../../src/memory/store.ts'
import { takeJobs } from '../memory/jobs.ts'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { tidyOwner } from './tidy.ts'

describeEachDatabase('a consolidation', (database) => {
  let house: TestApp
  let ada: Awaited<ReturnType<typeof tidyOwner>>

  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  beforeEach(async () => {
    ada = await tidyOwner(database(), house)
  })
  afterAll(() => house.close())

  test('with nothing to do ends with an empty report', async () => {
    expect(await ada.tidy()).toMatchObject({
      status: 'completed',
      report: { steps: [] },
      finishedAt: expect.any(String),
      undoneAt: null
    })
  })

  test('is one while it runs, whoever asks, and one for its key', async () => {
    const key = { 'idempotency-key': 'tonight' }
    const first = await ada.call('POST', '/consolidations', undefined, key)
    expect(first.status).toBe(202)
    expect((await ada.call('POST', '/consolidations')).data.id).toBe(first.data.id)
    expect(await takeJobs(database(), ada.owner.id)).toHaveLength(1)
    expect((await ada.call('POST', '/consolidations', undefined, key)).data).toEqual(first.data)
    expect((await ada.call('POST', `/consolidations/${first.data.id}/undo`)).data).toMatchObject({
      status: 409,
      code: 'PAI_CONSOLIDATION_RUNNING'
    })
  })

  test('that was given up makes room for another', async () => {
    const { data: first } = await ada.call('POST', '/consolidations')
    await takeJobs(database(), ada.owner.id)
    await database().pool.query(
      "UPDATE consolidations SET started_at = now() - interval '7 hours' WHERE owner_id = $1",
      [ada.owner.id]
    )
    expect((await ada.tidy()).id).not.toBe(first.id)
    expect((await ada.call('GET', `/consolidations/${first.id}`)).data.status).toBe('failed')
  })

  test('is listed newest first, page by page', async () => {
    const ids: string[] = []
    for (let run = 0; run < 3; run++) ids.unshift((await ada.tidy()).id)
    const { data: page } = await ada.call('GET', '/consolidations?limit=2')
    expect(page.items.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2))
    const { data: next } = await ada.call('GET', `/consolidations?limit=2&cursor=${page.nextCursor}`)
    expect(next.items.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2))
    expect(next.nextCursor).toBeNull()
  })

  test('of somebody else cannot be found', async () => {
    const { id } = await ada.tidy()
    const eve = await tidyOwner(database(), house)
    expect((await eve.call('GET', `/consolidations/${id}`)).data.code).toBe('PAI_CONSOLIDATION_NOT_FOUND')
    expect((await eve.call('POST', `/consolidations/${id}/undo`)).status).toBe(404)
    expect((await eve.call('GET', '/consolidations')).data.items).toEqual([])
  })

  test('killed at every statement and repeated, once by two workers, ends as if it had never been', async () => {
    const payload = await prepare(ada)
    let deaths = 0
    let progress = ''
    for (let survived = 0; ; ) {
      const fragile = dieAfter(database(), survived)
      const consolidate = createConsolidate({ ...depsOf(house), database: fragile.database })
      try {
        await Promise.all([1, 2].map(() => consolidate(payload, new AbortController().signal)))
        break
      } catch (error) {
        if (!fragile.died()) throw error
        deaths++
      }
      // Only once it gets nowhere may it live for one statement more: so every part of the work dies at each of its own.
      const reached = JSON.stringify(await ada.rows('consolidations', 'report'))
      survived = reached === progress ? survived + 1 : 0
      progress = reached
    }
    expect(deaths).toBeGreaterThan(100)

    const bob = await tidyOwner(database(), house)
    await createConsolidate(depsOf(house))(await prepare(bob), new AbortController().signal)
    const state = await stateOf(bob)
    expect(await stateOf(ada)).toEqual(state)
    // Every verb had something to do.
    const done = state.report.flatMap(({ steps }) => steps.map(({ action }) => action))
    expect(new Set(done)).toEqual(
      new Set(['merged', 'expired', 'summarised', 'inferred', 'clustered', 'profiled'])
    )
  })
})

/** Something for each verb to do; answers the job's payload. */
async function prepare(who: Awaited<ReturnType<typeof tidyOwner>>) {
  await who.remember('I am vegetarian', { tags: ['food'] })
  await who.remember("I'm a vegetarian.", { tags: ['diet'] })
  await who.remember('I really am vegetarian')
  await who.remember('Ada keeps bees')
  await who.remember('Ada keeps the bees!')
  await who.remember('I fly to Rome on 14 March 2020', { category: 'plan' })
  await who.remember('I lease a car', { valid_to: new Date('2020-01-01') })
  for (const place of ['Oslo', 'Bergen', 'Bodø']) await who.remember(`I played chess in ${place}`)
  await who.call('POST', '/conversations/import', {
    messages: Array.from({ length: 200 }, (_, index) => ({
      role: 'user',
      content: `Hive number ${index} stands beside the lighthouse.`,
      createdAt: '2026-03-01T00:00:00.000Z'
    }))
  })
  const { data } = await who.call('POST', '/consolidations')
  return { ownerId: who.owner.id, consolidationId: data.id as string }
}

function depsOf({ services }: TestApp) {
  const { database, queue, llm, hiding } = services
  return {
    database,
    queue,
    model: null,
    embedderOf: async () => llm.embedder,
    memory: { record, afterClosing, reaffirmDependants, hashText, indexWords, merge },
    hiding
  }
}

/** What an owner has, without what differs between any two: ids and moments. */
async function stateOf(who: Awaited<ReturnType<typeof tidyOwner>>) {
  const { data } = await who.call('GET', '/consolidations')
  const sources = await who.rows('memory_sources', 'quote')
  return {
    memories: await who.rows(
      'memories',
      'text, status, proof_count, tags, importance, superseded_by IS NULL AS leads, closed_at IS NULL AS open'
    ),
    history: (await who.rows('memory_history', 'action, by, batch_id IS NULL AS single')).length,
    sources: sources.map(({ quote }) => quote),
    dependencies: (await who.rows('memory_dependencies', 'memory_id')).length,
    summaries: await who.rows('conversation_summaries', 'text, through_sequence'),
    clusters: await who.rows('memory_clusters', 'topic, size'),
    members: (await who.rows('memory_cluster_members', 'memory_id')).length,
    profile: await who.rows('profiles', 'text, previous_text'),
    report: (data.items as Consolidation[]).map((item) => ({
      status: item.status,
      steps: item.report.steps.map((step) => ({ ...step, memoryIds: step.memoryIds.length }))
    }))
  }
}

/** The database of a worker that dies at one of its statements: nothing after it is sent, and what was open is rolled back. */
function dieAfter(database: Database, statements: number) {
  let left = statements
  let dead = false
  const mortal = (work: (tx: never) => Promise<unknown>) => (tx: object) =>
    work(
      new Proxy(tx, {
        get(target, name) {
          const value = Reflect.get(target, name)
          if (typeof value !== 'function') return value
          return (...args: unknown[]) => {
            if (dead || left-- <= 0) {
              dead = true
              throw new Error('Killed')
            }
            return value.apply(target, args)
          }
        }
      }) as never
    )
  return {
    died: () => dead,
    database: {
      ...database,
      inOwner: (ownerId: string, work: (tx: never) => Promise<unknown>) =>
        database.inOwner(ownerId, mortal(work) as never)
    } as Database
  }
}
