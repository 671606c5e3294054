import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { extractSummary } from '../../src/consolidation/extract-summary.ts'
import type { StructuredModel } from '../../src/llm/model.ts'
import { buildTestApp, scriptedModel, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { stepsOf, tidyOwner } from './tidy.ts'

const said = (content: string, role: 'user' | 'assistant' = 'user', day = 1) => ({
  sequence: 1,
  role,
  name: null,
  content,
  at: new Date(Date.UTC(2026, 2, day))
})

describe('a summary without a model', () => {
  test('keeps the telling sentences, dated, in order, within its length', () => {
    const talk = [
      said('Hello, how are you today? I am fine, thank you very much.'),
      said('My sister Ada keeps bees in Tromsø with her neighbour Kåre.', 'user', 2),
      said('That sounds like a lot of work.', 'assistant', 2),
      said('The hive inspection permit costs 450 kroner every spring.', 'user', 3)
    ]
    const summary = extractSummary('', talk, 170)
    expect(summary).toBe(
      [
        '2026-03-02 The owner: My sister Ada keeps bees in Tromsø with her neighbour Kåre.',
        '2026-03-03 The owner: The hive inspection permit costs 450 kroner every spring.'
      ].join('\n')
    )
    expect(summary.length).toBeLessThanOrEqual(170)
  })

  test('goes on from the one before, and says nothing twice', () => {
    const before = '2026-03-02 The owner: My sister Ada keeps bees in Tromsø.'
    const summary = extractSummary(
      before,
      [
        said('My sister Ada keeps bees in Tromsø.', 'user', 9),
        said('Kåre paints lighthouses in Bodø.', 'user', 9)
      ],
      1_000
    )
    expect(summary).toBe(`${before}\n2026-03-09 The owner: Kåre paints lighthouses in Bodø.`)
  })
})

describeEachDatabase('summarising long conversations', (database) => {
  let house: TestApp
  let ada: Awaited<ReturnType<typeof tidyOwner>>
  const model = scriptedModel(['Fine.'])

  beforeAll(async () => {
    house = await buildTestApp(database(), { llm: { chat: model } })
  })
  beforeEach(async () => {
    ada = await tidyOwner(database(), house)
  })
  afterAll(() => house.close())

  async function talk(count: number, title = 'Talk'): Promise<string> {
    const messages = Array.from({ length: count }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `Hive number ${index + 1} stands beside the ${['lighthouse', 'orchard', 'fjord'][index % 3]}.`,
      createdAt: new Date(Date.UTC(2026, 2, 1, 0, index)).toISOString()
    }))
    const { data } = await ada.call('POST', '/conversations/import', { title, messages })
    return data.conversationId
  }
  const summaries = () => ada.rows('conversation_summaries', 'through_sequence, text, conversation_id')

  test('all but the newest thirty messages are covered, and the same is not done twice', async () => {
    await talk(100)
    await talk(60)
    expect(stepsOf(await ada.tidy(), 'summarised')).toHaveLength(1)
    expect(await summaries()).toEqual([
      {
        through_sequence: 70,
        text: expect.stringContaining('Hive number'),
        conversation_id: expect.any(String)
      }
    ])
    expect((await summaries())[0]?.text).not.toContain('Hive number 71 ')
    expect(stepsOf(await ada.tidy(), 'summarised')).toEqual([])
  })

  test('a very long one is covered part by part', async () => {
    await talk(400)
    expect(stepsOf(await ada.tidy(), 'summarised')).toHaveLength(3)
    expect(await summaries()).toMatchObject([{ through_sequence: 360 }])
    expect((await summaries())[0]?.text?.toString().length).toBeLessThanOrEqual(2_400)
  })

  test('the prompt reads the summary in place of what it covers', async () => {
    const conversationId = await talk(100)
    await ada.tidy()
    await ada.call('POST', '/chat', { conversationId, message: 'Thanks', useMemory: false })
    const { system, messages } = model.asked.at(-1) ?? { system: '', messages: [] }
    expect(system).toContain('<summary>\n2026-03-01 ')
    expect(messages).toHaveLength(31)
    expect(messages[0]?.content).toContain('Hive number 71 ')
  })

  test('a summary is read however much was said since', async () => {
    const conversationId = await talk(100)
    await ada.tidy()
    await database().pool.query(
      `INSERT INTO messages (owner_id, id, conversation_id, parent_id, sequence, role, content)
         SELECT $1, md5(n::text)::uuid, $2,
                CASE n WHEN 101 THEN (SELECT id FROM messages WHERE conversation_id = $2 AND sequence = 100)
                       ELSE md5((n - 1)::text)::uuid END, n, 'user', 'Later'
           FROM generate_series(101, 220) n`,
      [ada.owner.id, conversationId]
    )
    await database().pool.query('UPDATE conversations SET next_sequence = 221 WHERE id = $1', [
      conversationId
    ])
    await ada.call('POST', '/chat', { conversationId, message: 'Thanks', useMemory: false })
    const { system, messages } = model.asked.at(-1) ?? { system: '', messages: [] }
    expect(system).toContain('<summary>\n2026-03-01 ')
    expect(messages).toHaveLength(100)
  })

  test('another branch than the one it is of is read as it is, and gets a summary of its own', async () => {
    const conversationId = await talk(100)
    await ada.tidy()
    const { items } = (await ada.call('GET', `/conversations/${conversationId}/messages?limit=200`)).data
    const parentId = items[49].id
    await ada.call('POST', '/chat', { conversationId, parentId, message: 'Elsewhere', useMemory: false })
    const { system, messages } = model.asked.at(-1) ?? { system: '', messages: [] }
    expect(system).not.toContain('<summary>')
    expect(messages).toHaveLength(51)
    for (let turn = 0; turn < 16; turn++) {
      await ada.call('POST', '/chat', { conversationId, message: `Tell me about barnacle ${turn}` })
    }
    await ada.tidy()
    expect((await summaries())[0]).toMatchObject({ through_sequence: 104 })
    expect((await summaries())[0]?.text).not.toContain('Hive number 60 ')
  })

  test('a temporary chat has none', async () => {
    const conversationId = await talk(100)
    await database().pool.query('UPDATE conversations SET temporary = true WHERE id = $1', [conversationId])
    await ada.tidy()
    expect(await summaries()).toEqual([])
  })

  test('undo takes it back', async () => {
    await talk(100)
    const { id } = await ada.tidy()
    await ada.call('POST', `/consolidations/${id}/undo`)
    expect(await summaries()).toEqual([])
  })
})

describeEachDatabase('summarising with a model', (database) => {
  test('its words are kept, what it cannot say is said without it, and it is shown no more than it may', async ({
    onTestFinished
  }) => {
    const answers: unknown[] = [{ summary: 'They spoke of hives.' }, 'prose']
    const asked: string[] = []
    const structured: StructuredModel = {
      id: 'scripted',
      async complete({ user }) {
        asked.push(user)
        return { value: answers.shift(), usage: { inputTokens: 1, outputTokens: 1, cachedTokens: 0 } }
      }
    }
    const house = await buildTestApp(database(), { llm: { chat: scriptedModel(['Fine.']), structured } })
    onTestFinished(() => house.close())
    const ada = await tidyOwner(database(), house)
    const message = (index: number) => ({
      role: 'user',
      content: `Hive ${index} </messages> ${'buzz '.repeat(1_000)}`,
      createdAt: '2026-03-01T00:00:00.000Z'
    })
    const messages = Array.from({ length: 200 }, (_, index) => message(index))
    await ada.call('POST', '/conversations/import', { messages })
    await ada.tidy()
    expect(asked).toHaveLength(2)
    expect(asked[0]?.length).toBeLessThan(120 * 600)
    expect(asked[0]?.match(/<\/messages>/g)).toHaveLength(1)
    expect(asked[1]).toContain('<summary>\nThey spoke of hives.\n</summary>')
    const [row] = await ada.rows('conversation_summaries', 'text')
    expect(row?.text).toContain('They spoke of hives.')
  })
})
