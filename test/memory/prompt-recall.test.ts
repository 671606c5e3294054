import { expect, test } from 'vitest'
import type { PromptSource } from '../../src/llm/model.ts'
import { setUp } from '../chat/talk.ts'
import { describeEachDatabase } from '../support/database.ts'
import { runJobs } from './jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø'

describeEachDatabase('recall into the prompt', (database) => {
  async function talk(reply = 'Bees in Tromsø, says the assistant') {
    const { house, owner, call, model } = await setUp(database(), [reply])
    return {
      house,
      owner,
      call,
      /** Says it in a conversation of its own, and answers what the model was given to remember. */
      async say(message: string, more: object = {}): Promise<PromptSource[]> {
        expect((await call('POST', '/chat', { message, ...more })).data.status).toBe('completed')
        return model.asked.at(-1)?.sources ?? []
      },
      notes: () => model.asked.at(-1)?.notes ?? ''
    }
  }
  const textsOf = (sources: PromptSource[]) => sources.map(({ text }) => text)

  test('what was told in one conversation is at hand in the next, with its date and its kind', async () => {
    const { house, owner, say, notes } = await talk()
    await say(BEES)
    const today = new Date().toISOString().slice(0, 10)
    expect(await say('Where does Ada keep her bees?')).toMatchObject([
      { index: 1, kind: 'message', text: BEES }
    ])
    expect(notes()).toContain(`[1] (said ${today}) ${BEES}`)
    await runJobs(house, owner.id)
    const recalled = await say('Where does my sister Ada keep bees?')
    expect(recalled[0]).toMatchObject({ index: 1, kind: 'memory', text: BEES })
    expect(notes()).toContain(`[1] (remembered ${today}) ${BEES}`)
  })

  test('what the assistant said is never among it, however often', async () => {
    const { say } = await talk()
    await say(BEES)
    for (let count = 0; count < 12; count++) {
      const texts = textsOf(await say('Where does Ada keep her bees?'))
      expect(texts).toContain(BEES)
      expect(texts.filter((text) => text.includes('says the assistant'))).toEqual([])
    }
  })

  test('it is asked for by what is said now, and left out where it has nothing to do with it', async () => {
    const { say, notes } = await talk('Indeed.')
    await say(BEES)
    expect(await say('Explain quantum tunnelling')).toEqual([])
    expect(notes()).toBe('')
    expect(textsOf(await say('Where does Ada keep her bees?'))).toEqual([BEES])
  })

  test('a conversation does not recall itself', async () => {
    const { call, say } = await talk()
    const { conversationId } = (await call('POST', '/chat', { message: BEES })).data
    expect(await say('Where does Ada keep her bees?', { conversationId })).toEqual([])
  })

  test('somebody who wants no memory in a reply gets none', async () => {
    const { say } = await talk()
    await say(BEES)
    expect(await say('Where does Ada keep her bees?', { useMemory: false })).toEqual([])
  })

  test('the reply says which memories it was given', async () => {
    const { call } = await talk()
    const { id } = (await call('POST', '/memories', { text: BEES })).data
    const { data } = await call('POST', '/chat', { message: 'Where does Ada keep her bees?' })
    expect(data.memoriesUsed).toEqual([{ id, text: BEES, score: expect.any(Number) }])
  })

  test('what is forgotten, and what is corrected, is not in the next prompt', async () => {
    const { call, say } = await talk()
    const { id } = (await call('POST', '/memories', { text: BEES })).data
    await call('PATCH', `/memories/${id}`, { text: 'My sister Ada keeps bees in Bodø' })
    expect(textsOf(await say('Where does Ada keep her bees?'))).toEqual(['My sister Ada keeps bees in Bodø'])
    await call('DELETE', `/memories/${id}`)
    const texts = textsOf(await say('Where does my sister Ada keep her bees?'))
    expect(texts.filter((text) => /Tromsø|Bodø/.test(text))).toEqual([])
  })
})
