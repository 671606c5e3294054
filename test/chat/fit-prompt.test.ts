import { expect, onTestFinished, test } from 'vitest'
import { createLlm, type LlmSettings } from '../../src/llm/create-llm.ts'
import { describeEachDatabase } from '../support/database.ts'
import {
  type ScriptedOpenAiOptions,
  type ScriptedReply,
  type ScriptedRequest,
  startScriptedOpenAi
} from '../support/scripted-openai.ts'
import { setUp } from './talk.ts'

const WINDOW = 8_192
const WORDS = `${'the bees in Tromsø '.repeat(80)}`
const TOO_LONG: ScriptedReply = {
  status: 400,
  body: {
    object: 'error',
    message: `This model's maximum context length is ${WINDOW} tokens. Please reduce the length of the messages.`,
    type: 'BadRequestError',
    code: 400
  }
}

function tokensOf({ body }: ScriptedRequest): number {
  return JSON.stringify(body.messages).length / 4
}

describeEachDatabase('a conversation longer than its model reads', (database) => {
  async function talk(options: ScriptedOpenAiOptions = {}, settings: Partial<LlmSettings> = {}) {
    const server = await startScriptedOpenAi({
      reply: (request) => (tokensOf(request) > WINDOW ? TOO_LONG : 'In Tromsø'),
      ...options
    })
    onTestFinished(() => server.close())
    const llm = await createLlm({
      openAiBaseUrl: server.baseUrl,
      chatModel: 'scripted',
      embeddingModel: 'offline',
      embeddingDimensions: 512,
      ...settings
    })
    const { call } = await setUp(database(), [], { llm })
    const messages = Array.from({ length: 70 }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `${index} ${WORDS}`,
      createdAt: '2026-03-01T10:00:00Z'
    }))
    const { conversationId } = (await call('POST', '/conversations/import', { messages })).data
    return {
      server,
      call,
      say: async (message: string) => (await call('POST', '/chat', { message, conversationId })).data,
      sizes: () => server.requests.filter(({ path }) => path.endsWith('/completions')).map(tokensOf)
    }
  }

  test('is answered from the newest that the model reads, and its size is known from then on', async () => {
    const { server, call, say, sizes } = await talk()
    const turn = await say('Where are my bees?')
    expect(turn).toMatchObject({ status: 'completed', error: null, message: { content: 'In Tromsø' } })
    expect(sizes().length).toBeGreaterThan(1)
    const asked = server.requests.at(-1)?.body.messages as { content: string }[]
    expect(asked.at(-1)?.content).toContain('Where are my bees?')
    expect(asked.at(-2)?.content).toMatch(/^69 /)
    expect(sizes().at(-1)).toBeGreaterThan(WINDOW / 4)
    const tries = sizes().length
    expect((await say('And now?')).status).toBe('completed')
    expect(sizes()).toHaveLength(tries + 1)
    const again = await call('POST', `/messages/${turn.message.parentId}/regenerate`)
    expect(again.data).toMatchObject({ status: 'completed', message: { content: 'In Tromsø' } })
  })

  test('is cut to what the server tells, with room for the reply, before it refuses anything', async () => {
    const { say, sizes } = await talk({ model: { max_model_len: WINDOW } })
    expect((await say('Where are my bees?')).status).toBe('completed')
    expect(sizes()).toHaveLength(1)
    expect(sizes()[0]).toBeLessThan(WINDOW * 0.75)
    expect(sizes()[0]).toBeGreaterThan(WINDOW / 2)
  })

  test('is cut to what the settings say', async () => {
    const { say, sizes } = await talk({}, { contextTokens: WINDOW })
    expect((await say('Where are my bees?')).status).toBe('completed')
    expect(sizes()).toEqual([expect.closeTo(WINDOW * 0.66, -3)])
  })

  test('is given up where the message alone is too long for it', async () => {
    const { say, sizes } = await talk()
    expect(await say(WORDS.repeat(30))).toMatchObject({
      status: 'failed',
      message: null,
      error: { code: 'PAI_MODEL_CONTEXT_TOO_LONG', retryable: false }
    })
    expect(sizes().length).toBeLessThanOrEqual(5)
    const after = sizes().length
    // What one message cost says nothing of how much the model reads.
    await say('And a short one?')
    expect(sizes()[after]).toBeGreaterThan(WINDOW)
  })

  test('is not begun anew where the model says so after its first word', async () => {
    const { server, say, sizes } = await talk()
    server.script({ deltas: ['In'], streamError: { message: 'the prompt is too long' } })
    expect(await say('Where are my bees?')).toMatchObject({
      status: 'failed',
      message: { content: 'In' },
      error: { code: 'PAI_MODEL_CONTEXT_TOO_LONG' }
    })
    expect(sizes()).toHaveLength(1)
  })
})
