import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { keepMemory } from '../../src/memory/store.ts'
import { type Call, callAs } from '../chat/talk.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { runJobs } from './jobs.ts'

interface Line {
  id: string
  text: string
  status: string
  subject: string | null
  slot: string | null
  proofs: number
  pinned: boolean
  category: string
  importance: number
  validTo: Date | null
  sources: number
  history: string[]
}

describeEachDatabase('the owner’s hand', (database) => {
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

  const write = async (text: string, more: object = {}): Promise<string> =>
    (await call('POST', '/memories', { text, ...more })).data.id

  async function say(content: string, createdAt = new Date().toISOString()): Promise<void> {
    await call('POST', '/conversations/import', {
      messages: [{ role: 'user', content, createdAt }],
      extract: true
    })
    await runJobs(house, owner.id)
  }

  /** Something PAI was told by somebody else, or worked out by itself. */
  async function hear(text: string, status: 'proposed' | 'unconfirmed', more: object = {}): Promise<string> {
    const source = {
      kind: 'tool' as const,
      messageId: null,
      quote: text,
      quoteStart: null,
      saidBy: 'other' as const,
      saidAt: new Date()
    }
    const memory = { text, category: 'fact', importance: 0.4, ...more }
    const id = await database().inOwner(owner.id, (tx) => keepMemory(tx, owner.id, memory, source))
    await database().pool.query('UPDATE memories SET status = $2 WHERE id = $1', [id, status])
    return id
  }

  async function lines(): Promise<Record<string, Line>> {
    const { rows } = await database().pool.query<Line>(
      `SELECT id, text, status, subject, slot, proof_count AS proofs, pinned, category, importance, valid_to AS "validTo",
              (SELECT count(*)::int FROM memory_sources s WHERE s.owner_id = m.owner_id AND s.memory_id = m.id) AS sources,
              array(SELECT action FROM memory_history h WHERE h.owner_id = m.owner_id AND h.memory_id = m.id ORDER BY h.id) AS history
         FROM memories m WHERE owner_id = $1`,
      [owner.id]
    )
    return Object.fromEntries(rows.map((row) => [row.text, row]))
  }

  async function derive(text: string, from: string): Promise<void> {
    const id = await hear(text, 'proposed')
    await database().pool.query(`UPDATE memories SET status = 'active' WHERE id = $1`, [id])
    await database().pool.query(
      'INSERT INTO memory_dependencies (owner_id, memory_id, depends_on) VALUES ($1, $2, $3)',
      [owner.id, id, from]
    )
  }

  test('what is learnt late to have been so earlier ended when the later began', async () => {
    await say('I have lived in Bergen since 2021.', '2025-03-01T10:00:00Z')
    await say('I live in Oslo.', '2019-03-01T10:00:00Z')
    const { 'I live in Oslo.': oslo } = await lines()
    expect(oslo?.status).toBe('superseded')
    expect(oslo?.validTo?.toISOString()).toMatch(/^202[01]-/)
  })

  test('a correction is about what its new words are about', async () => {
    const id = await write('I live in Tromsø')
    await call('PATCH', `/memories/${id}`, { text: 'My sister lives in Tromsø' })
    expect((await lines())['My sister lives in Tromsø']?.subject).not.toBe('owner')
    const { rows } = await database().pool.query(
      `SELECT before, after FROM memory_history WHERE memory_id = $1 AND action = 'edited'`,
      [id]
    )
    expect(rows[0].before).toMatchObject({ text: 'I live in Tromsø', subject: 'owner' })
    await say('I live in Oslo now.')
    expect((await lines())['My sister lives in Tromsø']?.status).toBe('active')
  })

  test('writing down what waits as a proposal approves it, as the owner wants it', async () => {
    const id = await hear('Ada keeps bees', 'proposed')
    const more = { pinned: true, category: 'family', importance: 0.9 }
    expect(await write('Ada keeps bees', more)).toBe(id)
    expect((await lines())['Ada keeps bees']).toMatchObject({
      status: 'active',
      pinned: true,
      category: 'family',
      importance: expect.closeTo(0.9),
      history: ['created', 'approved', 'edited', 'proven']
    })
  })

  test('an inference that the owner writes or says is confirmed', async () => {
    await hear('I like jazz.', 'unconfirmed')
    await write('I like jazz.')
    await hear('I am allergic to hazelnuts.', 'unconfirmed')
    await say('I am allergic to hazelnuts.')
    const memories = await lines()
    for (const text of ['I like jazz.', 'I am allergic to hazelnuts.']) {
      expect(memories[text]?.status).toBe('active')
      expect(memories[text]?.history).toContain('confirmed')
    }
  })

  test('writing the same again leaves one source and no proofs', async () => {
    await write('Ada keeps bees', { category: 'family' })
    await write('Ada keeps bees')
    await write('Ada keeps bees')
    expect((await lines())['Ada keeps bees']).toMatchObject({
      sources: 1,
      proofs: 1,
      category: 'family',
      history: ['created']
    })
  })

  test('what is written takes the place of an earlier value, until that is undone', async () => {
    await say('I live in Oslo.', '2025-03-01T10:00:00Z')
    await write('I live in Bergen')
    const { 'I live in Oslo.': oslo, 'I live in Bergen': bergen } = await lines()
    expect(oslo).toMatchObject({ status: 'superseded', history: ['created', 'superseded'] })
    expect(bergen?.status).toBe('active')
    await call('POST', `/memories/${oslo?.id}/undo`)
    expect((await lines())['I live in Oslo.']?.status).toBe('active')
  })

  test('what is corrected or approved takes the place of an earlier value', async () => {
    await say('I live in Oslo.', '2025-03-01T10:00:00Z')
    const id = await write('My sister lives in Bergen')
    await call('PATCH', `/memories/${id}`, { text: 'I live in Bergen' })
    expect((await lines())['I live in Oslo.']?.status).toBe('superseded')
    const proposed = await hear('I live in Tromsø', 'proposed', {
      subject: 'owner',
      slot: 'home',
      validFrom: new Date(Date.now() + 60_000)
    })
    await call('POST', `/memory-proposals/${proposed}/approve`)
    expect((await lines())['I live in Bergen']?.status).toBe('superseded')
    expect((await lines())['I live in Tromsø']?.status).toBe('active')
  })

  test('an approved fact of long ago does not drive out what holds now', async () => {
    await write('I live in Bergen')
    const proposed = await hear('I live in Tromsø', 'proposed', {
      subject: 'owner',
      slot: 'home',
      validFrom: new Date('2019-03-01T10:00:00Z')
    })
    await call('POST', `/memory-proposals/${proposed}/approve`)
    const memories = await lines()
    expect(memories['I live in Bergen']?.status).toBe('active')
    expect(memories['I live in Tromsø']?.status).toBe('superseded')
  })

  test('what is written against something lasting waits for a decision', async () => {
    await say('My blood group is A positive.', '2025-03-01T10:00:00Z')
    await write('My blood group is B negative')
    expect((await call('GET', '/memory-conflicts')).data.items).toHaveLength(1)
  })

  test('what is written or corrected to deny something known waits for a decision, whatever it is of', async () => {
    const between = async () =>
      (await call('GET', '/memory-conflicts')).data.items.map(
        ({ first, second }: Record<string, { text: string }>) => [first?.text, second?.text].sort()
      )
    await write('I am allergic to nuts')
    await write('I am not allergic to nuts')
    expect(await between()).toEqual([['I am allergic to nuts', 'I am not allergic to nuts']])
    await write('My sister likes opera')
    const id = await write('My sister likes jazz')
    expect(await between()).toHaveLength(1)
    await call('PATCH', `/memories/${id}`, { text: 'My sister does not like opera' })
    expect(await between()).toContainEqual(['My sister does not like opera', 'My sister likes opera'])
  })

  test('what is said to be over ends what was said before, in whichever order they are learnt', async () => {
    await say('I no longer eat meat.', '2025-06-01T10:00:00Z')
    await say('I eat meat.', '2025-03-01T10:00:00Z')
    expect((await lines())['I eat meat.']).toMatchObject({ status: 'superseded' })
    await say('I smoke cigars.', '2025-03-01T10:00:00Z')
    await say('I no longer smoke cigars.', '2025-06-01T10:00:00Z')
    expect((await lines())['I smoke cigars.']?.status).toMatch(/superseded|expired/)
    expect((await call('GET', '/memory-conflicts')).data.items).toEqual([])
  })

  test('what was derived from a corrected memory, or one that lost a conflict, needs confirming', async () => {
    await derive('I like the north', await write('I live in Tromsø'))
    const { 'I live in Tromsø': tromso } = await lines()
    await call('PATCH', `/memories/${tromso?.id}`, { pinned: true })
    expect((await lines())['I like the north']?.status).toBe('active')
    await call('PATCH', `/memories/${tromso?.id}`, { text: 'I live in Rome' })
    expect((await lines())['I like the north']?.status).toBe('unconfirmed')

    await say('My blood group is A positive.', '2025-03-01T10:00:00Z')
    await derive('Anyone may be given mine', (await lines())['My blood group is A positive.']?.id ?? '')
    await say('My blood group is B negative.', '2025-06-01T10:00:00Z')
    const [conflict] = (await call('GET', '/memory-conflicts')).data.items
    await call('POST', `/memory-conflicts/${conflict.id}/resolve`, { keep: 'second' })
    expect((await lines())['Anyone may be given mine']?.status).toBe('unconfirmed')
  })

  test('a memory whose rivals have all ended conflicts no longer', async () => {
    const [a, b, c] = ['A positive', 'B negative', 'AB positive'].map(
      (group) => `My blood group is ${group}.`
    )
    await say(a ?? '', '2025-03-01T10:00:00Z')
    await say(b ?? '', '2025-06-01T10:00:00Z')
    const first = (await lines())[a ?? '']
    const second = (await lines())[b ?? '']
    const third = await write(c ?? '')
    await database().pool.query(
      `INSERT INTO memory_conflicts (owner_id, id, memory_id, other_id, reason)
       SELECT $1, gen_random_uuid(), $3, other, 'test' FROM unnest($2::uuid[]) AS other ON CONFLICT DO NOTHING`,
      [owner.id, [first?.id, second?.id], third]
    )
    await database().pool.query(`UPDATE memories SET status = 'conflicting' WHERE id = $1`, [third])
    const open = async (): Promise<{ id: string; first: { id: string }; second: { id: string } }[]> =>
      (await call('GET', '/memory-conflicts')).data.items
    const between = (await open()).find(({ first: { id }, second: { id: other } }) =>
      [first?.id, second?.id].every((one) => one === id || one === other)
    )
    await call('POST', `/memory-conflicts/${between?.id}/resolve`, { keep: 'neither' })
    expect((await lines())[c ?? '']?.status).toBe('active')
    expect(await open()).toEqual([])
  })
})
