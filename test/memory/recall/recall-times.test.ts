import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RecallItem } from '../../../src/memory/schemas.ts'
import { type Call, callAs } from '../../chat/talk.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJobs } from '../jobs.ts'

const NOW = new Date('2026-03-12T12:00:00Z')

describeEachDatabase('recall of a time', (database) => {
  let house: TestApp
  let owner: TestOwner
  let call: Call

  beforeAll(async () => {
    house = await buildTestApp(database(), { now: () => NOW })
  })
  beforeEach(async () => {
    owner = await house.register()
    call = callAs(house, owner)
  })
  afterAll(() => house.close())

  async function remember(text: string, set = ''): Promise<string> {
    const { id } = (await call('POST', '/memories', { text })).data
    if (set) await database().pool.query(`UPDATE memories SET ${set} WHERE id = $1`, [id])
    return id
  }
  async function say(content: string, createdAt: string): Promise<void> {
    await call('POST', '/conversations/import', { messages: [{ role: 'user', content, createdAt }] })
  }
  async function recall(query: string, more: object = {}): Promise<RecallItem[]> {
    const { status, data } = await call('POST', '/recall', { query, ...more })
    expect(status).toBe(200)
    return data.items
  }
  const textsOf = (items: RecallItem[]) => items.map(({ text }) => text)

  test('what held then, and only what holds now unless another time is asked for', async () => {
    const oslo = `status = 'superseded', valid_from = '2020-01-01Z', valid_to = '2025-06-01Z', closed_at = '2025-07-01Z',
      created_at = '2025-03-01Z'`
    await remember('My home is in Oslo', oslo)
    await remember('My home is in Bergen', `valid_from = '2025-06-01Z', created_at = '2025-07-01Z'`)
    const at = async (more: object) => textsOf(await recall('Where is my home?', more))
    expect(await at({})).toEqual(['My home is in Bergen'])
    expect(await at({ asOf: '2025-04-01T00:00:00Z' })).toEqual(['My home is in Oslo'])
    expect(await at({ asOf: '2019-01-01T00:00:00Z' })).toEqual([])
    // In mid-June PAI had not been told yet that it ended.
    expect(await at({ asOf: '2025-06-15T00:00:00Z' })).toEqual(['My home is in Bergen'])
    const june = '2025-06-15T00:00:00Z'
    expect(await at({ asOf: june, knownAt: june })).toEqual(['My home is in Oslo'])
    expect(await at({ knownAt: '2025-08-01T00:00:00Z' })).toEqual(['My home is in Bergen'])
    expect(await at({ knownAt: '2025-01-01T00:00:00Z' })).toEqual([])
  })

  test('a plan that is still to come is told, though it does not hold yet', async () => {
    await remember('My holiday in Rome begins', `valid_from = '2026-08-01Z'`)
    expect(await recall('When is my holiday?')).toHaveLength(1)
    expect(await recall('When is my holiday?', { asOf: NOW.toISOString() })).toEqual([])
  })

  test('of equal matches the one of the time that is named stands first', async () => {
    await say('The bee hive was repaired', '2023-03-05T10:00:00Z')
    await say('The bee hive was repaired', '2024-06-05T10:00:00Z')
    await say('The bee hive was repaired', '2025-09-05T10:00:00Z')
    const [first, second] = await recall('Who repaired the bee hive in June 2024?')
    expect(first).toMatchObject({
      at: '2024-06-05T10:00:00.000Z',
      matchedBy: expect.arrayContaining(['time'])
    })
    expect(second?.matchedBy).not.toContain('time')
  })

  test('a question about a time alone finds what was said in it, in the owner’s time zone', async () => {
    await call('PATCH', '/me', { timezone: 'Asia/Tokyo' })
    // Already Wednesday the 11th in Tokyo.
    await say('Penguins walk funnily', '2026-03-10T16:00:00Z')
    await say('Walruses do not', '2026-03-10T14:00:00Z')
    const found = await recall('What did I say yesterday?')
    expect(found.map(({ text, matchedBy }) => [text, matchedBy])).toEqual([
      ['Penguins walk funnily', ['time']]
    ])
    expect(await recall('What did I say yesterday?', { ways: ['lexical', 'vector', 'entity'] })).toEqual([])
    expect(await recall('What happened in May 2001?')).toEqual([])
  })

  test('a temporary chat is not found by its time either', async () => {
    await call('POST', '/chat', { message: 'Penguins walk funnily', temporary: true })
    await runJobs(house, owner.id)
    await database().pool.query(`UPDATE messages SET created_at = $2 WHERE owner_id = $1`, [owner.id, NOW])
    expect(await recall('What did I say today?')).toEqual([])
  })

  test('names are matched whatever their case, and say so', async () => {
    await remember('The keys are with Ada')
    const [item] = await recall('what does ada have?')
    expect(item?.matchedBy).toContain('entity')
  })

  test('what is contested, inferred or faded stands behind its equal', async () => {
    await remember('The bee hive is red', `status = 'unconfirmed'`)
    await remember('The bee hive is blue', `status = 'conflicting'`)
    await remember('The bee hive is green', `created_at = '2010-01-01Z'`)
    await remember('The bee hive is white', `created_at = '2010-01-01Z', pinned = true`)
    await remember('The bee hive is black')
    expect(textsOf(await recall('bee hive'))).toEqual([
      'The bee hive is white',
      'The bee hive is black',
      'The bee hive is green',
      'The bee hive is blue',
      'The bee hive is red'
    ])
  })

  test('as much as fits a budget of tokens, best first', async () => {
    for (const colour of ['red', 'blue', 'green']) await remember(`The bee hive is ${colour}`)
    expect(await recall('bee hive', { budgetTokens: 13 })).toHaveLength(2)
    expect(await recall('bee hive', { budgetTokens: 1 })).toEqual([])
    // A pasted page on top does not keep out what fits.
    const page = 'bee hive '.repeat(300).trim()
    await remember(page)
    expect(textsOf(await recall('bee hive'))[0]).toBe(page)
    expect(await recall('bee hive', { budgetTokens: 13 })).toHaveLength(2)
    expect((await call('POST', '/recall', { query: 'bee hive', budgetTokens: 0 })).status).toBe(400)
  })

  test('a threshold of the caller’s own takes the place of the calibrated one', async () => {
    await remember('The bee hive behind the old shed of my neighbour is blue')
    const query = 'Which colour had the submarine that sank near the hive in the film about whales?'
    expect(await recall(query)).toEqual([])
    expect(await recall(query, { minMatch: 0 })).toHaveLength(1)
    expect(await recall('bee hive', { minMatch: 1 })).toEqual([])
  })

  test('what a reply quotes grows stronger, once however often the job runs', async () => {
    const id = await remember('My sister Ada keeps bees in Tromsø')
    await runJobs(house, owner.id)
    const reply = await call('POST', '/chat', { message: 'Where does Ada keep bees?' })
    expect(reply.data.message.citations).toMatchObject([{ kind: 'memory', id }])
    await runJobs(house, owner.id)
    const { strength } = (await call('GET', `/memories/${id}`)).data
    expect(strength).toBeCloseTo(1.1)
    const { rows } = await database().pool.query('SELECT last_used_at AS at FROM memories WHERE id = $1', [
      id
    ])
    const payload = {
      ownerId: owner.id,
      memoryIds: [],
      messageIds: [],
      used: { memoryIds: [id], at: rows[0].at.toISOString() }
    }
    await house.services.jobs['memory.index'](payload, new AbortController().signal)
    expect((await call('GET', `/memories/${id}`)).data.strength).toBeCloseTo(1.1)
  })
})
