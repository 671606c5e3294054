import { expect, onTestFinished, test } from 'vitest'
import { createLlm } from '../../../src/llm/create-llm.ts'
import { callAs } from '../../chat/talk.ts'
import { buildTestApp } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { startScriptedOpenAi } from '../../support/scripted-openai.ts'
import { runJobs } from '../jobs.ts'

/** Forty messages of 100,000 characters, four to a token: a million tokens. */
const MESSAGES = 40
const CHARACTERS = 100_000
/** Of each message three pieces are read. */
const MOST_CALLS = 3 * MESSAGES

describeEachDatabase('a conversation of a million tokens', (database) => {
  test.each(['scripted', 'offline'])(
    'is learnt from in bounded calls and time (%s)',
    async (chatModel) => {
      const openai = await startScriptedOpenAi({ reply: () => '{"facts":[]}' })
      onTestFinished(() => openai.close())
      const llm = await createLlm({
        ...(chatModel === 'scripted' ? { openAiBaseUrl: openai.baseUrl } : {}),
        chatModel,
        embeddingModel: 'offline',
        embeddingDimensions: 64
      })
      const house = await buildTestApp(database(), { llm })
      onTestFinished(() => house.close())
      const owner = await house.register()
      const call = callAs(house, owner)
      const text = 'We talked about the harbour, and the rain went on. '
      const content = text.repeat(CHARACTERS / text.length)
      const started = performance.now()
      for (let index = 0; index < MESSAGES; index++) {
        const createdAt = new Date(Date.UTC(2025, 0, 1, 0, index)).toISOString()
        const messages = [{ role: 'user', content: `${index} ${content}`.slice(0, CHARACTERS), createdAt }]
        const { status } = await call('POST', '/conversations/import', { messages, extract: true })
        expect(status).toBe(201)
      }
      await runJobs(house, owner.id)
      expect(openai.requests.length).toBeLessThanOrEqual(MOST_CALLS)
      expect(openai.requests.length).toBe(chatModel === 'scripted' ? MOST_CALLS : 0)
      expect((await call('GET', '/memories')).data.items).toEqual([])
      expect(performance.now() - started).toBeLessThan(120_000)
    },
    180_000
  )
})
