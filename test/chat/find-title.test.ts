import { expect, test } from 'vitest'
import { ModelUnreadable } from '../../src/llm/errors.ts'
import type { StructuredModel } from '../../src/llm/model.ts'
import { runJob, runJobs, takeJobs } from '../memory/jobs.ts'
import { describeEachDatabase } from '../support/database.ts'
import { setUp } from './talk.ts'

const USAGE = { inputTokens: 1, outputTokens: 1, cachedTokens: 0 }

describeEachDatabase('a title', (database) => {
  /** A house whose model gives these titles; what else it is asked for is nothing. */
  async function titling(give: (user: string) => unknown, script: Parameters<typeof setUp>[1] = ['Noted.']) {
    const asked: string[] = []
    const structured: StructuredModel = {
      id: 'scripted:structured',
      async complete({ name, user }) {
        if (name !== 'title') return { value: { facts: [] }, usage: USAGE }
        asked.push(user)
        const value = await give(user)
        if (value instanceof Error) throw value
        return { value, usage: USAGE }
      }
    }
    const { house, owner, call } = await setUp(database(), script, { llm: { structured } })
    const titleJobs = async () =>
      (await takeJobs(database(), owner.id)).filter(({ name }) => name === 'conversations.title')
    return {
      house,
      asked,
      call,
      titleJobs,
      begin: async (message: string, more = {}): Promise<string> =>
        (await call('POST', '/chat', { message, ...more })).data.conversationId,
      work: async () => {
        for (const job of await titleJobs()) await runJob(house, job)
      },
      titleOf: async (id: string): Promise<string> => (await call('GET', `/conversations/${id}`)).data.title
    }
  }

  test('is found by the model once a first reply is there, and asked for once', async () => {
    const { begin, work, titleOf, titleJobs, call, asked } = await titling(() => ({
      title: ' “Bees in winter.” '
    }))
    const id = await begin('How do bees live through a winter in Tromsø?')
    expect(await titleOf(id)).toBe('How do bees live through a winter in Tromsø?')
    await work()
    expect(await titleOf(id)).toBe('Bees in winter')
    expect(asked).toEqual(['user: How do bees live through a winter in Tromsø?\n\nassistant: Noted.'])
    await call('POST', '/chat', { message: 'And hens?', conversationId: id })
    expect(await titleJobs()).toEqual([])
  })

  test('that its owner gave is never replaced', async () => {
    const { begin, work, titleOf, titleJobs, call } = await titling(() => ({ title: 'Bees' }))
    const renamed = await begin('One')
    await call('PATCH', `/conversations/${renamed}`, { title: 'Mine' })
    await work()
    expect(await titleOf(renamed)).toBe('Mine')
    const { id } = (await call('POST', '/conversations', { title: 'Mine too' })).data
    const messages = [{ role: 'user', content: 'Hi', createdAt: '2026-01-01T00:00:00Z' }]
    const imported = await call('POST', '/conversations/import', { title: 'Brought', messages })
    for (const conversationId of [id, imported.data.conversationId]) await begin('Two', { conversationId })
    expect(await titleJobs()).toEqual([])
  })

  test('is not looked for in a temporary chat, nor before a reply is there', async () => {
    const { begin, titleJobs } = await titling(
      () => ({ title: 'Bees' }),
      ({ messages }) => (messages.at(-1)?.content === 'Fail' ? [new Error('down')] : ['Noted.'])
    )
    await begin('Hi', { temporary: true })
    const conversationId = await begin('Fail')
    expect(await titleJobs()).toEqual([])
    await begin('Again', { conversationId })
    expect(await titleJobs()).toHaveLength(1)
  })

  test.each([
    ['none', { title: '  ' }],
    ['another shape', { name: 'Bees' }],
    ['prose', new ModelUnreadable('scripted:structured')]
  ])('the first words stay where the model gives %s, and it is not asked again', async (_name, value) => {
    const { begin, work, titleOf, titleJobs, asked } = await titling(() => value)
    const conversationId = await begin('Hello there')
    await work()
    await begin('And more', { conversationId })
    expect(await titleOf(conversationId)).toBe('Hello there')
    expect([await titleJobs(), asked.length]).toEqual([[], 1])
  })

  test('a model that is away fails the job, which the queue tries again', async () => {
    const { house, begin, titleJobs, titleOf } = await titling(() => new Error('away'))
    const id = await begin('Hello there')
    const [job] = await titleJobs()
    await expect(job && runJob(house, job)).rejects.toThrow('away')
    expect(await titleOf(id)).toBe('Hello there')
  })

  test('does not hold what was forgotten while the model thought', async () => {
    const { begin, work, asked, call } = await titling(async (user) => {
      if (user.includes('bees')) await call('DELETE', `/memories/${memory.data.id}`)
      return { title: user.includes('bees') ? 'Ada keeps bees' : 'A greeting' }
    })
    const memory = await call('POST', '/memories', { text: 'Ada keeps bees' })
    const id = await begin('Good morning. Ada keeps bees')
    await work()
    expect(asked).toHaveLength(2)
    // What is shown until the purge is made from the first words.
    const { rows } = await database().pool.query('SELECT title FROM conversations WHERE id = $1', [id])
    expect(rows).toEqual([{ title: 'A greeting' }])
  })

  test('by a model goes with what was forgotten, and is found again from what is left', async () => {
    const { house, begin, work, titleOf, call } = await titling((user) => ({
      title: user.includes('bees') ? 'Ada and her hives' : 'A fine morning'
    }))
    const id = await begin('Good morning. Ada keeps bees')
    await work()
    const memory = await call('POST', '/memories', { text: 'Ada keeps bees' })
    await call('DELETE', `/memories/${memory.data.id}?purge=true`)
    expect(await titleOf(id)).not.toMatch(/Ada|hives|bees/)
    await begin('Rain today', { conversationId: id })
    await work()
    expect(await titleOf(id)).toBe('A fine morning')
    expect(house.failures).toEqual([])
  })

  test('is its first words, for good, where no model is', async () => {
    const { house, owner, call } = await setUp(database())
    const { conversationId } = (await call('POST', '/chat', { message: 'Hello there' })).data
    await runJobs(house, owner.id)
    expect((await call('GET', `/conversations/${conversationId}`)).data.title).toBe('Hello there')
  })
})
