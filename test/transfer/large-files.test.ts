import { expect, onTestFinished, test } from 'vitest'
import { deleteExpired } from '../../src/db/system.ts'
import { type Call, callAs } from '../chat/talk.ts'
import { killedAt } from '../memory/extraction.ts'
import { runJob, runJobs, takeJobs } from '../memory/jobs.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'
const START = Date.parse('2024-03-01T10:00:00Z')

/** A conversation of Claude's; each message answers the one before it. */
function conversation(uuid: string, count: number, say = (index: number) => `${uuid} says ${index}`) {
  const at = (index: number) => new Date(START + index * 1_000).toISOString()
  return {
    uuid,
    name: uuid,
    created_at: at(0),
    updated_at: at(count),
    chat_messages: Array.from({ length: count }, (_, index) => ({
      uuid: `${uuid}-${index}`,
      sender: index % 2 ? 'assistant' : 'human',
      text: say(index),
      created_at: at(index)
    }))
  }
}

describeEachDatabase('a large file', (database) => {
  async function house() {
    const built = await buildTestApp(database())
    onTestFinished(() => built.close())
    const owner = await built.register()
    return { house: built, owner, call: callAs(built, owner) }
  }
  const partsOf = async (owner: TestOwner) =>
    (
      await database().pool.query(
        'SELECT place, content FROM file_import_parts WHERE owner_id = $1 ORDER BY place',
        [owner.id]
      )
    ).rows
  /** Everything that was said, with what it answers. */
  async function said(owner: TestOwner) {
    const { rows } = await database().pool.query<{ content: string; answers: string | null }>(
      `SELECT said.content, parent.content AS answers FROM messages said
         LEFT JOIN messages parent ON parent.owner_id = said.owner_id AND parent.id = said.parent_id
        WHERE said.owner_id = $1 ORDER BY said.conversation_id, said.sequence`,
      [owner.id]
    )
    return rows
  }
  async function importJob(built: TestApp, owner: TestOwner) {
    const job = (await takeJobs(built.services.database, owner.id)).find(
      ({ name }) => name === 'transfer.import'
    )
    if (!job) throw new Error('There is no job to import')
    return job
  }
  const progress = async (call: Call, id: string) => (await call('GET', `/imports/${id}`)).data

  test('answers at once, comes in part by part, and leaves nothing of itself behind', async () => {
    const { house: built, owner, call } = await house()
    const file = [conversation('long', 1_100), conversation('short', 3)]
    const sent = await call('POST', '/import', file, { 'idempotency-key': 'once' })
    expect(sent).toMatchObject({ status: 202, data: { importId: expect.any(String) } })
    expect((await call('POST', '/import', file, { 'idempotency-key': 'once' })).data).toEqual(sent.data)
    const { importId } = sent.data
    expect(await progress(call, importId)).toEqual({
      id: importId,
      conversationId: null,
      status: 'processing',
      total: 3,
      done: 0,
      report: { source: 'claude', conversations: 0, messages: 0, memories: 0 }
    })
    expect(await said(owner)).toEqual([])
    await runJobs(built, owner.id)
    expect(await progress(call, importId)).toMatchObject({
      status: 'ready',
      done: 3,
      report: { conversations: 2, messages: 1_103 }
    })
    expect(await partsOf(owner)).toEqual([])
    const all = await said(owner)
    expect(all).toHaveLength(1_103)
    for (const [index, { content, answers }] of all
      .filter(({ content }) => content.startsWith('long'))
      .entries()) {
      expect([content, answers]).toEqual([`long says ${index}`, index ? `long says ${index - 1}` : null])
    }
    const { items } = (await call('POST', '/recall', { query: 'long says 777' })).data
    expect(items[0].text).toBe('long says 777')
    expect(await callAs(built, await built.register())('GET', `/imports/${importId}`)).toMatchObject({
      status: 404
    })
  })

  test('an export of many memories comes with all that joins them', async () => {
    const { house: built, owner, call } = await house()
    const bob = await built.register()
    const ids: string[] = []
    for (let index = 0; index < 120; index++) {
      ids.push(
        (await call('POST', '/memories', { text: `Hive number ${index} stands in row ${index}` })).data.id
      )
    }
    await call('POST', `/memories/${ids[0]}/merge`, { ids: [ids[119]] })
    await runJobs(built, owner.id)
    const file = (await call('GET', '/export')).data
    const asBob = callAs(built, bob)
    const { importId } = (await asBob('POST', '/import', file)).data
    await runJobs(built, bob.id)
    expect(await progress(asBob, importId)).toMatchObject({ status: 'ready', report: { memories: 120 } })
    expect((await asBob('GET', `/memories/${ids[119]}`)).data).toMatchObject({ supersededBy: ids[0] })
    const { rows } = await database().pool.query('SELECT kept FROM file_imports WHERE owner_id = $1', [
      bob.id
    ])
    expect(rows).toEqual([{ kept: [] }])
  })

  test('killed at any statement, before it or after, it goes on and doubles nothing', async () => {
    const { house: built, owner, call } = await house()
    const file = [conversation('first', 400), conversation('second', 400)]
    const { importId } = (await call('POST', '/import', file)).data
    const job = await importJob(built, owner)
    let kills = 0
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; at <= 12; at++) {
        if (await killedAt(database(), at, when, () => runJob(built, job))) kills++
      }
    }
    expect(kills).toBeGreaterThan(4)
    await runJob(built, job)
    await runJobs(built, owner.id)
    expect(await progress(call, importId)).toMatchObject({
      status: 'ready',
      done: 2,
      report: { conversations: 2, messages: 800 }
    })
    expect(new Set((await said(owner)).map(({ content }) => content)).size).toBe(800)
    expect(await said(owner)).toHaveLength(800)
  })

  test('what is not brought in within a day is removed, and says so', async () => {
    const { house: built, owner, call } = await house()
    const { importId } = (await call('POST', '/import', [conversation('old', 700)])).data
    const job = await importJob(built, owner)
    await database().pool.query(
      `UPDATE file_import_parts SET created_at = now() - interval '25 hours' WHERE owner_id = $1`,
      [owner.id]
    )
    await database().inSystem((tx) => deleteExpired(tx))
    expect(await partsOf(owner)).toEqual([])
    await runJob(built, job)
    expect(await progress(call, importId)).toMatchObject({ status: 'failed', done: 0, total: 2 })
  })

  test('forgetting reaches what is still on its way in', async () => {
    const { house: built, owner, call } = await house()
    const known = (await call('POST', '/memories', { text: BEES })).data
    await runJobs(built, owner.id)
    const file = (await call('GET', '/export')).data
    const filler = Array.from({ length: 150 }, (_, index) => ({
      ...file.memories[0],
      id: crypto.randomUUID(),
      text: `Hive number ${index} stands in row ${index}`,
      sources: [],
      history: []
    }))
    const talk = file.conversations
    talk.push({
      id: crypto.randomUUID(),
      title: 'Talk',
      memoryPaused: false,
      createdAt: new Date(START).toISOString(),
      updatedAt: new Date(START).toISOString(),
      messages: [
        {
          id: crypto.randomUUID(),
          parentId: null,
          role: 'user',
          name: null,
          content: `Hello. ${BEES} And you?`,
          model: null,
          createdAt: new Date(START).toISOString()
        }
      ]
    })
    const bob = await built.register()
    const asBob = callAs(built, bob)
    const own = (await asBob('POST', '/memories', { text: BEES })).data
    await runJobs(built, bob.id)
    const { importId } = (
      await asBob('POST', '/import', { ...file, memories: [...file.memories, ...filler] })
    ).data
    const job = await importJob(built, bob)
    expect(await asBob('DELETE', `/memories/${own.id}?purge=true`)).toMatchObject({ status: 204 })
    expect(JSON.stringify(await partsOf(bob))).not.toMatch(/keeps bees/)
    const [proof] = (await asBob('GET', '/memory-purges')).data.items
    expect(JSON.stringify(proof)).toContain('file_import_parts')
    await runJob(built, job)
    await runJobs(built, bob.id)
    expect(await progress(asBob, importId)).toMatchObject({ status: 'ready', report: { memories: 150 } })
    expect(await asBob('GET', `/memories/${known.id}`)).toMatchObject({ status: 404 })
    expect((await said(bob)).map(({ content }) => content).join()).not.toMatch(/keeps bees/)
  })
})
