import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type FetchLike, findOllama } from '../../src/llm/ollama.ts'

function model(name: string, fields: object = {}) {
  return { name, model: name, details: { family: 'llama', parameter_size: '8B' }, ...fields }
}

/** An Ollama that has these models installed, and tells the length of its vectors when it knows it. */
function ollama(models: object[], embeddingLength?: number): FetchLike {
  return async (url, init) => {
    if (url.endsWith('/api/tags')) return Response.json({ models })
    const { model } = JSON.parse(String(init.body))
    if (!embeddingLength) return new Response('not found', { status: 404 })
    return Response.json({ model_info: { 'general.name': model, 'bert.embedding_length': embeddingLength } })
  }
}

describe('an Ollama on this machine', () => {
  test('is found with its chat model and its embedding model', async () => {
    const installed = [model('nomic-embed-text:latest'), model('llama3.2:3b'), model('qwen3:8b')]
    expect(await findOllama(ollama(installed, 768))).toEqual({
      baseUrl: 'http://127.0.0.1:11434/v1',
      chatModel: 'llama3.2:3b',
      otherChatModels: ['qwen3:8b'],
      embeddingModel: 'nomic-embed-text:latest',
      embeddingDimensions: 768
    })
  })

  test.each([
    'mxbai-embed-large',
    'bge-m3:latest',
    'all-minilm:22m',
    'snowflake-arctic-embed2',
    'embeddinggemma:300m',
    'someone/e5-mistral'
  ])('knows %s for an embedding model', async (name) => {
    expect(await findOllama(ollama([model(name), model('llama3.2')]))).toMatchObject({
      chatModel: 'llama3.2',
      embeddingModel: name,
      embeddingDimensions: null
    })
  })

  test('knows an embedding model by its family too', async () => {
    const installed = [model('paraphrase-multilingual', { details: { family: 'bert' } }), model('gemma3')]
    expect(await findOllama(ollama(installed))).toMatchObject({ chatModel: 'gemma3' })
  })

  test('has no embedding model when none is installed', async () => {
    expect(await findOllama(ollama([model('llama3.2')]))).toMatchObject({
      embeddingModel: null,
      embeddingDimensions: null
    })
  })

  test('does not offer models that run elsewhere', async () => {
    const remote = model('deepseek-v3.1', { remote_host: 'https://ollama.com:443' })
    expect(await findOllama(ollama([model('gpt-oss:120b-cloud'), remote]))).toBeNull()
  })

  test('is of no use without a chat model', async () => {
    expect(await findOllama(ollama([model('nomic-embed-text')]))).toBeNull()
    expect(await findOllama(ollama([]))).toBeNull()
  })

  test('is asked at the address given', async () => {
    expect(await findOllama(ollama([model('llama3.2')]), 'http://127.0.0.1:9')).toMatchObject({
      baseUrl: 'http://127.0.0.1:9/v1'
    })
  })
})

describe('something else on its port', () => {
  test.each<[string, () => Response | Promise<Response>]>([
    ['that fails', () => Response.json({ models: [model('llama3.2')] }, { status: 500 })],
    ['that answers with a page', () => new Response('<html>')],
    ['that answers with other JSON', () => Response.json({ models: 'many' })],
    ['that answers with null', () => Response.json(null)],
    ['that breaks the connection', () => Promise.reject(new TypeError('fetch failed'))]
  ])('%s is not an Ollama', async (_, answer) => {
    expect(await findOllama(async () => answer())).toBeNull()
  })

  test('that never answers is given up soon', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    await new Promise((resolve) => server.once('listening', resolve))
    const started = performance.now()
    expect(await findOllama(fetch, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)).toBeNull()
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
