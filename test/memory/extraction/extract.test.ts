import { expect, test } from 'vitest'
import type { Memory } from '../../../src/memory/schemas.ts'
import { setUp } from '../../chat/talk.ts'
import type { ScriptedStep } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJob, runJobs, takeJobs } from '../jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'
const SAID = `Hello! ${BEES} Do you like bees?`

describeEachDatabase('learning from what was said, by rules', (database) => {
  async function talk(reply: ScriptedStep[] = ['I live in Paris. My name is Bob.']) {
    const { house, owner, call } = await setUp(database(), reply)
    return {
      house,
      owner,
      call,
      say: async (message: string, more: object = {}) =>
        (await call('POST', '/chat', { message, ...more })).data,
      learn: () => runJobs(house, owner.id),
      memories: async (): Promise<Memory[]> => (await call('GET', '/memories')).data.items,
      async extraction() {
        const job = (await takeJobs(database(), owner.id)).find(({ name }) => name === 'memory.extract')
        if (!job) throw new Error('There is no job to extract')
        return job
      },
      async proofs(): Promise<number[]> {
        const { rows } = await database().pool.query(
          'SELECT proof_count AS proofs FROM memories WHERE owner_id = $1',
          [owner.id]
        )
        return rows.map(({ proofs }) => proofs)
      }
    }
  }

  test('a plain fact becomes a memory that cites the message and the words in it', async () => {
    const { say, learn, memories, call } = await talk()
    const { conversationId } = await say(SAID)
    await learn()
    const { items: messages } = (await call('GET', `/conversations/${conversationId}/messages`)).data
    expect(await memories()).toMatchObject([
      {
        text: BEES,
        category: 'relationship',
        status: 'active',
        sources: [
          {
            kind: 'message',
            messageId: messages[0].id,
            conversationId,
            quote: BEES,
            quoteStart: SAID.indexOf(BEES),
            saidBy: 'owner',
            saidAt: messages[0].createdAt
          }
        ]
      }
    ])
  })

  test('what the assistant says is never learnt', async () => {
    const { say, learn, memories } = await talk()
    await say('Where do you live?')
    await learn()
    expect(await memories()).toEqual([])
  })

  test('a job that runs twice, or twice at once, learns once', async () => {
    const { house, say, extraction, memories, proofs } = await talk()
    await say(SAID)
    const job = await extraction()
    await Promise.all([runJob(house, job), runJob(house, job), runJob(house, job)])
    await runJob(house, job)
    expect(await memories()).toHaveLength(1)
    expect((await memories())[0]?.sources).toHaveLength(1)
    expect(await proofs()).toEqual([1])
  })

  test('a job that dies while it writes has written nothing, and the next try writes all', async () => {
    const { house, say, extraction, memories } = await talk()
    await say('My sister Ada keeps bees. My brother Bob breeds goats.')
    const job = await extraction()
    await database().pool.query(
      `ALTER TABLE memories ADD CONSTRAINT no_goats CHECK (text NOT LIKE '%goats%') NOT VALID`
    )
    await expect(runJob(house, job)).rejects.toThrow()
    await database().pool.query('ALTER TABLE memories DROP CONSTRAINT no_goats')
    expect(await memories()).toEqual([])
    await runJob(house, job)
    expect((await memories()).map(({ text }) => text).sort()).toEqual([
      'My brother Bob breeds goats.',
      'My sister Ada keeps bees.'
    ])
  })

  test('the same fact said again is proof and a source, not another memory', async () => {
    const { say, learn, memories, proofs } = await talk()
    for (const message of [BEES, BEES.toUpperCase(), `I know. ${BEES}`]) await say(message)
    await say(`${BEES} ${BEES}`)
    await learn()
    const [memory, ...others] = await memories()
    expect(others).toEqual([])
    expect(memory?.sources).toHaveLength(4)
    expect(new Set(memory?.sources.map(({ messageId }) => messageId)).size).toBe(4)
    expect(await proofs()).toEqual([4])
  })

  test('answering a message once more does not learn from it once more', async () => {
    const { call, say, learn, proofs } = await talk()
    const { message } = await say(SAID)
    await learn()
    expect((await call('POST', `/messages/${message.id}/regenerate`)).data.status).toBe('completed')
    await learn()
    expect(await proofs()).toEqual([1])
  })

  test('what is learnt is found by its words and its meaning', async () => {
    const { call, say, learn } = await talk()
    await say(SAID)
    await learn()
    const { items } = (await call('POST', '/memories/search', { query: 'Where does my sister keep bees?' }))
      .data
    expect(items[0]).toMatchObject({ memory: { text: BEES }, matchedBy: ['vector', 'lexical'] })
  })

  test('a turn that failed or was stopped was said all the same', async () => {
    const { say, learn, memories } = await talk([new Error('The model is down')])
    expect((await say(SAID)).status).toBe('failed')
    await learn()
    expect(await memories()).toHaveLength(1)
  })

  test('while memory is paused nothing is learnt, neither then nor later', async () => {
    const { call, say, learn, memories } = await talk()
    await call('PATCH', '/me', { memoryPaused: true })
    await say(SAID)
    await say('Remember that the gate code is 4711.')
    await learn()
    expect(await memories()).toEqual([])
    await call('PATCH', '/me', { memoryPaused: false })
    await learn()
    expect(await memories()).toEqual([])
    await say('My locker code is 1234.')
    await learn()
    expect((await memories()).map(({ text }) => text)).toEqual(['My locker code is 1234.'])
  })

  test('memory that is paused before the job runs learns nothing from what was said before', async () => {
    const { call, say, learn, memories } = await talk()
    await say(SAID)
    await call('PATCH', '/me', { memoryPaused: true })
    await learn()
    expect(await memories()).toEqual([])
  })

  test('a temporary chat leaves nothing to learn from, to find or to recall', async () => {
    const { owner, call, say, learn, memories } = await talk()
    const { conversationId } = await say(SAID, { temporary: true })
    await say('My locker code is 4711.', { conversationId })
    await learn()
    expect(await memories()).toEqual([])
    for (const query of ['Ada bees Tromsø', 'locker code', 'Paris']) {
      expect((await call('POST', '/recall', { query })).data.items, query).toEqual([])
    }
    for (const table of [
      'memories',
      'memory_terms',
      'message_terms',
      'memory_vectors',
      'message_vectors',
      'term_counts'
    ]) {
      const { rows } = await database().pool.query(
        `SELECT count(*)::int AS rows FROM ${table} WHERE owner_id = $1`,
        [owner.id]
      )
      expect(rows[0].rows, table).toBe(0)
    }
  })

  test('a conversation that is deleted before the job runs leaves nothing', async () => {
    const { call, say, learn, memories } = await talk()
    const { conversationId } = await say(SAID)
    await call('DELETE', `/conversations/${conversationId}`)
    await learn()
    expect(await memories()).toEqual([])
  })

  test('a conversation that is deleted later leaves what was learnt, which still says in which words', async () => {
    const { call, say, learn, memories } = await talk()
    const { conversationId } = await say(SAID)
    await learn()
    await call('DELETE', `/conversations/${conversationId}`)
    const [memory] = await memories()
    expect(memory).toMatchObject({
      text: BEES,
      sources: [{ messageId: null, conversationId: null, quote: BEES }]
    })
  })

  test('what the owner has forgotten is learnt again only when it is said again', async () => {
    const { call, say, learn, memories } = await talk()
    await say(SAID)
    await learn()
    await call('DELETE', `/memories/${(await memories())[0]?.id}`)
    await learn()
    expect(await memories()).toEqual([])
    await say(SAID)
    await learn()
    expect(await memories()).toHaveLength(1)
  })
})
