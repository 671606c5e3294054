import { expect, test } from 'vitest'
import type { Memory } from '../../../src/memory/schemas.ts'
import { keepMemory } from '../../../src/memory/store.ts'
import { setUp } from '../../chat/talk.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { everyWordOf } from '../every-word.ts'
import { runJob, takeJobs } from '../jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'
const GOATS = 'My brother Bob breeds goats.'
const MINUTE = 60_000

describeEachDatabase('forgetting', (database) => {
  /** A house whose clock the test moves, with a model that repeats what it is told of. */
  async function talk() {
    let time = Date.parse('2026-07-01T12:00:00Z')
    const { house, owner, call, model } = await setUp(
      database(),
      ({ sources }) =>
        sources.length > 0
          ? [
              `As you said, ${sources[0]?.text}`,
              ' So your sister Ada has bees in Tromsø [1]. ',
              'Good night.'
            ]
          : ['Noted.'],
      { now: () => new Date(time) }
    )
    const say = async (message: string, more: object = {}) =>
      (await call('POST', '/chat', { message, ...more }, { 'idempotency-key': crypto.randomUUID() })).data
    /** Runs every job that waits but the finding of facts: these tests say themselves what is learnt from what. */
    async function work(): Promise<void> {
      for (let jobs = await takeJobs(database(), owner.id); jobs.length > 0; ) {
        for (const job of jobs) if (job.name !== 'memory.extract') await runJob(house, job)
        jobs = await takeJobs(database(), owner.id)
      }
    }
    /** Keeps facts as they stand in the message that told them. */
    async function learn(messageId: string, ...facts: string[]): Promise<string[]> {
      const { content, createdAt } = await findMessage(messageId)
      const ids: string[] = []
      for (const text of facts) {
        const source = {
          kind: 'message' as const,
          messageId,
          quote: text,
          quoteStart: content.indexOf(text),
          saidBy: 'owner' as const,
          saidAt: createdAt
        }
        const memory = { text, category: 'fact', importance: 0.5 }
        ids.push(await database().inOwner(owner.id, (tx) => keepMemory(tx, owner.id, memory, source)))
      }
      await database().inOwner(owner.id, (tx) =>
        house.services.queue.enqueue(tx, 'memory.index', {
          ownerId: owner.id,
          memoryIds: ids,
          messageIds: []
        })
      )
      await work()
      return ids
    }
    async function findMessage(id: string): Promise<{ content: string; createdAt: Date }> {
      const { rows } = await database().pool.query(
        'SELECT content, created_at AS "createdAt" FROM messages WHERE owner_id = $1 AND id = $2',
        [owner.id, id]
      )
      return rows[0]
    }
    const list = async (): Promise<Memory[]> => (await call('GET', '/memories')).data.items
    return {
      house,
      owner,
      call,
      model,
      say,
      learn,
      work,
      list,
      pass(minutes: number): void {
        time += minutes * MINUTE
      },
      one: async (text: string) => (await list()).find((memory) => memory.text === text) as Memory,
      remember: async (text: string): Promise<Memory> => (await call('POST', '/memories', { text })).data,
      recall: async (query: string): Promise<string[]> =>
        (await call('POST', '/recall', { query, kinds: ['memory', 'message'] })).data.items.map(
          ({ text }: { text: string }) => text
        ),
      words: () => everyWordOf(database(), owner.id)
    }
  }

  test('hides it at once, wherever it would be found', async () => {
    const { say, learn, work, call, list, recall, model } = await talk()
    const { conversationId, message } = await say(`Hello! ${BEES} ${GOATS}`)
    const [id] = await learn(message.parentId, BEES, GOATS)
    await say('What does my sister Ada keep?')
    await work()
    expect((await recall('Ada bees')).length).toBeGreaterThan(0)

    expect((await call('DELETE', `/memories/${id}`)).status).toBe(204)
    expect((await list()).map(({ text }) => text)).toEqual([GOATS])
    expect((await call('GET', `/memories/${id}`)).status).toBe(404)
    expect((await call('GET', `/memories/${id}/why`)).status).toBe(404)
    expect((await call('GET', `/memories/${id}/history`)).status).toBe(404)
    expect((await call('DELETE', `/memories/${id}`)).status).toBe(404)
    expect((await recall('Ada bees Tromsø')).filter((text) => text.includes('bees'))).toEqual([])
    await say('Where does Ada keep bees?')
    expect(JSON.stringify(model.asked.at(-1))).not.toContain('Tromsø')
    await say('And what else?', { conversationId })
    // What follows a message makes it be indexed once more, though not now.
    await work()
    expect((await recall('Ada bees Tromsø')).filter((text) => text.includes('keeps bees'))).toEqual([])
    expect(JSON.stringify(model.asked.at(-1))).not.toContain('Tromsø')
  })

  test('can be undone for ten minutes, and then everything is as it was', async () => {
    const { say, learn, work, one, call, recall, pass, list } = await talk()
    const { message } = await say(`Hello! ${BEES}`)
    await learn(message.parentId, BEES)
    await say('What does Ada keep?')
    await work()
    const before = await one(BEES)
    const found = await recall('Ada bees Tromsø')
    await call('DELETE', `/memories/${before.id}`)
    pass(9)
    expect((await call('POST', `/memories/${before.id}/undo`)).data).toEqual(before)
    await work()
    expect(await recall('Ada bees Tromsø')).toEqual(found)
    pass(60)
    await work()
    expect(await list()).toEqual([before])

    await call('DELETE', `/memories/${before.id}`)
    pass(11)
    expect((await call('POST', `/memories/${before.id}/undo`)).data.code).toBe('PAI_MEMORY_NOTHING_TO_UNDO')
  })

  test('leaves nothing of it in any table, keeps the rest, and proves it', async () => {
    const { house, owner, say, learn, work, one, call, pass, words, list, recall } = await talk()
    const { conversationId, message } = await say(`${BEES} ${GOATS}`)
    await learn(message.parentId, BEES, GOATS)
    await say('What does my sister Ada keep in Tromsø?')
    await say('my SISTER Ada -- keeps bees, in Tromsø!')
    await call('POST', '/memories', { text: BEES }, { 'idempotency-key': 'once' })
    await call('PATCH', '/me', { instructions: `Remember: ${BEES}` })
    await work()
    const { id } = await one(BEES)
    expect((await words()).join('\n')).toMatch(/bees/)
    await call('DELETE', `/memories/${id}`)
    pass(11)
    await house.services.purge(owner.id, id)
    await work()

    const left = (await words()).filter((text) => /sister\W+ada\W+(keeps|has)\W+bees/i.test(text))
    expect(left).toEqual([])
    expect((await words()).filter((text) => text.includes(id) && !text.includes('memoryId'))).toEqual([id])
    expect((await list()).map(({ text }) => text)).toEqual([GOATS])
    const [goats] = await list()
    const { items } = (await call('GET', `/conversations/${conversationId}/messages`)).data
    expect(items[0].content).toBe(`[forgotten] ${GOATS}`)
    const [{ quote, quoteStart }] = (goats as Memory).sources as [Memory['sources'][number]]
    expect(items[0].content.slice(quoteStart ?? 0, (quoteStart ?? 0) + quote.length)).toBe(quote)
    expect(quote).toBe(GOATS)
    expect((await call('GET', `/conversations/${conversationId}`)).data.title).not.toMatch(/bees/)
    expect((await recall('Bob goats')).length).toBeGreaterThan(0)

    const proof = (await call('GET', '/memory-purges')).data.items
    expect(proof).toMatchObject([{ id }])
    const places: { place: string; looked: number; found: number }[] = proof[0].checked
    expect(places.length).toBeGreaterThan(30)
    expect(places.filter(({ found }) => found > 0)).toEqual([])
    expect(places.find(({ place }) => place === 'public.messages')?.looked).toBeGreaterThan(4)
    expect(house.failures).toEqual([])
  })

  test('at once when asked for, and what is said again is learnt again', async () => {
    const { say, learn, work, call, words, list } = await talk()
    const { message } = await say(BEES)
    const [id] = await learn(message.parentId, BEES)
    expect((await call('DELETE', `/memories/${id}?purge=true`)).status).toBe(204)
    expect((await words()).filter((text) => /bees/.test(text))).toEqual([])
    expect((await call('POST', `/memories/${id}/undo`)).status).toBe(404)
    await work()
    expect(await list()).toEqual([])
    const again = await say(BEES)
    await learn(again.message.parentId, BEES)
    expect((await list()).map(({ text }) => text)).toEqual([BEES])
  })
})
