import { expect, onTestFinished, test } from 'vitest'
import { createLlm } from '../../../src/llm/create-llm.ts'
import { callAs } from '../../chat/talk.ts'
import { buildTestApp } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { startScriptedOpenAi } from '../../support/scripted-openai.ts'
import { runJob, runJobs, takeJobs } from '../jobs.ts'

/** What a model finds in the message of this number, which says nothing else. */
const factOf = (text: string, message = 1) => ({
  message,
  tags: [],
  subject: 'owner',
  slot: 'home',
  since: '',
  until: '',
  saidBy: 'owner',
  change: '',
  over: false,
  text,
  category: 'home',
  importance: 0.5,
  importanceReason: 'told',
  quote: text
})
const SAID = ['I live by the fjord.', 'I live in Bergen.', 'I live in a tall house.']
const REFUSED = { status: 401, body: { error: { message: 'no such key' } } }

describeEachDatabase('learning from several messages that are read together', (database) => {
  test('one that fails is noted and tried again, and the others are learnt from', async () => {
    const openai = await startScriptedOpenAi({
      reply: ({ body }) => (JSON.stringify(body).includes('verdicts') ? '{"verdicts":[]}' : '{"facts":[]}')
    })
    onTestFinished(() => openai.close())
    const llm = await createLlm({
      openAiBaseUrl: openai.baseUrl,
      chatModel: 'scripted',
      embeddingModel: 'offline',
      embeddingDimensions: 64
    })
    const house = await buildTestApp(database(), { llm })
    onTestFinished(() => house.close())
    const owner = await house.register()
    const call = callAs(house, owner)
    const importing = async (said: string[]) => {
      const messages = said.map((content, index) => ({
        role: 'user',
        content,
        createdAt: `2025-01-0${index + 1}T10:00:00Z`
      }))
      const { data } = await call('POST', '/conversations/import', { messages, extract: true })
      const job = (await takeJobs(database(), owner.id)).find(({ name }) => name === 'memory.extract')
      if (!job) throw new Error('There is no job to extract')
      return { job, ids: data.messageIds }
    }
    const texts = async () =>
      (await call('GET', '/memories')).data.items.map(({ text }: { text: string }) => text)
    const failing = async () => (await call('GET', '/memory-extractions')).data.items

    const first = await importing(['I live in Oslo.'])
    openai.script(JSON.stringify({ facts: [factOf('I live in Oslo.')] }))
    await runJob(house, first.job)
    await runJobs(house, owner.id)

    const { job, ids } = await importing(SAID)
    openai.script(JSON.stringify({ facts: SAID.map((text, index) => factOf(text, index + 1)) }))
    // The facts of the second message cannot be held against what is known.
    openai.script('{"verdicts":[]}')
    openai.script(REFUSED)
    await expect(runJob(house, job)).rejects.toMatchObject({ code: 'PAI_MODEL_REFUSED' })
    expect(await failing()).toMatchObject([{ messageId: ids[1], status: 'failing' }])
    expect(await texts()).toEqual(expect.arrayContaining([SAID[0], SAID[2]]))
    openai.script(JSON.stringify({ facts: [factOf('I live in Bergen.')] }))
    await runJob(house, job)
    expect(await failing()).toEqual([])
    expect(await texts()).toContain(SAID[1])
  })
})
