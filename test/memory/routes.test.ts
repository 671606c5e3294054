import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Memory } from '../../src/memory/schemas.ts'
import { type Call, callAs } from '../chat/talk.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { runJobs, takeJobs } from './jobs.ts'

const UNKNOWN = '019a0000-0000-7000-8000-0000000000ff'
const BEES = 'My sister Ada keeps bees in Tromsø'

describeEachDatabase('memories', (database) => {
  let house: TestApp
  let owner: TestOwner
  let call: Call

  beforeAll(async () => {
    house = await buildTestApp(database())
  })
  beforeEach(async () => {
    owner = await house.register()
    call = callAs(house, owner)
  })
  afterAll(() => house.close())

  const remember = async (text: string, more: object = {}): Promise<Memory> =>
    (await call('POST', '/memories', { text, ...more })).data
  const found = async (query: string): Promise<string[]> =>
    (await call('POST', '/memories/search', { query })).data.items.map(
      (item: { memory: Memory }) => item.memory.text
    )
  /** What the tables hold of this owner’s memories. */
  async function rowsOf(table: string): Promise<number> {
    const { rows } = await database().pool.query(
      `SELECT count(*)::int AS rows FROM ${table} WHERE owner_id = $1`,
      [owner.id]
    )
    return rows[0].rows
  }
  async function proofsOf(id: string): Promise<number> {
    const { rows } = await database().pool.query('SELECT proof_count FROM memories WHERE id = $1', [id])
    return rows[0].proof_count
  }

  test('a memory is kept as it was written, says where it comes from, and is there at once', async () => {
    const before = Date.now()
    const { status, data } = await call('POST', '/memories', { text: BEES })
    expect(status).toBe(201)
    expect(data).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      text: BEES,
      category: 'note',
      tags: [],
      importance: expect.closeTo(0.7),
      strength: 1,
      pinned: false,
      status: 'active',
      validFrom: null,
      validTo: null,
      supersededBy: null,
      sources: [
        {
          kind: 'owner',
          messageId: null,
          reference: null,
          conversationId: null,
          quote: BEES,
          quoteStart: null,
          saidBy: 'owner',
          saidAt: expect.any(String)
        }
      ],
      createdAt: expect.any(String)
    })
    expect(Date.parse(data.sources[0].saidAt)).toBeGreaterThanOrEqual(before)
    expect((await call('GET', `/memories/${data.id}`)).data).toEqual(data)
    expect((await call('GET', '/memories')).data).toEqual({ items: [data], nextCursor: null })
    expect(await found('bees')).toEqual([BEES])
  })

  test('the owner says what kind it is, how much it matters, and that it stays', async () => {
    const given = { category: 'relationship', importance: 0.25, pinned: true }
    expect(await remember(BEES, given)).toMatchObject(given)
    expect(await remember('zero', { importance: 0 })).toMatchObject({ importance: 0 })
  })

  test('memories are listed newest first, a page at a time, and none twice', async () => {
    const texts = ['one', 'two', 'three', 'four', 'five'].map((word) => `My number is ${word}`)
    for (const text of texts) await remember(text)
    const listed: string[] = []
    const sizes: number[] = []
    for (let cursor = ''; ; ) {
      const { items, nextCursor } = (await call('GET', `/memories?limit=2${cursor}`)).data
      listed.push(...items.map(({ text }: Memory) => text))
      sizes.push(items.length)
      if (!nextCursor) break
      cursor = `&cursor=${nextCursor}`
      // Written meanwhile, it is on no later page.
      if (sizes.length === 1) await remember('My number is six')
    }
    expect(listed).toEqual(texts.toReversed())
    expect(sizes).toEqual([2, 2, 1])
  })

  test.each([
    ['the very same words', BEES],
    ['another case', BEES.toUpperCase()],
    ['other spaces', `  My sister   Ada\tkeeps bees\nin Tromsø `],
    ['a full stop', `${BEES}.`],
    ['three of them after a space', `${BEES} ...`],
    ['much excitement', `${BEES}!!!`],
    ['accents taken apart', BEES.normalize('NFD')]
  ])('the same fact in %s makes no second memory, source or proof', async (_what, text) => {
    const first = await remember(BEES)
    const again = await remember(text)
    expect(again.id).toBe(first.id)
    expect(again.text).toBe(BEES)
    expect(again.sources.map(({ quote }) => quote)).toEqual([BEES])
    expect(await proofsOf(first.id)).toBe(1)
    expect(await rowsOf('memories')).toBe(1)
    expect(await found('bees')).toEqual([BEES])
  })

  test('another fact is another memory, however alike', async () => {
    for (const text of [BEES, `${BEES}?`, 'My sister Ada keeps bee in Tromsø', '...', '!!!', '…!', '?'])
      await remember(text)
    expect(await rowsOf('memories')).toBe(7)
  })

  test('many who remember the same at once make one memory', async () => {
    const kept = await Promise.all(Array.from({ length: 8 }, () => remember(BEES)))
    expect(new Set(kept.map(({ id }) => id)).size).toBe(1)
    expect(await proofsOf(kept[0]?.id ?? '')).toBe(1)
    expect(await rowsOf('memories')).toBe(1)
  })

  test('a correction is found by its new words and no longer by the old, at once', async () => {
    const { id } = await remember(BEES)
    await runJobs(house, owner.id)
    const { status, data } = await call('PATCH', `/memories/${id}`, {
      text: 'My brother Bob breeds goats in Narvik'
    })
    expect(status).toBe(200)
    expect(data).toMatchObject({ id, text: 'My brother Bob breeds goats in Narvik', category: 'note' })
    for (const query of ['bees', 'Tromsø', 'sister Ada']) expect(await found(query), query).toEqual([])
    for (const query of ['goats', 'Narvik', 'brother Bob']) expect(await found(query), query).toHaveLength(1)
    await runJobs(house, owner.id)
    for (const query of ['bees', 'Tromsø', 'sister Ada']) expect(await found(query), query).toEqual([])
    for (const query of ['goats', 'Narvik', 'brother Bob']) expect(await found(query), query).toHaveLength(1)
  })

  test('a change of anything but the words leaves what it is found by alone', async () => {
    const { id } = await remember(BEES)
    await runJobs(house, owner.id)
    const changes = { category: 'hobby', importance: 1, pinned: true }
    expect((await call('PATCH', `/memories/${id}`, changes)).data).toMatchObject({ ...changes, text: BEES })
    expect(await takeJobs(database(), owner.id)).toEqual([])
    expect(await rowsOf('memory_vectors')).toBe(1)
    expect(await found('bees')).toEqual([BEES])
  })

  test('a correction to its own words in other clothes is taken', async () => {
    const { id } = await remember(BEES)
    const shouted = `${BEES.toUpperCase()}!`
    expect((await call('PATCH', `/memories/${id}`, { text: shouted })).data.text).toBe(shouted)
  })

  test('a correction to what another memory says is refused, and changes nothing', async () => {
    await remember(BEES)
    const { id } = await remember('My sister Ada keeps goats')
    await runJobs(house, owner.id)
    const response = await call('PATCH', `/memories/${id}`, { text: `${BEES}.`, pinned: true })
    expect(response.data).toMatchObject({ status: 409, code: 'PAI_MEMORY_EXISTS' })
    expect((await call('GET', `/memories/${id}`)).data).toMatchObject({
      text: 'My sister Ada keeps goats',
      pinned: false
    })
    expect(await found('goats')).toEqual(['My sister Ada keeps goats'])
    expect(await takeJobs(database(), owner.id)).toEqual([])
  })

  test('what is forgotten is gone from every table, and can be remembered anew', async () => {
    const { id } = await remember(BEES)
    await remember(BEES)
    await runJobs(house, owner.id)
    expect(await rowsOf('term_counts')).toBeGreaterThan(0)
    const response = await call('DELETE', `/memories/${id}?purge=true`)
    expect([response.status, response.text]).toEqual([204, ''])
    for (const table of ['memories', 'memory_sources', 'memory_terms', 'memory_vectors', 'term_counts']) {
      expect(await rowsOf(table), table).toBe(0)
    }
    expect((await call('GET', `/memories/${id}`)).data).toMatchObject({
      status: 404,
      code: 'PAI_MEMORY_NOT_FOUND'
    })
    expect((await call('GET', '/memories')).data.items).toEqual([])
    expect(await found('bees')).toEqual([])
    expect((await call('DELETE', `/memories/${id}`)).status).toBe(404)
    const again = await remember(BEES)
    expect(again.id).not.toBe(id)
    expect(await proofsOf(again.id)).toBe(1)
  })

  test('the counts of terms are right whatever comes and goes', async () => {
    const kept = [await remember('bees and honey'), await remember('bees and goats'), await remember('goats')]
    await call('PATCH', `/memories/${kept[1]?.id}`, { text: 'honey and milk' })
    await call('DELETE', `/memories/${kept[2]?.id}?purge=true`)
    await remember('bees and honey')
    const { rows } = await database().pool.query(
      `SELECT term, count, (SELECT count(*)::int FROM memory_terms t WHERE t.owner_id = $1 AND t.term = c.term) AS held
         FROM term_counts c WHERE owner_id = $1 ORDER BY term`,
      [owner.id]
    )
    expect(rows).toEqual([
      { term: '', count: 2, held: 2 },
      { term: 'bee', count: 1, held: 1 },
      { term: 'honey', count: 2, held: 2 },
      { term: 'milk', count: 1, held: 1 }
    ])
  })

  test('what is not there is not found, and is not made', async () => {
    for (const [method, body] of [['GET'], ['PATCH', { text: BEES }], ['DELETE']] as const) {
      expect((await call(method, `/memories/${UNKNOWN}`, body)).data).toMatchObject({
        status: 404,
        code: 'PAI_MEMORY_NOT_FOUND',
        detail: `Memory ${UNKNOWN} was not found`
      })
    }
    expect(await rowsOf('memories')).toBe(0)
    expect(await takeJobs(database(), owner.id)).toEqual([])
  })

  test('with one key a memory is made once, and each retry gets the first answer', async () => {
    const key = { 'idempotency-key': 'once' }
    const post = (body: object) => call('POST', '/memories', body, key)
    const answers = await Promise.all(Array.from({ length: 5 }, () => post({ text: BEES, pinned: true })))
    const [first, ...rest] = answers.map(({ status, data }) => ({ status, data }))
    expect(first?.status).toBe(201)
    for (const answer of rest) expect(answer).toEqual(first)
    expect(await proofsOf(first?.data.id)).toBe(1)
    await call('PATCH', `/memories/${first?.data.id}`, { text: 'changed since' })
    expect((await post({ pinned: true, text: BEES })).data).toEqual(first?.data)
    expect((await takeJobs(database(), owner.id)).length).toBe(2)
  })

  test('a key that was used for something else is refused, and another person’s key is another key', async () => {
    const key = { 'idempotency-key': 'mine' }
    const { data } = await call('POST', '/memories', { text: BEES }, key)
    for (const [path, body] of [
      ['/memories', { text: 'other' }],
      ['/conversations', { text: BEES }]
    ] as const) {
      const refused = await call('POST', path, path === '/memories' ? body : {}, key)
      expect(refused.data, path).toMatchObject({ status: 422, code: 'PAI_IDEMPOTENCY_KEY_REUSED' })
    }
    const bob = callAs(house, await house.register())
    const his = await bob('POST', '/memories', { text: BEES }, key)
    expect(his.status).toBe(201)
    expect(his.data.id).not.toBe(data.id)
  })

  test('a key whose request was refused is still free', async () => {
    const key = { 'idempotency-key': 'free' }
    expect((await call('POST', '/memories', { text: '' }, key)).status).toBe(400)
    expect((await call('POST', '/memories', { text: BEES }, key)).status).toBe(201)
  })
})
