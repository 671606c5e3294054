import { expect, test } from 'vitest'
import { keepMemory } from '../../src/memory/store.ts'
import { setUp } from '../chat/talk.ts'
import { describeEachDatabase } from '../support/database.ts'
import { runJobs } from './jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø'
const UNKNOWN = '019a0000-0000-7000-8000-0000000000ff'

describeEachDatabase('the owner’s rights over a memory', (database) => {
  async function setUpOwner() {
    const { house, owner, call } = await setUp(database(), ['Noted.'])
    return {
      house,
      owner,
      call,
      remember: async (text: string, more: object = {}) =>
        (await call('POST', '/memories', { text, ...more })).data,
      read: async (id: string) => (await call('GET', `/memories/${id}`)).data,
      undo: (id: string) => call('POST', `/memories/${id}/undo`),
      found: async (query: string): Promise<string[]> =>
        (await call('POST', '/memories/search', { query })).data.items.map(
          ({ memory }: { memory: { text: string } }) => memory.text
        )
    }
  }

  test('an edit is written down, sorts by the owner’s hand, and is undone exactly', async () => {
    const { owner, call, remember, read, undo, found } = await setUpOwner()
    const before = await remember(BEES)
    await call('PATCH', `/memories/${before.id}`, {
      text: 'My sister Ada keeps goats',
      category: 'family',
      tags: ['sister'],
      importance: 1
    })
    expect(await read(before.id)).toMatchObject({ category: 'family', tags: ['sister'], importance: 1 })
    const { rows } = await database().pool.query('SELECT sorted_by FROM memories WHERE owner_id = $1', [
      owner.id
    ])
    expect(rows).toEqual([{ sorted_by: 'owner' }])
    const { items } = (await call('GET', `/memories/${before.id}/history`)).data
    expect(items[0]).toMatchObject({
      action: 'edited',
      by: 'owner',
      text: `It was corrected by you: it said “${BEES}”.`,
      before: { text: BEES, category: 'note', tags: [] },
      after: { text: 'My sister Ada keeps goats', category: 'family', tags: ['sister'] }
    })
    expect((await undo(before.id)).data).toEqual(before)
    expect(await read(before.id)).toEqual(before)
    expect(await found('bees')).toEqual([BEES])
    expect(await found('goats')).toEqual([])
    expect((await undo(before.id)).data).toMatchObject({ status: 409, code: 'PAI_MEMORY_NOTHING_TO_UNDO' })
  })

  test('several edits are undone one by one, the latest first', async () => {
    const { call, remember, undo } = await setUpOwner()
    const { id } = await remember('one')
    for (const text of ['two', 'three']) await call('PATCH', `/memories/${id}`, { text })
    expect((await undo(id)).data.text).toBe('two')
    expect((await undo(id)).data.text).toBe('one')
    expect((await undo(id)).status).toBe(409)
    const { items } = (await call('GET', `/memories/${id}/history?limit=2`)).data
    expect(items.map(({ action }: { action: string }) => action)).toEqual(['restored', 'restored'])
  })

  test('a patch that changes nothing leaves no trace', async () => {
    const { call, remember } = await setUpOwner()
    const { id } = await remember(BEES)
    await call('PATCH', `/memories/${id}`, { pinned: false })
    const { items } = (await call('GET', `/memories/${id}/history`)).data
    expect(items.map(({ action }: { action: string }) => action)).toEqual(['created'])
  })

  test('what says the same is merged, and taken apart again', async () => {
    const { call, remember, read, undo } = await setUpOwner()
    const kept = await remember(BEES, { importance: 0.25 })
    const others = [await remember('Ada has bees', { pinned: true }), await remember('Ada is a beekeeper')]
    const ids = others.map(({ id }) => id)
    const merged = (await call('POST', `/memories/${kept.id}/merge`, { ids })).data
    expect(merged).toMatchObject({ id: kept.id, text: BEES, pinned: true, status: 'active' })
    expect(merged.sources.map(({ quote }: { quote: string }) => quote)).toEqual([
      BEES,
      'Ada has bees',
      'Ada is a beekeeper'
    ])
    for (const id of ids)
      expect(await read(id)).toMatchObject({ status: 'superseded', supersededBy: kept.id })
    // Sent again, it changes nothing.
    expect((await call('POST', `/memories/${kept.id}/merge`, { ids })).data).toEqual(merged)
    expect((await undo(ids[0])).status).toBe(200)
    expect(await read(kept.id)).toEqual(kept)
    for (const other of others) expect(await read(other.id)).toEqual(other)
  })

  test.each(['the one that is refined', 'the one that refines it'])(
    'what was made more exact is taken apart again by %s, with all that one gave the other',
    async (by) => {
      const { house, owner, call, read, undo } = await setUpOwner()
      const tell = async (content: string, createdAt: string) => {
        const messages = [{ role: 'user', content, createdAt }]
        await call('POST', '/conversations/import', { messages, extract: true })
        await runJobs(house, owner.id)
        return (await call('GET', '/memories')).data.items[0]
      }
      const [march, june] = ['2025-03-01T10:00:00.000Z', '2025-06-01T10:00:00.000Z']
      const { id: lessId } = await tell('My sister Ada keeps bees.', march)
      await call('PATCH', `/memories/${lessId}`, { pinned: true, importance: 1 })
      const less = await read(lessId)
      const more = await tell('My sister Ada keeps bees in Tromsø.', june)
      const quotes = ({ sources }: { sources: { quote: string }[] }) => sources.map(({ quote }) => quote)
      expect(more).toMatchObject({ pinned: true, importance: 1, validFrom: march })
      expect(quotes(more)).toHaveLength(2)
      expect(await read(lessId)).toMatchObject({ status: 'superseded', supersededBy: more.id })
      // What the owner gives it since is not taken back.
      await database().pool.query('UPDATE memories SET strength = 2.5 WHERE owner_id = $1 AND id = $2', [
        owner.id,
        more.id
      ])
      expect((await undo(by === 'the one that is refined' ? lessId : more.id)).status).toBe(200)
      expect(await read(lessId)).toEqual(less)
      const apart = await read(more.id)
      expect(apart).toMatchObject({ status: 'active', pinned: false, validFrom: june, strength: 2.5 })
      expect(apart.importance).toBeLessThan(1)
      expect(quotes(apart)).toEqual(['My sister Ada keeps bees in Tromsø.'])
      const { rows } = await database().pool.query(
        'SELECT proof_count FROM memories WHERE owner_id = $1 AND id = $2',
        [owner.id, more.id]
      )
      expect(rows).toEqual([{ proof_count: 1 }])
    }
  )

  test('a memory is not merged with itself, with what has ended, or with what is not there', async () => {
    const { call, remember } = await setUpOwner()
    const [one, two, three] = [await remember('one'), await remember('two'), await remember('three')]
    const merge = (id: string, ids: string[]) => call('POST', `/memories/${id}/merge`, { ids })
    expect((await merge(one.id, [one.id])).data.code).toBe('PAI_MEMORY_MERGE_INVALID')
    expect((await merge(one.id, [UNKNOWN])).data.code).toBe('PAI_MEMORY_NOT_FOUND')
    await merge(one.id, [two.id])
    expect((await merge(three.id, [two.id])).data.code).toBe('PAI_MEMORY_MERGE_INVALID')
    expect((await merge(two.id, [three.id])).data.code).toBe('PAI_MEMORY_MERGE_INVALID')
  })

  test('what comes back is refused where another memory says it by now', async () => {
    const { call, remember, undo } = await setUpOwner()
    const { id } = await remember(BEES)
    await call('PATCH', `/memories/${id}`, { text: 'goats' })
    await remember(BEES)
    expect((await undo(id)).data).toMatchObject({ status: 409, code: 'PAI_MEMORY_EXISTS' })
  })

  test('forgetting one takes along what it replaced and what was derived from it, and undo brings all back', async () => {
    const { owner, call, remember, read, undo } = await setUpOwner()
    const [kept, lost, free] = [await remember(BEES), await remember('Ada has bees'), await remember('I ski')]
    await call('POST', `/memories/${kept.id}/merge`, { ids: [lost.id] })
    const inferred = await database().inOwner(owner.id, (tx) =>
      keepMemory(
        tx,
        owner.id,
        { text: 'You like honey', category: 'preference', importance: 0.2 },
        { kind: 'owner', messageId: null, quote: '', quoteStart: null, saidBy: 'owner', saidAt: new Date() }
      )
    )
    await database().pool.query(
      'INSERT INTO memory_dependencies (owner_id, memory_id, depends_on) VALUES ($1, $2, $3)',
      [owner.id, inferred, lost.id]
    )
    const before = await Promise.all([kept.id, lost.id, inferred].map(read))
    await call('DELETE', `/memories/${kept.id}`)
    expect((await call('GET', '/memories')).data.items).toEqual([await read(free.id)])
    expect((await undo(inferred)).status).toBe(200)
    expect(await Promise.all([kept.id, lost.id, inferred].map(read))).toEqual(before)
  })

  test('what rests on several is in doubt until each of them is as it was, or the owner says that it holds', async () => {
    const { owner, call, remember, read, undo } = await setUpOwner()
    const [one, two] = [await remember('I row on Mondays'), await remember('I row on Fridays')]
    const derived = await remember('I row a lot')
    await database().pool.query(
      'INSERT INTO memory_dependencies (owner_id, memory_id, depends_on) VALUES ($1, $2, $3), ($1, $2, $4)',
      [owner.id, derived.id, one.id, two.id]
    )
    const status = async () => (await read(derived.id)).status
    await call('PATCH', `/memories/${one.id}`, { text: 'I row on Tuesdays' })
    await call('PATCH', `/memories/${two.id}`, { text: 'I row on Sundays' })
    expect(await status()).toBe('unconfirmed')
    const why = (await call('GET', `/memories/${derived.id}/why`)).data
    expect(why.derivedFrom.map(({ text }: { text: string }) => text)).toEqual([
      'I row on Tuesdays',
      'I row on Sundays'
    ])
    await undo(one.id)
    expect(await status()).toBe('unconfirmed')
    await undo(two.id)
    expect(await status()).toBe('active')
    const { items } = (await call('GET', `/memories/${derived.id}/history?limit=1`)).data
    expect(items).toMatchObject([{ action: 'restored', after: { status: 'active' } }])

    await call('PATCH', `/memories/${one.id}`, { text: 'I row on Tuesdays' })
    await call('PATCH', `/memories/${derived.id}`, { text: 'I row a lot' })
    expect(await status()).toBe('active')
    await call('PATCH', `/memories/${two.id}`, { text: 'I row on Sundays' })
    await undo(one.id)
    expect(await status()).toBe('unconfirmed')
    await undo(two.id)
    expect(await status()).toBe('active')
  })

  test('what was inferred and never confirmed is not confirmed by an undo', async () => {
    const { owner, call, remember, read, undo } = await setUpOwner()
    const [one, derived] = [await remember('I row on Mondays'), await remember('I row a lot')]
    await database().pool.query(
      `WITH inferred AS (UPDATE memories SET status = 'unconfirmed' WHERE owner_id = $1 AND id = $2)
       INSERT INTO memory_dependencies (owner_id, memory_id, depends_on) VALUES ($1, $2, $3)`,
      [owner.id, derived.id, one.id]
    )
    await call('PATCH', `/memories/${one.id}`, { text: 'I row on Tuesdays' })
    await undo(one.id)
    expect((await read(derived.id)).status).toBe('unconfirmed')
  })

  test('why: the words, the conversation they were said in, and what happened since', async () => {
    const { owner, call } = await setUpOwner()
    const said = `Guess what. ${BEES}. Bye!`
    const { message, conversationId } = (await call('POST', '/chat', { message: said })).data
    const messageId = message.parentId
    const id = await database().inOwner(owner.id, (tx) =>
      keepMemory(
        tx,
        owner.id,
        { text: BEES, category: 'relationship', importance: 0.5 },
        { kind: 'message', messageId, quote: BEES, quoteStart: 12, saidBy: 'owner', saidAt: new Date() }
      )
    )
    await call('PATCH', `/memories/${id}`, { pinned: true })
    const { data } = await call('GET', `/memories/${id}/why`)
    expect(data).toMatchObject({
      memory: { id, text: BEES, pinned: true },
      sources: [{ messageId, conversationId, quote: BEES, conversationTitle: said, message: said }],
      derivedFrom: [],
      history: [
        { text: 'It was first kept from what you said.' },
        { text: 'It was corrected by you (pinned).' }
      ]
    })
    for (const path of ['why', 'history']) {
      expect((await call('GET', `/memories/${UNKNOWN}/${path}`)).data.code).toBe('PAI_MEMORY_NOT_FOUND')
    }
  })

  test('a conversation that is deleted may take along what was told only there', async () => {
    const { owner, call, read } = await setUpOwner()
    const told = async (text: string, ...messageIds: string[]) => {
      for (const messageId of messageIds) {
        await database().inOwner(owner.id, (tx) =>
          keepMemory(
            tx,
            owner.id,
            { text, category: 'fact', importance: 0.5 },
            { kind: 'message', messageId, quote: text, quoteStart: 0, saidBy: 'owner', saidAt: new Date() }
          )
        )
      }
    }
    const [first, second] = [
      (await call('POST', '/chat', { message: 'I ski. I row.' })).data,
      (await call('POST', '/chat', { message: 'I row.' })).data
    ]
    await told('I ski', first.message.parentId)
    await told('I row', first.message.parentId, second.message.parentId)
    const { items } = (await call('GET', '/memories')).data
    await call('DELETE', `/conversations/${first.conversationId}?memories=forget`)
    expect((await call('GET', '/memories')).data.items.map(({ text }: { text: string }) => text)).toEqual([
      'I row'
    ])
    const [, ski] = items
    expect((await call('POST', `/memories/${ski.id}/undo`)).data).toMatchObject({
      text: 'I ski',
      sources: [{ messageId: null, quote: 'I ski' }]
    })
    await call('DELETE', `/conversations/${second.conversationId}`)
    expect(await read(items[0].id)).toMatchObject({ text: 'I row' })
  })
})
