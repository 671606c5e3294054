import { describe, expect, test } from 'vitest'
import { runJobs } from '../memory/jobs.ts'
import { describeEachDatabase } from '../support/database.ts'
import { callAs, setUp, shareHouse } from './talk.ts'

interface Found {
  conversation: { id: string; title: string; archived: boolean }
  titleHighlights: { start: number; end: number }[]
  snippets: { messageId: string; role: string; text: string; highlights: { start: number; end: number }[] }[]
}

describeEachDatabase('searching conversations', (database) => {
  const refused = shareHouse(database)

  async function talking() {
    const { house, owner, call } = await setUp(database(), ['Noted.'])
    const say = async (message: string, more = {}) =>
      (await call('POST', '/chat', { message, ...more })).data as {
        conversationId: string
        message: { parentId: string }
      }
    const search = async (query: string, more = '') => {
      const { status, data } = await call(
        'GET',
        `/conversations/search?query=${encodeURIComponent(query)}${more}`
      )
      expect(status).toBe(200)
      return data as { items: Found[]; nextCursor: string | null }
    }
    return { house, call, say, search, index: () => runJobs(house, owner.id) }
  }

  const idsOf = ({ items }: { items: Found[] }) => items.map(({ conversation }) => conversation.id)

  test('finds them by what was said, with the words it was found by', async () => {
    const { say, search, index } = await talking()
    const bees = await say('Good morning to you')
    const told = await say('My sister keeps bees in Tromsø', { conversationId: bees.conversationId })
    await say('I like trains')
    await index()
    const found = await search('keeping bees')
    expect(idsOf(found)).toEqual([bees.conversationId])
    const [snippet] = found.items[0]?.snippets ?? []
    expect(snippet).toMatchObject({
      messageId: told.message.parentId,
      role: 'user',
      text: 'My sister keeps bees in Tromsø'
    })
    expect(snippet?.highlights.map(({ start, end }) => snippet.text.slice(start, end))).toEqual([
      'keeps',
      'bees'
    ])
  })

  test('finds them by their titles, whatever the case and accents', async () => {
    const { call, search } = await talking()
    const { id } = (await call('POST', '/conversations', { title: 'Vinter i TROMSØ' })).data
    await call('POST', '/conversations', { title: '100% wool' })
    for (const query of ['tromsø', 'TROMSO', 'vinter tromso']) {
      const { items } = await search(query)
      expect(items.map(({ conversation }) => conversation.id)).toEqual([id])
      expect(items[0]).toMatchObject({ snippets: [] })
      expect(items[0]?.titleHighlights.at(-1)).toEqual({ start: 9, end: 15 })
    }
    // Less than half of the words is no match, and a sign of LIKE's is only a sign.
    expect(idsOf(await search('summer in Tromso with the hives'))).toEqual([])
    expect(idsOf(await search('%'))).toEqual([])
  })

  test('counts a conversation once, with its best messages, and those that are archived too', async () => {
    const { call, say, search, index } = await talking()
    const { conversationId } = await say('The hives stand in the garden')
    for (const message of ['Hives need paint', 'Hives are heavy', 'Blue hives'])
      await say(message, { conversationId })
    await call('PATCH', `/conversations/${conversationId}`, { archived: true })
    await index()
    const { items } = await search('hives')
    expect(items).toHaveLength(1)
    expect(items[0]?.conversation).toMatchObject({ id: conversationId, archived: true })
    expect(items[0]?.snippets).toHaveLength(3)
  })

  test('goes through the pages, each conversation once', async () => {
    const { say, search, index } = await talking()
    for (let count = 0; count < 5; count++) await say(`Hives, number ${count}`)
    await index()
    const whole = idsOf(await search('hives'))
    expect(whole).toHaveLength(5)
    const pages: string[][] = []
    for (let cursor: string | null = '0'; cursor !== null; ) {
      const page: { items: Found[]; nextCursor: string | null } = await search(
        'hives',
        `&limit=2&cursor=${cursor}`
      )
      pages.push(idsOf(page))
      cursor = page.nextCursor
    }
    expect(pages).toEqual([whole.slice(0, 2), whole.slice(2, 4), whole.slice(4)])
  })

  test('neither finds nor shows what is forgotten, from the moment it is', async () => {
    const { call, say, search, index } = await talking()
    await say('Ada keeps bees. The weather is fine')
    await index()
    const { id } = (await call('POST', '/memories', { text: 'Ada keeps bees' })).data
    expect((await search('bees')).items).toHaveLength(1)
    await call('DELETE', `/memories/${id}`)
    expect(await search('bees')).toEqual({ items: [], nextCursor: null })
    expect(JSON.stringify(await search('weather'))).not.toContain('bees')
    await call('DELETE', `/memories/${id}?purge=true`)
    await index()
    expect(await search('bees')).toEqual({ items: [], nextCursor: null })
    const { items } = await search('weather')
    expect(items).toHaveLength(1)
    expect(JSON.stringify(items)).not.toContain('bees')
  })

  test('finds neither temporary chats nor what is somebody else’s', async () => {
    const { house, say, search, index } = await talking()
    await say('Secret hives', { temporary: true })
    const stranger = await house.register()
    await callAs(house, stranger)('POST', '/chat', { message: 'Hives of a stranger' })
    await runJobs(house, stranger.id)
    await index()
    expect((await search('hives')).items).toEqual([])
  })

  describe('refuses', () => {
    test.each(['', '%20%20', '%0A'])('an empty query: %j', async (query) => {
      const { status, data } = await refused()('GET', `/conversations/search?query=${query}`)
      expect([status, data.code]).toEqual([400, 'PAI_CHAT_QUERY_EMPTY'])
    })

    test.each([
      '',
      '?q=bees',
      '?query=bees&limit=0',
      '?query=bees&limit=201',
      '?query=bees&cursor=-1',
      '?query=bees&cursor=x',
      `?query=${'a'.repeat(1_001)}`
    ])('a request that is not what it should be: %s', async (query) => {
      const { status, data } = await refused()('GET', `/conversations/search${query}`)
      expect([status, data.code]).toEqual([400, 'PAI_VALIDATION'])
    })
  })
})
