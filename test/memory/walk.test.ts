import { expect, onTestFinished, test } from 'vitest'
import { callAs, setUp } from '../chat/talk.ts'
import { buildTestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { everyWordOf } from './every-word.ts'
import { runJobs } from './jobs.ts'

describeEachDatabase('a fact’s whole life', (database) => {
  test('what was taken for a change and was none is true again when that is undone', async () => {
    const { house, owner, call } = await setUp(database())
    for (const [content, createdAt] of [
      ['I live in Oslo.', '2026-03-05T10:00:00Z'],
      ['I live in Bergen now.', '2026-06-15T10:00:00Z']
    ]) {
      const body = { messages: [{ role: 'user', content, createdAt }], extract: true }
      await call('POST', '/conversations/import', body)
      await runJobs(house, owner.id)
    }
    const find = async () =>
      (await call('GET', '/memories')).data.items.find(({ text }: { text: string }) => text.includes('Oslo'))
    const superseded = await find()
    expect(superseded).toMatchObject({ status: 'superseded', validTo: '2026-06-15T10:00:00.000Z' })
    const { data } = await call('POST', `/memories/${superseded.id}/undo`)
    expect(data).toMatchObject({ status: 'active', validTo: null, supersededBy: null })
    expect(await find()).toEqual(data)
  })

  test('who moved is told without a model where to, and as of before where from', async () => {
    const house = await buildTestApp(database())
    onTestFinished(() => house.close())
    const owner = await house.register()
    const call = callAs(house, owner)
    const ask = async (message: string) => (await call('POST', '/chat', { message })).data.message.content
    await ask('I live in Oslo.')
    await runJobs(house, owner.id)
    const before = new Date().toISOString()
    await ask('I moved from Oslo to Bergen.')
    await runJobs(house, owner.id)
    const answer = await ask('Where do I live?')
    expect(answer).toMatch(/^You told me on .*Bergen/)
    expect(answer).not.toContain('I live in Oslo')
    const recall = { query: 'Where do I live?', kinds: ['memory'], asOf: before }
    const { items } = (await call('POST', '/recall', recall)).data
    expect(items).toMatchObject([{ text: 'I live in Oslo.', status: 'superseded' }])
  })

  test('told in March, corrected in June, asked as of April and now, forgotten in July, proven gone', async () => {
    let now = new Date('2026-06-20T12:00:00Z')
    const { house, owner, call } = await setUp(database(), ({ sources }) => [sources[0]?.text ?? 'I see.'], {
      now: () => now
    })
    const tell = async (content: string, createdAt: string) => {
      const body = { messages: [{ role: 'user', content, createdAt }], extract: true }
      const { data } = await call('POST', '/conversations/import', body)
      await runJobs(house, owner.id)
      return data.conversationId as string
    }
    const recalled = async (query: object): Promise<string[]> =>
      (await call('POST', '/recall', { kinds: ['memory'], ...query })).data.items.map(
        ({ text }: { text: string }) => text
      )
    const QUERY = 'Where do I live?'
    const tells = (text: string) => /I live in|Bergen|Oslo/i.test(text)

    // Told in March.
    const told = await tell('I live in Oslo. I love skiing.', '2026-03-05T10:00:00Z')
    expect(await recalled({ query: QUERY })).toEqual([expect.stringContaining('Oslo')])

    // Corrected in June.
    const corrected = await tell('I live in Bergen now.', '2026-06-15T10:00:00Z')
    expect(await recalled({ query: QUERY })).toEqual([expect.stringContaining('Bergen')])
    expect(await recalled({ query: QUERY, asOf: '2026-04-10T00:00:00Z' })).toEqual([
      expect.stringContaining('Oslo')
    ])
    const { items } = (await call('GET', '/memories')).data
    const current = items.find(
      ({ text, status }: { text: string; status: string }) => status === 'active' && text.includes('Bergen')
    )
    const { data: why } = await call('GET', `/memories/${current.id}/why`)
    expect(why.sources).toMatchObject([{ conversationId: corrected, saidAt: '2026-06-15T10:00:00.000Z' }])

    // Asked in a chat, which quotes it.
    const { data: turn } = await call('POST', '/chat', { message: QUERY })
    expect(turn.memoriesUsed).toMatchObject([{ id: current.id }])
    expect(turn.message.content).toContain('Bergen')
    expect((await call('POST', '/recall', { query: QUERY })).data.items[0]).toMatchObject({
      id: current.id,
      at: '2026-06-15T10:00:00.000Z',
      status: 'active'
    })

    expect((await everyWordOf(database(), owner.id)).filter(tells).length).toBeGreaterThan(20)

    // Forgotten in July: what it replaced is its history, and goes with it.
    now = new Date('2026-07-01T12:00:00Z')
    await call('DELETE', `/memories/${current.id}`)
    expect(await recalled({ query: QUERY })).toEqual([])
    expect(await recalled({ query: QUERY, asOf: '2026-04-10T00:00:00Z' })).toEqual([])
    now = new Date('2026-07-01T12:10:01Z')
    await runJobs(house, owner.id)

    // Proven gone, by the product and by looking everywhere.
    const { items: proofs } = (await call('GET', '/memory-purges')).data
    expect(proofs.map(({ id }: { id: string }) => id)).toContain(current.id)
    for (const { checked } of proofs) {
      expect(checked.filter(({ found }: { found: number }) => found > 0)).toEqual([])
    }
    const words = await everyWordOf(database(), owner.id)
    expect(words.filter(tells)).toEqual([])
    // And nothing else is.
    expect((await call('GET', '/memories')).data.items).toMatchObject([
      { text: expect.stringContaining('ski') }
    ])
    for (const id of [told, corrected]) {
      const [message] = (await call('GET', `/conversations/${id}/messages`)).data.items
      expect(message.content).toContain('[forgotten]')
    }
    expect(house.failures).toEqual([])
  })
})
