import { expect, test } from 'vitest'
import type { MemoryConflict } from '../../src/memory/review/review-schemas.ts'
import { keepMemory } from '../../src/memory/store.ts'
import { setUp } from '../chat/talk.ts'
import { describeEachDatabase } from '../support/database.ts'
import { runJobs } from './jobs.ts'

const MARCH = 'My blood group is A positive.'
const JUNE = 'My blood group is B negative.'

describeEachDatabase('what waits for the owner', (database) => {
  async function contradict() {
    const { house, owner, call } = await setUp(database())
    for (const [content, createdAt] of [
      [MARCH, '2025-03-01T10:00:00Z'],
      [JUNE, '2025-06-01T10:00:00Z']
    ]) {
      await call('POST', '/conversations/import', {
        messages: [{ role: 'user', content, createdAt }],
        extract: true
      })
      await runJobs(house, owner.id)
    }
    const conflicts = async (): Promise<MemoryConflict[]> =>
      (await call('GET', '/memory-conflicts')).data.items
    const statuses = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await call('GET', '/memories')).data.items.map(
          ({ text, status }: { text: string; status: string }) => [text, status]
        )
      )
    return { house, owner, call, conflicts, statuses }
  }

  test('a contradiction is listed with both memories, the older one first', async () => {
    const { conflicts, call } = await contradict()
    expect(await conflicts()).toMatchObject([
      {
        reason: 'two values of blood group',
        first: { text: MARCH, status: 'conflicting' },
        second: { text: JUNE, status: 'conflicting' },
        resolvedAt: null
      }
    ])
    const { items } = (await call('POST', '/memories/search', { query: 'blood group' })).data
    expect(items).toHaveLength(2)
  })

  test.each([
    ['first', { [MARCH]: 'active', [JUNE]: 'superseded' }],
    ['second', { [MARCH]: 'superseded', [JUNE]: 'active' }],
    ['both', { [MARCH]: 'active', [JUNE]: 'active' }],
    ['neither', { [MARCH]: 'expired', [JUNE]: 'expired' }]
  ])('the owner keeps %s, and saying so again changes nothing', async (keep, wanted) => {
    const { conflicts, statuses, call, owner } = await contradict()
    const [conflict] = await conflicts()
    const resolve = (choice: string) =>
      call('POST', `/memory-conflicts/${conflict?.id}/resolve`, { keep: choice })
    expect((await resolve(keep)).data).toMatchObject({ id: conflict?.id, resolvedAt: expect.any(String) })
    expect(await statuses()).toEqual(wanted)
    expect(await conflicts()).toEqual([])
    expect((await resolve('neither')).status).toBe(200)
    expect(await statuses()).toEqual(wanted)
    const { rows } = await database().pool.query(
      `SELECT count(*)::int AS count FROM memory_history WHERE owner_id = $1 AND action = 'resolved' AND by = 'owner'`,
      [owner.id]
    )
    expect(rows[0].count).toBe(2)
  })

  test('a decision is taken back by the one that was not kept', async () => {
    const { conflicts, statuses, call } = await contradict()
    const [conflict] = await conflicts()
    await call('POST', `/memory-conflicts/${conflict?.id}/resolve`, { keep: 'first' })
    expect((await call('POST', `/memories/${conflict?.second.id}/undo`)).status).toBe(200)
    expect(await statuses()).toEqual({ [MARCH]: 'conflicting', [JUNE]: 'conflicting' })
    expect(await conflicts()).toEqual([conflict])
    await call('POST', `/memory-conflicts/${conflict?.id}/resolve`, { keep: 'second' })
    expect(await statuses()).toEqual({ [MARCH]: 'superseded', [JUNE]: 'active' })
  })

  test('a proposal that was turned down waits again when that is undone', async () => {
    const { house, owner, call } = await contradict()
    const saidAt = new Date('2025-05-01T10:00:00Z')
    const id = await house.services.database.inOwner(owner.id, (tx) =>
      keepMemory(
        tx,
        owner.id,
        { text: 'I am called Mallory.', category: 'identity', importance: 0.5, status: 'proposed' },
        { kind: 'message', messageId: null, quote: 'Mallory', quoteStart: null, saidBy: 'other', saidAt }
      )
    )
    const proposals = async () => (await call('GET', '/memory-proposals')).data.items
    const [before] = await proposals()
    expect((await call('POST', `/memory-proposals/${id}/reject`)).data.status).toBe('expired')
    expect(await proposals()).toEqual([])
    expect((await call('POST', `/memories/${id}/undo`)).data).toEqual(before)
    expect(await proposals()).toEqual([before])
  })

  test('memories can be listed by status', async () => {
    const { call } = await contradict()
    expect((await call('GET', '/memories?status=conflicting')).data.items).toHaveLength(2)
    expect((await call('GET', '/memories?status=active')).data.items).toEqual([])
    expect((await call('GET', '/memories?status=lost')).status).toBe(400)
  })

  test('a conflict of somebody else, or one that never was, is not found', async () => {
    const { conflicts } = await contradict()
    const [conflict] = await conflicts()
    const { call } = await setUp(database())
    for (const id of [conflict?.id, crypto.randomUUID()]) {
      const { data } = await call('POST', `/memory-conflicts/${id}/resolve`, { keep: 'both' })
      expect(data.code).toBe('PAI_MEMORY_CONFLICT_NOT_FOUND')
    }
    expect((await call('GET', '/memory-conflicts')).data.items).toEqual([])
  })

  test('there is nothing to retry where nothing failed', async () => {
    const { call } = await setUp(database())
    const { status, data } = await call('POST', `/memory-extractions/${crypto.randomUUID()}/retry`)
    expect([status, data.code]).toEqual([404, 'PAI_MEMORY_EXTRACTION_NOT_FOUND'])
  })

  test('what the owner sorted by hand teaches how the like of it is sorted', async () => {
    const { house, owner, call } = await setUp(database())
    const say = async (message: string) => {
      await call('POST', '/chat', { message })
      await runJobs(house, owner.id)
    }
    await say('My sister Ada keeps bees in Tromsø.')
    const [memory] = (await call('GET', '/memories')).data.items
    await call('PATCH', `/memories/${memory.id}`, { category: 'bee people' })
    await say('My sister Ada sold honey from her bees.')
    await say('My brother Bob keeps bees in Tromsø too.')
    // Of the same person, and about something else.
    await say('My sister Ada works as a vet.')
    await say('I live in Oslo.')
    const { items } = (await call('GET', '/memories')).data
    expect(items.map(({ category }: { category: string }) => category)).toEqual([
      'place',
      'relationship',
      'bee people',
      'bee people',
      'bee people'
    ])
  })

  test('a category that the owner gives teaches, from the first writing on; tags do not', async () => {
    const { owner, call } = await setUp(database())
    const sortedBy = async (id: string) => {
      const { rows } = await database().pool.query(
        'SELECT sorted_by FROM memories WHERE owner_id = $1 AND id = $2',
        [owner.id, id]
      )
      return rows[0].sorted_by
    }
    const write = async (body: object) => (await call('POST', '/memories', body)).data.id
    const plain = await write({ text: 'I collect stamps from Peru' })
    expect(await sortedBy(plain)).toBe('pai')
    await call('PATCH', `/memories/${plain}`, { tags: ['stamps'] })
    expect(await sortedBy(plain)).toBe('pai')
    await write({ text: 'I collect stamps from Peru', category: 'collections' })
    expect(await sortedBy(plain)).toBe('owner')
    await call('POST', `/memories/${plain}/undo`)
    expect(await sortedBy(plain)).toBe('pai')
    expect(await sortedBy(await write({ text: 'I collect coins', category: 'collections' }))).toBe('owner')
  })

  test('what the owner wrote by hand gives way to what is said later, like the rest', async () => {
    const { house, owner, call } = await setUp(database())
    const { data } = await call('POST', '/memories', { text: 'I live in Oslo.' })
    await call('POST', '/chat', { message: 'I live in Bergen now.' })
    await runJobs(house, owner.id)
    expect((await call('GET', `/memories/${data.id}`)).data).toMatchObject({ status: 'superseded' })
  })
})
