import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'
import { expect, onTestFinished, test } from 'vitest'
import { startScriptedOpenAi } from './scripted-openai.ts'

async function setup() {
  const server = await startScriptedOpenAi()
  onTestFinished(() => server.close())
  return { server, client: new OpenAI({ apiKey: 'none', baseURL: server.baseUrl, maxRetries: 0 }) }
}

function ask(client: OpenAI, system: string, content: string) {
  const messages = [
    { role: 'system' as const, content: system },
    { role: 'user' as const, content }
  ]
  return client.chat.completions.create({ model: 'scripted', messages })
}

test('a question is answered with the line of the instructions that is nearest to it', async () => {
  const { client } = await setup()
  const system = 'You are PAI.\n[1] My sister Ada keeps bees in Tromsø.\n[2] I like tea.'
  const completion = await ask(client, system, 'Where does she keep them?')
  expect(completion.choices[0]?.message.content).toBe('I was told: [1] My sister Ada keeps bees in Tromsø.')
})

test('so it is with the notes before it, which are no words of the user', async () => {
  const { client } = await setup()
  const notes = '<memory>\n[1] Ada keeps bees in Tromsø.\n</memory>\n\n'
  const answer = async (words: string) =>
    (await ask(client, 'You are PAI.', notes + words)).choices[0]?.message.content
  expect(await answer('Where does Ada keep bees?')).toBe('I was told: [1] Ada keeps bees in Tromsø.')
  expect(await answer('Ada keeps bees')).toBe('You said: Ada keeps bees')
})

test('anything else is said back', async () => {
  const { client } = await setup()
  const completion = await ask(client, 'You are PAI.', 'Ada keeps bees')
  expect(completion.choices[0]?.message.content).toBe('You said: Ada keeps bees')
})

test('a schema is answered with its empty shape', async () => {
  const { client } = await setup()
  const schema = {
    type: 'object',
    properties: {
      facts: { type: 'array' },
      title: { type: 'string' },
      kind: { enum: ['a', 'b'] },
      sure: { type: 'boolean' }
    }
  }
  const completion = await client.chat.completions.create({
    model: 'scripted',
    messages: [{ role: 'user', content: 'Go' }],
    response_format: { type: 'json_schema', json_schema: { name: 'shape', schema } }
  })
  expect(JSON.parse(completion.choices[0]?.message.content ?? '')).toEqual({
    facts: [],
    title: '',
    kind: 'a',
    sure: false
  })
})

test('tool calls are answered whole without a stream', async () => {
  const { server, client } = await setup()
  server.script({ toolCalls: [{ id: 'a', name: 'now', arguments: '{}' }] })
  const completion = await ask(client, '', 'Go')
  expect(completion.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: { tool_calls: [{ id: 'a', type: 'function', function: { name: 'now', arguments: '{}' } }] }
  })
})

test('vectors are deterministic and of the length asked for', async () => {
  const { client } = await setup()
  const embed = async () =>
    (await client.embeddings.create({ model: 'm', input: 'Ada', dimensions: 16, encoding_format: 'float' }))
      .data[0]
  expect((await embed())?.embedding).toHaveLength(16)
  expect(await embed()).toEqual(await embed())
})

test('models are listed, and any other path is not found', async () => {
  const { client } = await setup()
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['scripted'])
  await expect(client.get('/nothing')).rejects.toMatchObject({ status: 404 })
})

test('it runs by itself and says where', async () => {
  const child = spawn(process.execPath, [
    fileURLToPath(import.meta.resolve('./scripted-openai.ts')),
    '--port',
    '0'
  ])
  onTestFinished(() => void child.kill())
  const [line] = await once(child.stdout, 'data')
  const baseUrl = String(line).trim()
  expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/)
  expect((await fetch(`${baseUrl}/models`)).status).toBe(200)
})
