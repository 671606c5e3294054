import { expect, test } from 'vitest'
import { runJobs } from '../memory/jobs.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { setUp } from './talk.ts'

const NOBODY = '01900000-0000-7000-8000-000000000000'

describeEachDatabase('an edited message', (database) => {
  async function talking() {
    const set = await setUp(database(), ({ messages }) => [`to ${messages.at(-1)?.content}`])
    const say = async (message: string, more = {}) =>
      (await set.call('POST', '/chat', { message, ...more })).data
    const tree = async (id: string) => (await set.call('GET', `/conversations/${id}/messages`)).data.items
    return { ...set, say, tree }
  }

  test('is a branch beside the old one, and its prompt reads nothing of the other', async () => {
    const { model, say, tree } = await talking()
    const { conversationId, message: first } = await say('One')
    const { message: second } = await say('Two', { conversationId })
    await say('Three', { conversationId })
    const edited = await say('Another two', { conversationId, parentId: first.id })
    const said = (prompt = model.asked.at(-1)) => prompt?.messages.map(({ content }) => content)
    expect(said()).toEqual(['One', 'to One', 'Another two'])
    // The newest message is a leaf of the new branch: what is said next goes on from there.
    await say('On', { conversationId })
    expect(said()).toEqual(['One', 'to One', 'Another two', 'to Another two', 'On'])
    const messages = await tree(conversationId)
    const siblings = messages.filter((one: { parentId: string }) => one.parentId === first.id)
    expect(siblings.map(({ id }: { id: string }) => id)).toEqual([second.parentId, edited.message.parentId])
  })

  test('may be the very first, whose branch begins anew', async () => {
    const { model, say, tree } = await talking()
    const { conversationId } = await say('One')
    await say('Two', { conversationId })
    const edited = await say('Another one', { conversationId, parentId: null })
    expect(edited.conversationId).toBe(conversationId)
    expect(model.asked.at(-1)?.messages.map(({ content }) => content)).toEqual(['Another one'])
    const roots = (await tree(conversationId)).filter((one: { parentId: unknown }) => one.parentId === null)
    expect(roots.map(({ content }: { content: string }) => content)).toEqual(['One', 'Another one'])
    expect((await say('Begun', { parentId: null })).message.content).toBe('to Begun')
  })

  test('leaves what was said before it out of what is recalled, and lets other conversations in', async () => {
    const { house, owner, model, say } = await talking()
    const other = await say('Write about hives in Bodø')
    const { conversationId } = await say('Write about hives in Tromsø')
    await runJobs(house, owner.id)
    await say('Write about hives where?', { conversationId, parentId: null })
    const sources = model.asked.at(-1)?.sources.filter(({ kind }) => kind === 'message')
    expect(sources?.map(({ id }) => id)).toEqual([other.message.parentId])
  })

  test('answers no message of another conversation, nor one that is not there', async () => {
    const { call, say } = await talking()
    const { conversationId } = await say('One')
    const { message } = await say('Elsewhere')
    for (const parentId of [message.id, NOBODY]) {
      const refused = await call('POST', '/chat', { message: 'Edited', conversationId, parentId })
      expect([refused.status, refused.data.code]).toEqual([404, 'PAI_CHAT_MESSAGE_NOT_FOUND'])
    }
    expect((await call('POST', '/chat', { message: 'Edited', parentId: message.id })).status).toBe(404)
  })
})

describeEachDatabase('an archived conversation', (database) => {
  test('leaves the list until it is asked for, and loses nothing', async () => {
    const { call } = await setUp(database())
    const { conversationId: id } = (await call('POST', '/chat', { message: 'Bees' })).data
    const kept = (await call('POST', '/chat', { message: 'Hens' })).data.conversationId
    const before = (await call('GET', `/conversations/${id}`)).data
    const archived = await call('PATCH', `/conversations/${id}`, { archived: true })
    expect(archived.data).toEqual({ ...archived.data, id, archived: true, updatedAt: before.updatedAt })
    expect((await call('PATCH', `/conversations/${id}`, { archived: true })).data).toEqual(archived.data)
    const list = async (query: string) =>
      (await call('GET', `/conversations${query}`)).data.items.map((one: { id: string }) => one.id)
    expect(await list('')).toEqual([kept])
    expect(await list('?archived=false')).toEqual([kept])
    expect(await list('?archived=true')).toEqual([id])
    expect(await list('?archived=all')).toEqual([kept, id])
    await call('PATCH', `/conversations/${id}`, { title: 'Hives' })
    expect(await list('?archived=true')).toEqual([id])
    await call('PATCH', `/conversations/${id}`, { archived: false })
    expect(await list('')).toEqual([kept, id])
  })

  test('comes back with what is said in it, or asked again', async () => {
    const { call } = await setUp(database())
    const { conversationId, message } = (await call('POST', '/chat', { message: 'Bees' })).data
    const path = `/conversations/${conversationId}`
    const isArchived = async () => (await call('GET', path)).data.archived
    await call('PATCH', path, { archived: true })
    await call('POST', '/chat', { message: 'More', conversationId })
    expect(await isArchived()).toBe(false)
    await call('PATCH', path, { archived: true })
    await call('POST', `/messages/${message.id}/regenerate`)
    await eventually(async () => expect(await isArchived()).toBe(false))
  })
})
