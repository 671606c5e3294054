import { expect, test } from 'vitest'
import type { StructuredModel } from '../../../src/llm/model.ts'
import type { Memory } from '../../../src/memory/schemas.ts'
import { setUp } from '../../chat/talk.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { takeJobs } from '../jobs.ts'
import { FACT } from './scripted-fact.ts'

const SAID = ['My sister Ada keeps bees.', 'My brother Bob breeds goats.', 'My aunt Eva sails.']

/** A model that answers as the test says, to one question after another. */
function scripted(answer: (user: string, signal: AbortSignal) => object | Promise<object>): StructuredModel {
  const usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
  return {
    id: 'scripted',
    complete: async ({ user }, signal) => ({ value: await answer(user, signal), usage })
  }
}

describeEachDatabase('learning that fails or is broken off', (database) => {
  async function imported(said: string[], structured?: StructuredModel) {
    const { house, owner, call } = await setUp(database(), [], structured ? { llm: { structured } } : {})
    const messages = said.map((content, index) => ({
      role: 'user',
      content,
      createdAt: `2025-01-0${index + 1}T10:00:00Z`
    }))
    const { messageIds } = (await call('POST', '/conversations/import', { messages, extract: true })).data
    const job = (await takeJobs(database(), owner.id)).find(({ name }) => name === 'memory.extract')
    const payload = job?.data as { ownerId: string; messageIds: string[] }
    return {
      messageIds,
      run: (signal = new AbortController().signal) => house.services.jobs['memory.extract'](payload, signal),
      texts: async () =>
        (await call('GET', '/memories')).data.items.map(({ text }: Memory) => text).toSorted(),
      failing: async (): Promise<string[]> =>
        (await call('GET', '/memory-extractions')).data.items
          .map(({ messageId, status }: { messageId: string; status: string }) => `${status} ${messageId}`)
          .toSorted()
    }
  }
  const failingOf = (ids: string[]) => ids.map((id) => `failing ${id}`).toSorted()

  test('by rules: one message that fails is noted and tried again, and those after it are learnt from', async () => {
    const { messageIds, run, texts, failing } = await imported(SAID)
    await database().pool.query(
      `ALTER TABLE memories ADD CONSTRAINT no_goats CHECK (text NOT LIKE '%goats%') NOT VALID`
    )
    try {
      await expect(run()).rejects.toThrow()
    } finally {
      await database().pool.query('ALTER TABLE memories DROP CONSTRAINT no_goats')
    }
    expect(await texts()).toEqual([SAID[2], SAID[0]].toSorted())
    expect(await failing()).toEqual(failingOf([messageIds[1]]))
    await run()
    expect(await texts()).toEqual(SAID.toSorted())
    expect(await failing()).toEqual([])
  })

  test('by rules: what a job that was broken off had not come to is noted, until it is learnt from', async () => {
    const { messageIds, run, texts, failing } = await imported(SAID)
    await expect(run(AbortSignal.abort())).rejects.toThrow()
    expect(await failing()).toEqual(failingOf(messageIds))
    await run()
    expect(await texts()).toEqual(SAID.toSorted())
    expect(await failing()).toEqual([])
  })

  test('by a model: a job that ends while the model thinks leaves its messages noted', async () => {
    const job = new AbortController()
    let asked = 0
    const facts = SAID.map((text, index) => ({ ...FACT, message: index + 1, text, quote: text }))
    const structured = scripted((user, signal) => {
      if (!user.includes('<message>')) return { verdicts: [] }
      if (++asked > 1) return { facts }
      job.abort()
      signal.throwIfAborted()
      return { facts }
    })
    const { messageIds, run, texts, failing } = await imported(SAID, structured)
    await expect(run(job.signal)).rejects.toThrow()
    expect(await texts()).toEqual([])
    expect(await failing()).toEqual(failingOf(messageIds))
    await run()
    expect(await texts()).toEqual(SAID.toSorted())
    expect(await failing()).toEqual([])
  })

  test('of one message the facts are its own, whatever number the model gives it', async () => {
    const [said] = SAID as [string]
    const structured = scripted(() => ({
      facts: [0, 2, -1].map((message, index) => ({
        ...FACT,
        message,
        text: ['Ada keeps bees', 'My sister keeps bees', said][index],
        quote: said
      }))
    }))
    const { run, texts } = await imported([said], structured)
    await run()
    expect(await texts()).toContain('Ada keeps bees')
  })
})
