import { describe, expect, onTestFinished, test } from 'vitest'
import type { StructuredRequest } from '../../src/llm/model.ts'
import { createOpenAiStructuredModel } from '../../src/llm/openai-structured.ts'
import type { OnUsage } from '../../src/llm/usage-meter.ts'
import { type ScriptedOpenAiOptions, startScriptedOpenAi } from '../support/scripted-openai.ts'

const signal = new AbortController().signal
const REQUEST: StructuredRequest = {
  system: 'Find the names.',
  user: 'Ada met Bo. canary',
  name: 'names',
  schema: {
    type: 'object',
    properties: { names: { type: 'array', items: { type: 'string' } } },
    required: ['names'],
    additionalProperties: false
  }
}
const NO_SCHEMAS = {
  status: 400,
  body: { error: { message: 'response_format json_schema is not supported' } }
}

async function setup(options?: ScriptedOpenAiOptions, onUsage?: OnUsage) {
  const server = await startScriptedOpenAi(options)
  onTestFinished(() => server.close())
  const settings = { apiKey: 'sk-canary', baseUrl: server.baseUrl, model: 'scripted', onUsage }
  return { server, model: createOpenAiStructuredModel(settings) }
}

function formats(server: Awaited<ReturnType<typeof setup>>['server']): unknown[] {
  return server.requests.map(({ body }) => (body.response_format as { type: string }).type)
}

describe('an answer of a given shape', () => {
  test('is asked for by its schema and comes parsed, with its usage', async () => {
    const { server, model } = await setup()
    const usage = { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 2 } }
    server.script({ deltas: ['{"names":["Ada","Bo"]}'], usage })
    expect(await model.complete(REQUEST, signal)).toEqual({
      value: { names: ['Ada', 'Bo'] },
      usage: { inputTokens: 9, outputTokens: 4, cachedTokens: 2 }
    })
    expect(server.requests[0]?.body).toMatchObject({
      messages: [
        { role: 'system', content: REQUEST.system },
        { role: 'user', content: REQUEST.user }
      ],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'names', schema: REQUEST.schema, strict: true }
      }
    })
  })

  test('is asked for in words where the server knows no schemas, and from then on at once', async () => {
    const { server, model } = await setup()
    server.script(NO_SCHEMAS)
    server.script('{"names":["Ada"]}')
    expect((await model.complete(REQUEST, signal)).value).toEqual({ names: ['Ada'] })
    server.script('{"names":["Bo"]}')
    expect((await model.complete(REQUEST, signal)).value).toEqual({ names: ['Bo'] })
    expect(formats(server)).toEqual(['json_schema', 'json_object', 'json_object'])
    expect(JSON.stringify(server.requests[1]?.body.messages)).toContain(
      JSON.stringify(JSON.stringify(REQUEST.schema)).slice(1, -1)
    )
  })

  test('is asked for by its schema again after a request that was bad either way', async () => {
    const { server, model } = await setup()
    server.script(NO_SCHEMAS)
    server.script(NO_SCHEMAS)
    await expect(model.complete(REQUEST, signal)).rejects.toMatchObject({ code: 'PAI_MODEL_REFUSED' })
    server.script('{"names":[]}')
    await model.complete(REQUEST, signal)
    expect(formats(server)).toEqual(['json_schema', 'json_object', 'json_schema'])
  })

  test('is asked for in the words of the user where the model knows no instructions, from then on', async () => {
    const { server, model } = await setup()
    server.script({ status: 400, body: { error: { message: 'System role not supported' } } })
    for (let calls = 0; calls < 2; calls++) {
      server.script('{"names":["Ada"]}')
      expect((await model.complete(REQUEST, signal)).value).toEqual({ names: ['Ada'] })
    }
    expect(formats(server)).toEqual(['json_schema', 'json_schema', 'json_schema'])
    const folded = [{ role: 'user', content: `${REQUEST.system}\n\n${REQUEST.user}` }]
    expect(server.requests.slice(1).map(({ body }) => body.messages)).toEqual([folded, folded])
  })

  test('may come after thinking aloud', async () => {
    const { server, model } = await setup()
    server.script('<think>Names, {then}.</think>\n{"names":["Ada"]}')
    expect((await model.complete(REQUEST, signal)).value).toEqual({ names: ['Ada'] })
  })

  test('may come inside a fence', async () => {
    const { server, model } = await setup()
    server.script('```json\n{"names":["Ada"]}\n```\n')
    expect((await model.complete(REQUEST, signal)).value).toEqual({ names: ['Ada'] })
  })
})

describe('a failure', () => {
  test.each<[string, object | string, string]>([
    ['that is no JSON', 'canary, sorry', 'PAI_MODEL_UNREADABLE'],
    ['that is empty', '', 'PAI_MODEL_UNREADABLE'],
    ['that is a page', { body: '<html>canary</html>' }, 'PAI_MODEL_FAILED'],
    [
      'that is half a body',
      { body: '{"choices":[{"canary', headers: { 'content-type': 'application/json' } },
      'PAI_MODEL_FAILED'
    ],
    ['without choices', { body: { choices: [] } }, 'PAI_MODEL_UNREADABLE'],
    ['that is a refusal', { body: { choices: [{ message: { refusal: 'canary' } }] } }, 'PAI_MODEL_REFUSED'],
    ['that is filtered', { deltas: [''], finishReason: 'content_filter' }, 'PAI_MODEL_REFUSED'],
    ['to a wrong key', { status: 401, body: { error: { message: 'canary' } } }, 'PAI_MODEL_REFUSED']
  ])('of an answer %s has its code, and nothing of the owner in it', async (_, reply, code) => {
    const { server, model } = await setup()
    server.script(reply)
    const error: Error & { code?: string } = await model.complete(REQUEST, signal).catch((error) => error)
    expect(error.code).toBe(code)
    expect(`${error.message} ${error.stack} ${JSON.stringify(error.cause)} ${error.cause}`).not.toContain(
      'canary'
    )
  })

  test("by an abort is the signal's reason", async () => {
    const { server, model } = await setup()
    server.script({ before: 'hang' })
    const stop = new AbortController()
    const answer = model.complete(REQUEST, stop.signal)
    await server.waitForRequests(1)
    stop.abort(new Error('stopped'))
    await expect(answer).rejects.toThrow('stopped')
  })

  test('of a call that is left after its answer has come is paid for once', async () => {
    const stop = new AbortController()
    const told: unknown[] = []
    const { server, model } = await setup({}, ({ usage }) => {
      told.push(usage)
      stop.abort(new Error('stopped'))
    })
    server.script({ deltas: ['no JSON'], usage: { prompt_tokens: 9, completion_tokens: 4 } })
    await expect(model.complete(REQUEST, stop.signal)).rejects.toThrow('stopped')
    expect(told).toEqual([{ inputTokens: 9, outputTokens: 4, cachedTokens: 0 }])
  })
})
