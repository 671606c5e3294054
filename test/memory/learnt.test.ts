import { expect, test } from 'vitest'
import { setUp } from '../chat/talk.ts'
import { describeEachDatabase } from '../support/database.ts'
import { runJobs } from './jobs.ts'

describeEachDatabase('what was learnt from a message', (database) => {
  async function talk() {
    const { house, owner, call } = await setUp(database(), ['Noted.'])
    return {
      house,
      owner,
      call,
      async say(message: string): Promise<string> {
        const { data: turn } = await call('POST', '/chat', { message })
        const { items } = (await call('GET', `/conversations/${turn.conversationId}/messages`)).data
        return items[0].id
      },
      async learnt(messageId: string) {
        const { items, pending } = (await call('GET', `/messages/${messageId}/memories`)).data
        const texts = items.map(({ memory, replaced }: { memory: Told; replaced: Told[] }) => [
          memory.text,
          replaced.map(({ text }) => text)
        ])
        return { texts, pending }
      }
    }
  }
  interface Told {
    text: string
  }

  test('is told with what it took the place of, once it has been read', async () => {
    const { house, owner, say, learnt } = await talk()
    const first = await say('I live in Oslo.')
    expect(await learnt(first)).toEqual({ texts: [], pending: true })
    await runJobs(house, owner.id)
    expect(await learnt(first)).toEqual({ texts: [['I live in Oslo.', []]], pending: false })
    const second = await say('I moved from Oslo to Bergen.')
    const question = await say('How are you?')
    await runJobs(house, owner.id)
    expect(await learnt(second)).toMatchObject({
      texts: [[expect.stringContaining('Bergen'), ['I live in Oslo.']]]
    })
    expect(await learnt(question)).toEqual({ texts: [], pending: false })
    const again = await say('I moved from Oslo to Bergen.')
    await runJobs(house, owner.id)
    expect(await learnt(again)).toMatchObject({ texts: [[expect.stringContaining('Bergen'), []]] })
  })

  test('is nothing of what was forgotten, and of somebody else’s message nothing is told', async () => {
    const { house, owner, call, say, learnt } = await talk()
    const message = await say('I live in Oslo.')
    await runJobs(house, owner.id)
    const [memory] = (await call('GET', '/memories')).data.items
    await call('DELETE', `/memories/${memory.id}`)
    expect((await learnt(message)).texts).toEqual([])
    const other = await house.register()
    const { statusCode } = await house.app.inject({
      url: `/v1/messages/${message}/memories`,
      headers: other.headers
    })
    expect(statusCode).toBe(404)
  })
})
