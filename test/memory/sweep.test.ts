import { expect, onTestFinished, test } from 'vitest'
import { createLlm } from '../../src/llm/create-llm.ts'
import { callAs } from '../chat/talk.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { type ScriptedReply, startScriptedOpenAi } from '../support/scripted-openai.ts'
import { runJob, takeJobs } from './jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'
const HOUR = 3_600_000
const REFUSED: ScriptedReply = { status: 401, body: { error: { message: 'no such key' } } }

describeEachDatabase('the sweep of what the queue gave up', (database) => {
  /** A house whose model refuses everything while it is down, and an owner who said and wrote something then. */
  async function afterAnOutage() {
    let isDown = true
    const openai = await startScriptedOpenAi({
      reply: ({ body }) => {
        if (!body.response_format) return 'Nice.'
        return isDown ? REFUSED : '{"facts":[]}'
      }
    })
    onTestFinished(() => openai.close())
    const llm = await createLlm({
      openAiBaseUrl: openai.baseUrl,
      chatModel: 'scripted',
      embeddingModel: 'scripted-embedding',
      embeddingDimensions: 64
    })
    let now = Date.now()
    const house = await buildTestApp(database(), { llm, now: () => new Date(now) })
    onTestFinished(() => house.close())
    const owner = await house.register()
    const call = callAs(house, owner)
    await call('POST', '/chat', { message: BEES })
    await call('POST', '/memories', { text: BEES })
    for (const job of await takeJobs(database(), owner.id)) {
      if (job.name === 'memory.index') openai.scriptEmbeddings(REFUSED)
      await expect(runJob(house, job)).rejects.toMatchObject({ code: 'PAI_MODEL_REFUSED' })
    }
    const vectors = async () => {
      const { rows } = await database().pool.query(
        `SELECT (SELECT count(*) FROM memory_vectors WHERE owner_id = $1)::int AS memories,
                (SELECT count(*) FROM message_vectors WHERE owner_id = $1)::int AS messages`,
        [owner.id]
      )
      return rows[0]
    }
    return {
      house,
      owner,
      call,
      vectors,
      failing: async () => (await call('GET', '/memory-extractions')).data.items,
      end() {
        isDown = false
      },
      pass(hours: number) {
        now += hours * HOUR
      },
      async swept() {
        await house.services.jobs['memory.sweep-unfinished']({}, new AbortController().signal)
        return takeJobs(database(), owner.id)
      }
    }
  }

  test('what failed is asked for again once nobody is at it any more, until it is done', async () => {
    const { house, vectors, failing, end, pass, swept } = await afterAnOutage()
    expect(await failing()).toMatchObject([{ status: 'failing', errorCode: 'PAI_MODEL_REFUSED' }])
    expect(await vectors()).toEqual({ memories: 0, messages: 0 })
    expect(await swept()).toEqual([])
    pass(2)
    end()
    const jobs = await swept()
    expect(jobs.map(({ name }) => name).toSorted()).toEqual([
      'memory.extract',
      'memory.index',
      'memory.index'
    ])
    for (const job of jobs) await runJob(house, job)
    expect(await failing()).toEqual([])
    expect(await vectors()).toEqual({ memories: 1, messages: 2 })
    pass(24)
    expect(await swept()).toEqual([])
  })

  test('what fails on and on is left alone for longer and longer, and what is parked for good', async () => {
    const { owner, failing, pass, swept } = await afterAnOutage()
    const extractions = async () => (await swept()).filter(({ name }) => name === 'memory.extract').length
    const set = (columns: string) =>
      database().pool.query(`UPDATE memory_extractions SET ${columns} WHERE owner_id = $1`, [owner.id])
    await set('attempts = 40')
    pass(3)
    expect(await extractions()).toBe(0)
    pass(2)
    expect(await extractions()).toBe(1)
    expect(await extractions()).toBe(0)
    await set('attempts = 100000')
    pass(25)
    expect(await extractions()).toBe(1)
    await set(`status = 'parked'`)
    pass(25)
    expect(await extractions()).toBe(0)
    expect(await failing()).toMatchObject([{ status: 'parked' }])
  })

  test('a change of the embedding model that stands still goes on', async () => {
    const { owner, pass, swept } = await afterAnOutage()
    const changes = async () => (await swept()).filter(({ name }) => name === 'memory.reembed').length
    await database().pool.query(
      `INSERT INTO vector_models (owner_id, model, next_model) VALUES ($1, 'old', 'new')
       ON CONFLICT (owner_id) DO UPDATE SET model = 'old', next_model = 'new'`,
      [owner.id]
    )
    expect(await changes()).toBe(0)
    pass(2)
    expect(await changes()).toBe(1)
    expect(await changes()).toBe(0)
  })
})
