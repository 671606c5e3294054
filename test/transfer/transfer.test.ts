import { expect, onTestFinished, test } from 'vitest'
import { type Call, callAs, setUp } from '../chat/talk.ts'
import { runJob, takeJobs } from '../memory/jobs.ts'
import { buildTestApp, type TestApp, type TestOwner } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'

const BEES = 'My sister Ada keeps bees in Tromsø'

/** Two people's exports differ in when they were made, and in nothing else that matters. */
function withoutTime(text: string) {
  const { exportedAt: _, account: __, ...rest } = JSON.parse(text)
  return rest
}

async function work(house: TestApp, owner: TestOwner): Promise<void> {
  const { database } = house.services
  for (let jobs = await takeJobs(database, owner.id); jobs.length > 0; ) {
    for (const job of jobs) if (job.name !== 'memory.extract') await runJob(house, job)
    jobs = await takeJobs(database, owner.id)
  }
}

const CHATGPT = [
  {
    title: 'Beekeeping',
    create_time: 1_700_000_000.5,
    update_time: 1_700_000_100,
    conversation_id: 'abc',
    mapping: {
      root: { id: 'root', parent: null, children: ['sys'], message: null },
      sys: {
        parent: 'root',
        message: { author: { role: 'system' }, content: { content_type: 'text', parts: [''] } }
      },
      ask: {
        parent: 'sys',
        message: {
          author: { role: 'user' },
          create_time: 1_700_000_001,
          content: { content_type: 'text', parts: ['How do bees winter in Tromsø?'] }
        }
      },
      tool: {
        parent: 'ask',
        message: { author: { role: 'tool' }, create_time: 1_700_000_002, content: { parts: ['searching'] } }
      },
      one: {
        parent: 'tool',
        message: {
          author: { role: 'assistant' },
          create_time: 1_700_000_003,
          content: { content_type: 'text', parts: ['In a cluster.', { image: 'x' }] },
          metadata: { model_slug: 'gpt-4o' }
        }
      },
      two: {
        parent: 'ask',
        message: { author: { role: 'assistant' }, create_time: null, content: { parts: ['They huddle.'] } }
      }
    }
  },
  { title: 'Empty', create_time: 1_700_000_000, conversation_id: 'empty', mapping: {} }
]
const CLAUDE = [
  {
    uuid: '4f0c',
    name: 'Hives',
    created_at: '2024-03-01T10:00:00.123456Z',
    updated_at: '2024-03-02T10:00:00Z',
    chat_messages: [
      { uuid: 'm1', sender: 'human', text: 'Where do hives stand best?', created_at: '2024-03-01T10:00:01Z' },
      {
        uuid: 'm2',
        sender: 'assistant',
        text: '',
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'Facing south.' }
        ],
        created_at: '2024-03-01T10:00:05Z'
      }
    ]
  }
]

describeEachDatabase('taking everything along', (database) => {
  async function twoOwners() {
    const house = await buildTestApp(database())
    onTestFinished(() => house.close())
    const [ada, bob] = [await house.register(), await house.register()]
    return { house, ada, bob, asAda: callAs(house, ada), asBob: callAs(house, bob) }
  }
  const send = (call: Call, file: unknown, query = '', key?: string) =>
    call('POST', `/import${query}`, file, key ? { 'idempotency-key': key } : undefined)

  test('an export that is imported is exported again as it was, also when it comes twice', async () => {
    const { house, ada, bob, asAda, asBob } = await twoOwners()
    await asAda('POST', '/chat', { message: `${BEES}. What else?` })
    await asAda('POST', '/chat', { message: 'A secret', temporary: true })
    const kept = (await asAda('POST', '/memories', { text: BEES, pinned: true })).data
    await asAda('PATCH', `/memories/${kept.id}`, { text: `${BEES} and goats`, tags: ['family'] })
    const other = (await asAda('POST', '/memories', { text: 'Ada has bees' })).data
    await asAda('POST', `/memories/${kept.id}/merge`, { ids: [other.id] })
    const gone = (await asAda('POST', '/memories', { text: 'My locker code is 4711' })).data
    await asAda('DELETE', `/memories/${gone.id}`)
    await work(house, ada)

    const first = await asAda('GET', '/export')
    expect(first.type).toMatch(/^application\/json/)
    const file = JSON.parse(first.text)
    expect(file).toMatchObject({ format: 'pai-export', version: 1, account: { name: 'Ada' } })
    expect(first.text).not.toMatch(/4711|A secret/)
    expect(file.memories.map(({ id }: { id: string }) => id)).toEqual([kept.id, other.id])

    const brought = await send(asBob, file, '', 'once')
    expect(brought.status).toBe(200)
    expect(brought.data).toMatchObject({ source: 'pai', conversations: 1, messages: 2, memories: 2 })
    expect((await send(asBob, file, '', 'once')).data).toEqual(brought.data)
    expect((await send(asBob, file)).data).toMatchObject({ conversations: 0, messages: 0, memories: 0 })
    await work(house, bob)
    expect(withoutTime((await asBob('GET', '/export')).text)).toEqual(withoutTime(first.text))
    const { items } = (await asBob('POST', '/memories/search', { query: 'bees goats' })).data
    expect(items[0].memory).toMatchObject({ id: kept.id, pinned: true, tags: ['family'] })
    expect((await asBob('POST', '/recall', { query: 'sister Ada bees' })).data.items.length).toBeGreaterThan(
      1
    )
    // And it can still be undone there.
    expect((await asBob('POST', `/memories/${kept.id}/undo`)).data.text).toBe(`${BEES} and goats`)
  })

  test('the profile in it is the one that may be read now, without what was forgotten since', async () => {
    const { call, owner } = await setUp(database(), ['Noted.'])
    const [bees, rain] = [
      (await call('POST', '/memories', { text: BEES })).data.id,
      (await call('POST', '/memories', { text: 'I like rain' })).data.id
    ]
    await database().pool.query('INSERT INTO profiles (owner_id, text, memory_ids) VALUES ($1, $2, $3)', [
      owner.id,
      `- ${BEES}\n- I like rain`,
      [bees, rain]
    ])
    expect(JSON.parse((await call('GET', '/export')).text).profile.text).toContain(BEES)
    await call('DELETE', `/memories/${bees}`)
    const { profile } = JSON.parse((await call('GET', '/export')).text)
    expect(profile).toEqual((await call('GET', '/profile')).data)
    expect(profile).toMatchObject({ text: '- I like rain', memoryIds: [rain] })
    expect((await call('GET', '/export?format=markdown')).text).not.toContain('bees')
  })

  test('as Markdown it can be read', async () => {
    const { call, owner, house } = await setUp(database(), ['Noted.'])
    await call('POST', '/chat', { message: `${BEES}.` })
    await call('POST', '/memories', { text: BEES })
    await work(house, owner)
    const { text, type } = await call('GET', '/export?format=markdown')
    expect(type).toMatch(/^text\/markdown/)
    expect(text).toMatch(/^# What PAI knows\n/)
    expect(text).toContain(`- ${BEES} (note, active`)
    expect(text).toContain(`  > ${BEES} (`)
    expect(text).toContain(`### ${BEES}.`)
    expect(text).toMatch(/\*\*PAI\*\* \(.*\):\n\nNoted\./)
  })

  test('ChatGPT’s export becomes conversations with their branches and dates, once', async () => {
    const { house, bob, asBob } = await twoOwners()
    const { data } = await send(asBob, CHATGPT, '?extract=true')
    expect(data).toMatchObject({ source: 'chatgpt', conversations: 1, messages: 3, memories: 0 })
    const progress = (await asBob('GET', `/imports/${data.importIds[0]}`)).data
    expect(progress).toMatchObject({ status: 'processing', total: 3, done: 0 })
    expect((await send(asBob, CHATGPT)).data).toMatchObject({ conversations: 0, messages: 0 })
    await work(house, bob)
    expect((await asBob('GET', `/imports/${data.importIds[0]}`)).data.status).toBe('ready')
    const [conversation] = (await asBob('GET', '/conversations')).data.items
    expect(conversation).toMatchObject({ title: 'Beekeeping', createdAt: '2023-11-14T22:13:20.500Z' })
    const { items } = (await asBob('GET', `/conversations/${conversation.id}/messages`)).data
    expect(items).toMatchObject([
      { role: 'user', parentId: null, content: 'How do bees winter in Tromsø?' },
      { role: 'assistant', parentId: items[0].id, content: 'They huddle.' },
      { role: 'assistant', parentId: items[0].id, content: 'In a cluster.', model: 'gpt-4o' }
    ])
    const found = (await asBob('POST', '/recall', { query: 'bees winter' })).data.items
    expect(found.map(({ text }: { text: string }) => text)).toContain('How do bees winter in Tromsø?')
  })

  test('Claude’s export too, and what was added since is added', async () => {
    const { house, bob, asBob } = await twoOwners()
    expect((await send(asBob, CLAUDE)).data).toMatchObject({
      source: 'claude',
      conversations: 1,
      messages: 2
    })
    const [first] = CLAUDE
    const later = { uuid: 'm3', sender: 'human', text: 'Thanks!', created_at: '2024-03-02T10:00:00Z' }
    const grown = [{ ...first, chat_messages: [...(first?.chat_messages ?? []), later] }]
    expect((await send(asBob, grown)).data).toMatchObject({ conversations: 0, messages: 1 })
    await work(house, bob)
    const [conversation] = (await asBob('GET', '/conversations')).data.items
    const { items } = (await asBob('GET', `/conversations/${conversation.id}/messages`)).data
    expect(items.map(({ content }: { content: string }) => content)).toEqual([
      'Where do hives stand best?',
      'Facing south.',
      'Thanks!'
    ])
    expect(items[2]).toMatchObject({ parentId: items[1].id, createdAt: '2024-03-02T10:00:00.000Z' })
  })

  test.each<[string, unknown, string]>([
    ['nothing', {}, 'UNKNOWN'],
    ['an empty list', [], 'UNKNOWN'],
    ['a list of words', ['a'], 'UNKNOWN'],
    ['another format', { format: 'other' }, 'UNKNOWN'],
    ['half of an export', { format: 'pai-export', version: 1 }, 'INVALID'],
    ['a later version', { format: 'pai-export', version: 2 }, 'INVALID'],
    ['a mapping that is none', [{ conversation_id: 'a', mapping: 1 }], 'INVALID'],
    ['messages that are none', [{ uuid: 'a', chat_messages: [1] }], 'INVALID'],
    ['entries that are none', [{ uuid: 'a', chat_messages: [] }, null], 'INVALID']
  ])('%s is refused', async (_what, file, code) => {
    const { asBob } = await twoOwners()
    expect(await send(asBob, file)).toMatchObject({
      status: 400,
      data: { code: `PAI_TRANSFER_FILE_${code}` }
    })
    expect((await asBob('GET', '/conversations')).data.items).toEqual([])
  })
})
