import { expect, test } from 'vitest'
import { runJobs } from '../memory/jobs.ts'
import { describeEachDatabase } from '../support/database.ts'
import { setUp } from './talk.ts'

const BEES = 'My sister Ada keeps bees in Tromsø.'

describeEachDatabase('what is not to be remembered', (database) => {
  test('a conversation can pause remembering, while others go on', async () => {
    const { house, owner, call } = await setUp(database())
    const { data } = await call('POST', '/conversations', { title: 'Quiet' })
    expect((await call('PATCH', `/conversations/${data.id}`, { memoryPaused: true })).data).toEqual({
      ...data,
      memoryPaused: true
    })
    const said = (await call('POST', '/chat', { message: BEES, conversationId: data.id })).data.message
      .parentId
    const learnt = async () => (await call('GET', `/messages/${said}/memories`)).data
    expect(await learnt()).toEqual({ pending: false, items: [] })
    // What was said meanwhile is not caught up on, also where its job runs only now; and nobody waits for it.
    await call('PATCH', `/conversations/${data.id}`, { memoryPaused: false })
    expect(await learnt()).toEqual({ pending: false, items: [] })
    await runJobs(house, owner.id)
    expect((await call('GET', '/memories')).data.items).toEqual([])
    await call('POST', '/chat', { message: 'My brother Bob breeds goats.' })
    await runJobs(house, owner.id)
    expect((await call('GET', '/memories')).data.items).toHaveLength(1)
  })

  test('what was said before a pause that its job runs in is not waited for afterwards', async () => {
    const { house, owner, call } = await setUp(database())
    const said = (await call('POST', '/chat', { message: BEES })).data.message.parentId
    const pending = async () => (await call('GET', `/messages/${said}/memories`)).data.pending
    expect(await pending()).toBe(true)
    await call('PATCH', '/me', { memoryPaused: true })
    await runJobs(house, owner.id)
    await call('PATCH', '/me', { memoryPaused: false })
    expect(await pending()).toBe(false)
    expect((await call('GET', '/memories')).data.items).toEqual([])
  })

  test('a temporary chat is in no list, can be read by whoever began it, and is gone a day after its last word', async () => {
    const { house, call } = await setUp(database())
    const temporary = (await call('POST', '/chat', { message: BEES, temporary: true })).data.conversationId
    const kept = (await call('POST', '/chat', { message: BEES })).data.conversationId
    const listed = async () =>
      (await call('GET', '/conversations')).data.items.map(({ id }: { id: string }) => id)
    expect(await listed()).toEqual([kept])
    expect((await call('GET', `/conversations/${temporary}/messages`)).data.items).toHaveLength(2)
    const tidy = () => house.services.jobs['house.delete-expired']({}, new AbortController().signal)
    const age = (hours: number) =>
      database().pool.query(`UPDATE conversations SET updated_at = now() - make_interval(hours => $1)`, [
        hours
      ])
    await age(23)
    await tidy()
    expect((await call('GET', `/conversations/${temporary}`)).status).toBe(200)
    await age(25)
    await tidy()
    expect((await call('GET', `/conversations/${temporary}`)).status).toBe(404)
    expect(await listed()).toEqual([kept])
  })
})
