import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, streamText } from 'ai'
import OpenAI from 'openai'
import { expect, onTestFinished, test, vi } from 'vitest'
import { gate, setUp } from '../chat/talk.ts'
import type { ScriptedStep } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describeEachDatabase('PAI behind OpenAI’s API', (database, kind) => {
  /** PAI on a socket, a key of the owner's, and OpenAI's own client with it. */
  async function setUpClient(script?: Parameters<typeof setUp>[1]) {
    const { house, owner, call, model } = await setUp(database(), script)
    const { key } = (await call('POST', '/api-keys', { name: 'client' })).data
    const baseURL = `${await house.listen()}/openai/v1`
    const client = new OpenAI({ apiKey: key, baseURL, maxRetries: 0 })
    return { house, owner, call, model, client, key: key as string, baseURL }
  }
  const hi = { role: 'user' as const, content: 'Hi' }

  test('a whole reply, with what it took', async () => {
    const { client } = await setUpClient(['Hello', ' Ada'])
    const completion = await client.chat.completions.create({ model: 'pai', messages: [hi] })
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'pai',
      choices: [{ message: { role: 'assistant', content: 'Hello Ada' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }
    })
  })

  test('a streamed reply, with usage last where it is asked for', async () => {
    const { client } = await setUpClient(['Hello', ' Ada'])
    const stream = await client.chat.completions.create({
      model: 'pai',
      messages: [hi],
      stream: true,
      stream_options: { include_usage: true }
    })
    const chunks = await collect(stream)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello Ada')
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 7 } })
    // As OpenAI has it: the pieces before say that they bring none.
    expect(new Set(chunks.slice(0, -1).map(({ usage }) => usage))).toEqual(new Set([null]))
    const without = await client.chat.completions.create({ model: 'pai', messages: [hi], stream: true })
    for (const chunk of await collect(without)) expect(chunk).not.toHaveProperty('usage')
  })

  test('a reply that was cut short says so, whole and streamed, and keeps its reason', async () => {
    const usage = { inputTokens: 5, outputTokens: 2, cachedTokens: 0 }
    for (const [reason, expected] of [
      ['length', 'length'],
      ['content-filter', 'content_filter'],
      ['tool-calls', 'tool_calls'],
      ['other', 'stop']
    ] as const) {
      const { client } = await setUpClient(['Once upon', { type: 'finish', reason, usage }])
      const whole = await client.chat.completions.create({ model: 'pai', messages: [hi] })
      expect(whole.choices[0]?.finish_reason).toBe(expected)
      const stream = await client.chat.completions.create({ model: 'pai', messages: [hi], stream: true })
      expect((await collect(stream)).at(-1)?.choices[0]?.finish_reason).toBe(expected)
    }
  })

  test('what is wished for is a part of what a key stands for', async () => {
    const { client } = await setUpClient()
    const ask = (instructions: string) =>
      client.chat.completions.create(
        { model: 'pai', messages: [{ role: 'system', content: instructions }, hi] },
        { headers: { 'Idempotency-Key': 'one', 'X-PAI-Conversation': 'new' } }
      )
    const one = await ask('Speak like a pirate.')
    expect((await ask('Speak like a pirate.')).id).toBe(one.id)
    await expect(ask('Speak like a priest.')).rejects.toMatchObject({ status: 400 })
  })

  test('memory stands behind it: what PAI was told is in the prompt', async () => {
    const { client, call, model } = await setUpClient()
    await call('POST', '/memories', { text: 'My sister Ada keeps bees in Tromsø' })
    await client.chat.completions.create({
      model: 'pai',
      messages: [{ role: 'user', content: 'Where does my sister Ada keep her bees?' }]
    })
    expect(model.asked[0]?.notes).toContain('My sister Ada keeps bees in Tromsø')
  })

  test('without a header the caller keeps the conversation: all of it is read, and nothing of it stays', async () => {
    const { client, call, model } = await setUpClient()
    await client.chat.completions.create({
      model: 'pai',
      max_completion_tokens: 50,
      messages: [
        { role: 'system', content: 'Speak like a pirate.' },
        { role: 'user', content: 'My name is Grace' },
        { role: 'assistant', content: 'Ahoy Grace' },
        { role: 'user', content: [{ type: 'text', text: 'What is my name?' }] }
      ]
    })
    expect(model.asked[0]?.messages.map(({ content }) => content)).toEqual([
      'My name is Grace',
      'Ahoy Grace',
      'What is my name?'
    ])
    expect(model.asked[0]?.system).toContain('Speak like a pirate.')
    expect(model.asked[0]?.maxOutputTokens).toBe(50)
    expect((await call('GET', '/conversations')).data.items).toEqual([])
  })

  test('with the header PAI keeps it, and only the last message is new', async () => {
    const { client, call, model } = await setUpClient()
    const first = await client.chat.completions
      .create({ model: 'pai', messages: [hi] }, { headers: { 'X-PAI-Conversation': 'new' } })
      .withResponse()
    const id = first.response.headers.get('x-pai-conversation') as string
    await client.chat.completions.create(
      {
        model: 'pai',
        messages: [hi, { role: 'assistant', content: 'made up' }, { role: 'user', content: 'And?' }]
      },
      { headers: { 'X-PAI-Conversation': id } }
    )
    expect(model.asked[1]?.messages.map(({ content }) => content)).toEqual(['Hi', 'Hello Ada', 'And?'])
    const { items } = (await call('GET', `/conversations/${id}/messages`)).data
    expect(items).toHaveLength(4)
  })

  test('sent again with its key, a request makes one turn', async () => {
    const { client, model } = await setUpClient()
    const ask = () =>
      client.chat.completions.create(
        { model: 'pai', messages: [hi] },
        { headers: { 'Idempotency-Key': 'one' } }
      )
    const [one, again] = [await ask(), await ask()]
    expect(again.id).toBe(one.id)
    expect(model.asked).toHaveLength(1)
  })

  test('the models are PAI and those that are configured, and an agent that is none is not found', async () => {
    const { client } = await setUpClient()
    const ids = (await collect(client.models.list())).map(({ id }) => id)
    expect(ids[0]).toBe('pai')
    expect(ids.length).toBeGreaterThan(1)
    expect(await client.models.retrieve('pai')).toMatchObject({ id: 'pai', object: 'model' })
    for (const model of ['pai:nobody', 'gpt-none']) {
      await expect(client.chat.completions.create({ model, messages: [hi] })).rejects.toMatchObject({
        status: 404,
        code: 'model_not_found'
      })
    }
  })

  test('embeddings are those PAI searches with, as numbers and as base64', async () => {
    const { client, house } = await setUpClient()
    const { dimensions } = house.services.llm.embedder
    // The client asks for base64 unless told otherwise, and reads it.
    const asked = await client.embeddings.create({ model: 'pai', input: ['bees', 'Tromsø'] })
    const plain = await client.embeddings.create({ model: 'pai', input: 'bees', encoding_format: 'float' })
    expect(asked.data.map(({ embedding }) => embedding.length)).toEqual([dimensions, dimensions])
    for (const [index, value] of (plain.data[0]?.embedding ?? []).entries()) {
      expect(asked.data[0]?.embedding[index]).toBeCloseTo(value, 5)
    }
    await expect(
      client.embeddings.create({ model: 'pai', input: 'bees', dimensions: 7 })
    ).rejects.toMatchObject({
      status: 400,
      param: 'dimensions'
    })
  })

  test('a model that fails is an error of its kind, before and after the first word', async () => {
    const failures: ScriptedStep[][] = [[new Error('no')], ['Hello', new Error('no')]]
    const { client } = await setUpClient(() => failures.shift() ?? [])
    await expect(client.chat.completions.create({ model: 'pai', messages: [hi] })).rejects.toMatchObject({
      status: 500,
      type: 'server_error'
    })
    const stream = await client.chat.completions.create({ model: 'pai', messages: [hi], stream: true })
    await expect(collect(stream)).rejects.toThrow('Something went wrong')
  })

  test('a client that tries again by itself doubles nothing in a conversation that PAI keeps', async () => {
    const { client, call, model } = await setUpClient([new Error('no')])
    const patient = client.withOptions({ maxRetries: 2 })
    const asked = patient.chat.completions.create(
      { model: 'pai', messages: [hi] },
      { headers: { 'X-PAI-Conversation': 'new' } }
    )
    await expect(asked).rejects.toMatchObject({ status: 500 })
    expect(model.asked).toHaveLength(1)
    expect((await call('GET', '/conversations')).data.items).toHaveLength(1)
  })

  test('who leaves a stream that only they keep, ends it', async () => {
    const { step } = gate()
    const { client, house } = await setUpClient(['Hello', step])
    const stream = await client.chat.completions.create({ model: 'pai', messages: [hi], stream: true })
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
    await eventually(() => expect(house.services.runner.active).toBe(0))
  })

  test('whose key is revoked, has what only they keep ended, whole and streamed', async () => {
    const { step } = gate()
    const { client, house, call } = await setUpClient(['Hello', step])
    const whole = client.chat.completions.create({ model: 'pai', messages: [hi] })
    whole.catch(() => {})
    await client.chat.completions.create({ model: 'pai', messages: [hi], stream: true })
    await eventually(() => expect(house.services.runner.active).toBe(2))
    const [key] = (await call('GET', '/api-keys')).data.items
    await call('DELETE', `/api-keys/${key.id}`)
    await eventually(() => expect(house.services.runner.active).toBe(0))
    await expect(whole).rejects.toMatchObject({ status: expect.any(Number) })
  })

  test('Vercel’s AI SDK speaks with it, whole and streamed', async () => {
    const { key, baseURL } = await setUpClient(['Hello', ' Ada'])
    const provider = createOpenAICompatible({ name: 'pai', apiKey: key, baseURL, includeUsage: true })
    const { text, usage } = await generateText({ model: provider('pai'), prompt: 'Hi' })
    expect([text, usage.totalTokens]).toEqual(['Hello Ada', 7])
    const streamed = streamText({ model: provider('pai'), prompt: 'Hi', system: 'Be brief.' })
    expect((await collect(streamed.textStream)).join('')).toBe('Hello Ada')
    expect((await streamed.usage).totalTokens).toBe(7)
  })

  test('a silence is filled, so that nobody takes the stream for dead', async () => {
    const { step, open } = gate()
    const { baseURL, key } = await setUpClient(['Hello', step])
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const response = await fetch(`${baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'pai', messages: [hi], stream: true })
    })
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('"Hello"')) text += (await reader?.read())?.value
    vi.advanceTimersByTime(15_000)
    expect((await reader?.read())?.value).toBe(': still here\n\n')
    open()
    for (let piece = await reader?.read(); !piece?.done; piece = await reader?.read()) text += piece?.value
    expect(text).toMatch(/data: \[DONE\]\n\n$/)
  })

  test('who hangs up on embeddings has them stopped', async () => {
    const { house, client } = await setUpClient()
    let asked: AbortSignal | undefined
    const embed = house.services.llm.embedder.embed
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    house.services.llm.embedder.embed = (_texts, signal) => {
      asked = signal
      begin()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    onTestFinished(() => {
      house.services.llm.embedder.embed = embed
    })
    const leaving = new AbortController()
    const answer = client.embeddings.create({ model: 'pai', input: 'bees' }, { signal: leaving.signal })
    await begun
    leaving.abort()
    await expect(answer).rejects.toThrow()
    await eventually(() => expect(asked?.aborted).toBe(true))
  })

  if (kind === 'embedded') return // What follows is about requests, not about the database.

  test('whatever is refused is refused in OpenAI’s own shape, with the field that is at fault', async () => {
    const { client, baseURL, key, owner } = await setUpClient()
    const ask = async (body: object, authorization = `Bearer ${key}`) => {
      const response = await fetch(`${baseURL}/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify(body)
      })
      const { error } = (await response.json()) as {
        error: { param: unknown; code: unknown; message: string }
      }
      expect(error).toMatchObject({ message: expect.any(String), type: expect.any(String) })
      return [response.status, error.param]
    }
    const fine = { model: 'pai', messages: [hi] }
    expect(await ask(fine, 'Bearer pai_nonsense')).toEqual([401, null])
    // Good for everything else, and not meant to be kept by a client.
    expect(await ask(fine, owner.headers.authorization)).toEqual([401, null])
    expect(await ask({ ...fine, n: 2 })).toEqual([400, 'n'])
    expect(await ask({ ...fine, tools: [{ type: 'function' }] })).toEqual([400, 'tools'])
    expect(await ask({ ...fine, logprobs: true })).toEqual([400, 'logprobs'])
    expect(await ask({ ...fine, stop: ['.'] })).toEqual([400, 'stop'])
    expect(await ask({ ...fine, dance: true })).toEqual([400, 'dance'])
    expect(await ask({ ...fine, messages: [] })).toEqual([400, 'messages'])
    expect(await ask({ ...fine, messages: [{ role: 'assistant', content: 'Hi' }] })).toEqual([
      400,
      'messages'
    ])
    expect(await ask({ ...fine, messages: [{ role: 'tool', content: 'x' }] })).toEqual([
      400,
      'messages.0.role'
    ])
    const image = { type: 'image_url', image_url: { url: 'data:,' } }
    expect(await ask({ ...fine, messages: [{ role: 'user', content: [image] }] })).toEqual([
      400,
      'messages.0.content.0'
    ])
    await expect(
      client.chat.completions.create(fine, { headers: { 'X-PAI-Conversation': 'mine' } })
    ).rejects.toMatchObject({ status: 400, param: 'x-pai-conversation' })
    const tooLong = { headers: { 'Idempotency-Key': 'k'.repeat(10_000) } }
    await expect(client.chat.completions.create(fine, tooLong)).rejects.toMatchObject({ status: 400 })
    await expect(client.get('/nothing')).rejects.toMatchObject({ status: 404, code: 'unknown_url' })
    // What changes nothing about the answer is borne with.
    await client.chat.completions.create({ ...fine, temperature: 0.2, user: 'ada', n: 1, store: false })
  })
})
