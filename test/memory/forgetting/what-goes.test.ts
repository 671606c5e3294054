import { expect, test } from 'vitest'
import { keepMemory } from '../../../src/memory/store.ts'
import { setUp } from '../../chat/talk.ts'
import { describeEachDatabase } from '../../support/database.ts'

describeEachDatabase('what goes with a memory', (database) => {
  async function house() {
    let time = Date.now()
    const { house, owner, call, model } = await setUp(database(), ['Noted.'], { now: () => new Date(time) })
    const say = async (message: string, more: object = {}): Promise<Said> => {
      const { data } = await call('POST', '/chat', { message, ...more })
      return { id: data.message.parentId, conversationId: data.conversationId, content: message }
    }
    /** Keeps a fact that a message told with these words. */
    const learn = async (text: string, said: Said, quote = text, subject: string | null = null) => {
      const id = await database().inOwner(owner.id, (tx) =>
        keepMemory(
          tx,
          owner.id,
          { text, category: 'fact', importance: 0.5 },
          {
            kind: 'message',
            messageId: said.id,
            quote,
            quoteStart: said.content.indexOf(quote),
            saidBy: 'owner',
            saidAt: new Date()
          }
        )
      )
      await database().pool.query('UPDATE memories SET subject = $2 WHERE id = $1', [id, subject])
      return id
    }
    return {
      owner,
      call,
      model,
      say,
      learn,
      pass(minutes: number): void {
        time += minutes * 60_000
      },
      purge: (id: string) => house.services.purge(owner.id, id),
      query: (statement: string, ...values: unknown[]) =>
        database().pool.query(statement, [owner.id, ...values]),
      texts: async (): Promise<string[]> =>
        (await call('GET', '/memories')).data.items.map(({ text }: { text: string }) => text).toSorted(),
      contentOf: async (id: string): Promise<string> =>
        (await database().pool.query('SELECT content FROM messages WHERE id = $1', [id])).rows[0].content
    }
  }
  type Said = { id: string; conversationId: string; content: string }

  test.each([
    ['a year', 'I graduated in 2019.', '2019', 'My son was born in 2019.'],
    ['a part of a sentence', 'I live in Oslo.', 'live in Oslo', 'My parents live in Oslo.'],
    ['a name', 'I admire Ada Lovelace.', 'Ada Lovelace', 'My cat is called Ada Lovelace.'],
    ['the same words in another statement', 'I have a cat', 'I have a cat', 'I have a cat allergy']
  ])('%s that is quoted takes nothing else along', async (_what, text, quote, other) => {
    const { call, say, learn, texts, contentOf } = await house()
    const [told, elsewhere] = [await say(`Well. ${text}`), await say(quote === text ? 'Hello' : other)]
    const id = await learn(text, told, quote)
    await learn(other, elsewhere, elsewhere.content)
    await call('DELETE', `/memories/${id}?purge=true`)
    expect(await texts()).toEqual([other])
    expect(await contentOf(elsewhere.id)).toBe(elsewhere.content)
    expect(await contentOf(told.id)).not.toContain(quote)
    expect((await call('GET', '/memory-purges')).data.items).toHaveLength(1)
  })

  test('the same said of somebody else stays, and so do its words', async () => {
    const { call, say, learn, texts, contentOf } = await house()
    const [ada, bob] = [await say('Ada: works at Nordea'), await say('Bob: works at Nordea!')]
    const id = await learn('Works at Nordea', ada, 'works at Nordea', 'Ada')
    await learn('Works — at Nordea', bob, 'works at Nordea!', 'Bob')
    await call('DELETE', `/memories/${id}?purge=true`)
    expect(await texts()).toEqual(['Works — at Nordea'])
    expect(await contentOf(ada.id)).toBe('Ada: [forgotten]')
    expect(await contentOf(bob.id)).toBe('Bob: works at Nordea!')
  })

  test('a home that was left and found again outlives the one between', async () => {
    const { call, say, learn, texts, contentOf, query } = await house()
    const first = await learn('I live in Bergen', await say('I live in Bergen'))
    const second = await learn('I live in Oslo', await say('I live in Oslo'))
    const set = 'UPDATE memories SET status = $2, superseded_by = $3 WHERE owner_id = $1 AND id = $4'
    await query(set, 'superseded', second, first)
    const again = await say('Again: I live in Bergen')
    const third = await learn('I live in Bergen', again)
    await query(set, 'superseded', third, second)
    await call('DELETE', `/memories/${second}?purge=true`)
    expect(await texts()).toEqual(['I live in Bergen'])
    expect(await contentOf(again.id)).toBe(again.content)
  })

  test('what is said again after it was forgotten stays', async () => {
    const { call, say, learn, texts, contentOf, pass, purge, model } = await house()
    const told = await say('I am allergic to nuts')
    const id = await learn('I am allergic to nuts', told)
    await call('DELETE', `/memories/${id}`)
    const again = await say('Listen: I am allergic to nuts', { conversationId: told.conversationId })
    await learn('I am allergic to nuts', again)
    const { conversationId } = again
    await say('And so?', { conversationId })
    const asked = JSON.stringify(model.asked.at(-1))
    expect(asked).toContain('Listen: I am allergic to nuts')
    expect(asked).toContain('"[forgotten]"')
    pass(11)
    await purge(id)
    expect(await texts()).toEqual(['I am allergic to nuts'])
    expect(await contentOf(told.id)).toBe('[forgotten]')
    expect(await contentOf(again.id)).toBe('Listen: I am allergic to nuts')
    const { items } = (await call('GET', '/memory-purges')).data
    expect(items).toHaveLength(1)
  })

  test('hidden together with another, one that is purged at once takes that along, and nothing else', async () => {
    const { call, say, learn, texts, query } = await house()
    const told = await say('I live in Oslo')
    const ids = [
      await learn('I live in Oslo', told),
      await learn('I know that I live in Oslo', told, 'I live in Oslo'),
      await learn('I like rain', await say('I like rain'))
    ]
    await call('DELETE', `/memories/${ids[0]}`)
    await call('DELETE', `/memories/${ids[1]}?purge=true`)
    expect(await texts()).toEqual(['I like rain'])
    const { rows } = await query('SELECT id FROM memories WHERE owner_id = $1')
    expect(rows).toEqual([{ id: ids[2] }])
  })

  test('words in the reasons, tags and subjects of others, and in names, are cleaned', async () => {
    const { call, say, learn, query } = await house()
    const nuts = 'I am allergic to nuts'
    const id = await learn(nuts, await say(nuts))
    const other = await say('I like rain')
    await learn('I like rain', other)
    await query(
      `UPDATE memories SET importance_reason = $2, subject = $3, tags = ARRAY[$3, 'weather'] WHERE owner_id = $1 AND text = 'I like rain'`,
      `Since ${nuts}.`,
      nuts
    )
    await query('UPDATE messages SET name = $2 WHERE owner_id = $1 AND id = $3', nuts, other.id)
    await call('DELETE', `/memories/${id}?purge=true`)
    const { rows } = await query(
      'SELECT importance_reason AS reason, subject, tags FROM memories WHERE owner_id = $1'
    )
    expect(rows).toEqual([
      { reason: 'Since [forgotten].', subject: '[forgotten]', tags: ['[forgotten]', 'weather'] }
    ])
    const { rows: names } = await query('SELECT name FROM messages WHERE owner_id = $1 AND id = $2', other.id)
    expect(names).toEqual([{ name: '[forgotten]' }])
  })

  test('what was said in wide letters is redacted', async () => {
    const { call, say, learn, contentOf } = await house()
    const id = await learn('I am allergic to nuts', await say('I am allergic to nuts'))
    const wide = await say('So: Ｉ ａｍ allergic to ｎｕｔｓ, mind!')
    await call('DELETE', `/memories/${id}?purge=true`)
    expect(await contentOf(wide.id)).toBe('So: [forgotten], mind!')
  })

  test('a short answer that told it is in no prompt any more', async () => {
    const { call, say, learn, model } = await house()
    const told = await say('Yes, peanuts')
    const id = await learn('The owner is allergic to peanuts', told, 'Yes, peanuts')
    await call('DELETE', `/memories/${id}`)
    await say('And what else?', { conversationId: told.conversationId })
    expect(JSON.stringify(model.asked.at(-1))).not.toContain('peanuts')
  })
})
