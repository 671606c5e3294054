import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventStreamCodec } from '@smithy/core/event-streams'
import { createOfflineEmbedder } from '../../src/llm/offline-embedder.ts'

/** One answer. Everything left out is what Bedrock in good health would do. */
export interface ScriptedConverse {
  deltas?: (string | Promise<string>)[]
  reasoning?: string[]
  toolCalls?: { toolUseId: string; name: string; input: unknown }[]
  usage?: Record<string, number>
  stopReason?: string
  /** An exception in the middle of the stream, after the deltas: its name, as "throttlingException". */
  exception?: string
  /** `cut`: the connection breaks after the deltas; `end`: it closes politely; `torn`: in the middle of a message. */
  ending?: 'hang' | 'cut' | 'end' | 'torn'
  /** Refuses with this in place of an answer. */
  error?: { status: number; type: string; message?: string; headers?: Record<string, string> }
  /** Answers with this text, whatever was due. */
  body?: string
  before?: 'hang' | 'cut'
  /** Awaited before anything is sent. */
  gate?: Promise<void>
}

export interface BedrockRequest {
  /** converse, converse-stream or invoke. */
  operation: string
  model: string
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

const USAGE = { inputTokens: 10, outputTokens: 5, totalTokens: 15 }
const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString(),
  (text) => Buffer.from(text)
)

/** A real HTTP server that speaks Bedrock's runtime API and its binary event stream. */
export async function startScriptedBedrock() {
  const requests: BedrockRequest[] = []
  const scripted: ScriptedConverse[] = []
  const arrivals = new EventTarget()
  let closed = 0
  let most = 0
  let underWay = 0

  const server = createServer((request, response) => {
    most = Math.max(most, ++underWay)
    response.once('close', () => {
      underWay--
      closed++
      arrivals.dispatchEvent(new Event('close'))
    })
    answer(request, response).catch(() => response.destroy())
  })
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const [, , model = '', operation = ''] = (request.url ?? '').split('/')
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    requests.push({ operation, model: decodeURIComponent(model), headers: request.headers, body })
    arrivals.dispatchEvent(new Event('request'))
    const reply = scripted.shift() ?? {}
    await reply.gate
    if (reply.before === 'hang') return
    if (reply.before === 'cut') return void response.socket?.resetAndDestroy()
    if (reply.error) {
      const { status, type, message = 'canary', headers } = reply.error
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-amzn-errortype': type,
        ...headers
      })
      response.end(JSON.stringify({ message }))
    } else if (reply.body !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(reply.body)
    } else if (operation === 'invoke') await sendVector(response, body)
    else if (operation === 'converse') await sendWhole(response, reply)
    else await sendStream(response, reply)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    /** The most requests that were under way at once. */
    mostAtOnce: () => most,
    /** The answer to the next request, of whatever kind. */
    script(next: ScriptedConverse): void {
      scripted.push(next)
    },
    async waitForRequests(count: number): Promise<void> {
      while (requests.length < count) await once(arrivals, 'request')
    },
    /** Waits until so many answers are over: sent whole, or given up by either side. */
    async waitForClosed(count: number): Promise<void> {
      while (closed < count) await once(arrivals, 'close')
    },
    async close(): Promise<void> {
      if (!server.listening) return
      const closing = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closing
    }
  }
}

async function sendStream(response: ServerResponse, reply: ScriptedConverse): Promise<void> {
  const { deltas = ['Hello'], reasoning = [], toolCalls = [], usage = USAGE } = reply
  response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
  const send = (type: string, body: object) => void response.write(encode('event', type, body))
  send('messageStart', { role: 'assistant' })
  for (const text of reasoning)
    send('contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text } } })
  for (const text of deltas) send('contentBlockDelta', { contentBlockIndex: 1, delta: { text: await text } })
  for (const [index, { toolUseId, name, input }] of toolCalls.entries()) {
    const contentBlockIndex = index + 2
    const text = JSON.stringify(input)
    const middle = Math.ceil(text.length / 2)
    send('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId, name } } })
    for (const part of [text.slice(0, middle), text.slice(middle)])
      send('contentBlockDelta', { contentBlockIndex, delta: { toolUse: { input: part } } })
    send('contentBlockStop', { contentBlockIndex })
  }
  if (reply.exception) return void response.end(encode('exception', reply.exception, { message: 'canary' }))
  if (reply.ending === 'hang') return
  if (reply.ending === 'end') return void response.end()
  if (reply.ending === 'cut') return void response.write('', () => response.destroy())
  const stopReason = reply.stopReason ?? (toolCalls.length > 0 ? 'tool_use' : 'end_turn')
  const stop = encode('event', 'messageStop', { stopReason })
  if (reply.ending === 'torn') return void response.end(stop.subarray(0, stop.length / 2))
  response.write(stop)
  response.end(encode('event', 'metadata', { usage, metrics: { latencyMs: 1 } }))
}

async function sendWhole(response: ServerResponse, reply: ScriptedConverse): Promise<void> {
  const { deltas = [], toolCalls = [], usage = USAGE, stopReason = 'end_turn' } = reply
  const text = (await Promise.all(deltas)).join('')
  const content = [...(text ? [{ text }] : []), ...toolCalls.map((toolUse) => ({ toolUse }))]
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ output: { message: { role: 'assistant', content } }, stopReason, usage }))
}

async function sendVector(response: ServerResponse, body: Record<string, unknown>): Promise<void> {
  const embedder = createOfflineEmbedder(body.dimensions as number)
  const [embedding] = await embedder.embed([body.inputText as string], new AbortController().signal)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ embedding, inputTextTokenCount: 3 }))
}

function encode(kind: 'event' | 'exception', type: string, body: object): Uint8Array {
  const headers = {
    ':message-type': kind,
    [`:${kind}-type`]: type,
    ':content-type': 'application/json'
  }
  return codec.encode({
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }])
    ),
    body: Buffer.from(JSON.stringify(body))
  })
}
