import { expect, test } from 'vitest'
import { setUp } from '../../chat/talk.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJobs } from '../jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'

describeEachDatabase('what is forgotten, until it is purged', (database) => {
  test('is shown nowhere from then on, and everywhere again once that is undone', async () => {
    const { house, owner, call } = await setUp(database(), ({ sources }) => [
      sources.length > 0 ? `It is Ada who keeps the bees [${sources[0]?.index}]. Good night.` : 'I see.'
    ])
    const say = async (message: string, more: object = {}) =>
      (await call('POST', '/chat', { message, ...more }, { 'idempotency-key': crypto.randomUUID() })).data
    const { conversationId } = await say(BEES)
    await runJobs(house, owner.id)
    const { turnId, ...answered } = await say('Who keeps bees?', { conversationId })
    expect(answered.memoriesUsed).toMatchObject([{ text: BEES }])

    const shown = async () =>
      Promise.all(
        [
          '/conversations',
          `/conversations/${conversationId}`,
          `/conversations/${conversationId}/messages`,
          `/conversations/${conversationId}/export?format=json`,
          `/conversations/${conversationId}/export?format=markdown`,
          `/turns/${turnId}`,
          '/export?format=json',
          '/export?format=markdown',
          '/memories'
        ].map(async (path) => [path, (await call('GET', path)).text] as const)
      )
    const before = await shown()
    expect(before.filter(([, text]) => !/keeps (?:the )?bees/.test(text))).toEqual([])

    const { items } = (await call('GET', '/memories')).data
    await call('DELETE', `/memories/${items[0].id}`)
    const hidden = await shown()
    expect(hidden.filter(([, text]) => /bees in|the bees|Tromsø/.test(text))).toEqual([])
    expect(hidden.find(([path]) => path.endsWith('/messages'))?.[1]).toContain('[forgotten] Good night.')

    await call('POST', `/memories/${items[0].id}/undo`)
    const again = await shown()
    expect(again.filter(([, text]) => !/keeps (?:the )?bees/.test(text))).toEqual([])
  })

  test('is shown where it is told again', async () => {
    const { house, owner, call } = await setUp(database(), ['I see.'])
    const { conversationId } = (await call('POST', '/chat', { message: BEES })).data
    await runJobs(house, owner.id)
    const { items } = (await call('GET', '/memories')).data
    await call('DELETE', `/memories/${items[0].id}`)
    await call('POST', '/chat', { message: BEES, conversationId })
    const messages = (await call('GET', `/conversations/${conversationId}/messages`)).data.items
    expect(messages.map(({ content }: { content: string }) => content)).toEqual([
      '[forgotten]',
      'I see.',
      BEES,
      'I see.'
    ])
  })
})
