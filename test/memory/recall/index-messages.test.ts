import { beforeEach, expect, test } from 'vitest'
import { type Call, setUp } from '../../chat/talk.ts'
import type { TestApp, TestOwner } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJobs } from '../jobs.ts'

describeEachDatabase('what finds a message', (database) => {
  let house: TestApp
  let owner: TestOwner
  let call: Call
  /** What the assistant answers next. */
  let reply = 'Noted.'

  beforeEach(async () => {
    reply = 'Noted.'
    const set = await setUp(database(), () => [reply])
    house = set.house
    owner = set.owner
    call = set.call
  })

  async function say(message: string, conversationId?: string): Promise<string> {
    const { data } = await call('POST', '/chat', { message, ...(conversationId ? { conversationId } : {}) })
    return data.conversationId
  }
  async function found(query: string): Promise<string[]> {
    const { data } = await call('POST', '/recall', { query, kinds: ['message'], ways: ['lexical'] })
    return data.items.map(({ text }: { text: string }) => text)
  }
  async function wordsOf(text: string): Promise<Record<string, number>> {
    const { rows } = await database().pool.query(
      `SELECT term, weight FROM message_terms JOIN messages USING (owner_id, id) WHERE owner_id = $1 AND content = $2`,
      [owner.id, text]
    )
    return Object.fromEntries(rows.map(({ term, weight }) => [term, weight]))
  }

  test('its own words, from the moment it is answered', async () => {
    await say('My sister keeps bees in Tromsø')
    expect((await found('bees'))[0]).toBe('My sister keeps bees in Tromsø')
    expect(await found('penguins')).toEqual([])
  })

  test('a little of the words before it: an answer is found by its question', async () => {
    reply = 'Which city do you live in?'
    const conversationId = await say('Hello')
    reply = 'Noted.'
    await say('Oslo, near the park', conversationId)
    expect(await found('Which city do I live in?')).toContain('Oslo, near the park')
    const { oslo = 0, citi = 0 } = await wordsOf('Oslo, near the park')
    expect(citi).toBeGreaterThan(0)
    expect(citi).toBeLessThan(oslo)
  })

  test('a little of the words after it, once the job has run', async () => {
    const conversationId = await say('It is near the park')
    await say('The beehive, that is', conversationId)
    expect(await wordsOf('It is near the park')).not.toHaveProperty('beehiv')
    await runJobs(house, owner.id)
    expect((await wordsOf('It is near the park')).beehiv).toBeGreaterThan(0)
    await runJobs(house, owner.id)
    const { rows } = await database().pool.query(
      `SELECT count, (SELECT count(*)::int FROM message_terms t WHERE t.owner_id = $1 AND t.term = '') AS held
         FROM term_counts WHERE owner_id = $1 AND kind = 'message' AND term = ''`,
      [owner.id]
    )
    expect(rows).toEqual([{ count: 4, held: 4 }])
  })

  test('not the words of another conversation', async () => {
    await say('Which city has the beehive?')
    await say('Oslo, near the park')
    await runJobs(house, owner.id)
    expect(await wordsOf('Oslo, near the park')).not.toHaveProperty('beehiv')
  })

  test('an answer comes before the question that asked for it', async () => {
    await say('Where is the key of the shed?')
    await say('The key of the shed is under the stone')
    expect((await found('Where is the key of the shed?'))[0]).toBe('The key of the shed is under the stone')
  })

  test('a message that goes takes its words and their counts along', async () => {
    const conversationId = await say('My sister keeps bees')
    await call('DELETE', `/conversations/${conversationId}`)
    for (const table of ['message_terms', 'term_counts']) {
      const { rows } = await database().pool.query(
        `SELECT count(*)::int AS rows FROM ${table} WHERE owner_id = $1`,
        [owner.id]
      )
      expect(rows[0].rows, table).toBe(0)
    }
  })

  test('the beginning of a very long neighbour, whose rest says nothing about it', async () => {
    const padding = 'lorem '.repeat(400)
    const conversationId = await say(`Penguins first. ${padding} And walruses last?`)
    await say('I would think so', conversationId)
    const words = await wordsOf('I would think so')
    expect(words).toHaveProperty('penguin')
    expect(words).not.toHaveProperty('walrus')
  })

  test('a very long message is found by what it begins with, and takes no more room than a long one', async () => {
    const words = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => `w${from + index}`).join(' ')
    const long = `penguin ${words(0, 500)}`
    const endless = `beehive ${words(500, 13_000)}`
    const wordy = `${'lorem '.repeat(1_400)} walrus`
    for (const message of [long, endless, wordy]) await say(message)
    expect((await found('penguin'))[0]).toBe(long)
    for (const message of [long, endless]) expect(Object.keys(await wordsOf(message))).toHaveLength(401)
    expect(await wordsOf(endless)).toHaveProperty('beehiv')
    expect(await wordsOf(endless)).not.toHaveProperty('w12999')
    expect(await wordsOf(wordy)).not.toHaveProperty('walrus')
  })
})
