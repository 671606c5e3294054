import { expect, onTestFinished, test } from 'vitest'
import { createLlm } from '../../../src/llm/create-llm.ts'
import type { Embedder } from '../../../src/llm/model.ts'
import { callAs } from '../../chat/talk.ts'
import { buildTestApp } from '../../support/app.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { startScriptedOpenAi } from '../../support/scripted-openai.ts'
import { runJob, runJobs, takeJobs } from '../jobs.ts'

const KNOWN = 'Ada keeps bees'
const SAID = 'My sister looks after hives.'

/** To whom these two mean the same, and everything else something else. */
function knowingMeaning(id: string): Embedder {
  const embed = async (texts: string[]) =>
    texts
      .map((text) => (/bees|hives/.test(text) ? [1, 0] : [0, 1]))
      .map((start) => [...start, ...Array(62).fill(0)])
  return { id, dimensions: 64, semantic: true, local: true, embed }
}

describeEachDatabase('learning while the embedding model changes', (database) => {
  test('what is said is compared with what is known by the vectors that all of it has', async () => {
    const compared: string[] = []
    const openai = await startScriptedOpenAi({
      reply: ({ body }) => {
        const format = body.response_format as { json_schema: { name: string } } | undefined
        if (!format) return 'Nice.'
        if (format.json_schema.name === 'verdicts') compared.push(JSON.stringify(body.messages))
        return JSON.stringify(format.json_schema.name === 'facts' ? { facts: [FACT] } : { verdicts: [] })
      }
    })
    onTestFinished(() => openai.close())
    const llm = await createLlm({
      openAiBaseUrl: openai.baseUrl,
      chatModel: 'scripted',
      embeddingModel: 'offline',
      embeddingDimensions: 64
    })
    const [old, next] = [knowingMeaning('old'), knowingMeaning('new')]
    const before = await buildTestApp(database(), { llm: { ...llm, embedder: old } })
    onTestFinished(() => before.close())
    const owner = await before.register()
    await callAs(before, owner)('POST', '/memories', { text: KNOWN })
    await runJobs(before, owner.id)

    const house = await buildTestApp(database(), {
      llm: { ...llm, embedder: next, embedderFor: (id) => (id === old.id ? old : null) }
    })
    onTestFinished(() => house.close())
    await callAs(house, owner)('POST', '/chat', { message: SAID })
    for (const job of await takeJobs(database(), owner.id)) {
      if (job.name === 'memory.extract') await runJob(house, job)
    }
    expect(compared).toHaveLength(1)
    expect(compared[0]).toContain(KNOWN)
  })
})

const FACT = {
  message: 1,
  tags: [],
  subject: 'sister',
  slot: '',
  since: '',
  until: '',
  saidBy: 'owner',
  change: '',
  over: false,
  text: 'The owner’s sister looks after hives.',
  category: 'relationship',
  importance: 0.7,
  importanceReason: 'family',
  quote: SAID
}
