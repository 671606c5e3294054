import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { createOfflineEmbedder } from '../../src/llm/offline-embedder.ts'
import { analyzeTerms } from '../../src/search/analyze.ts'

export interface ScriptedToolCall {
  id: string
  name: string
  arguments: string
}

/** One answer of the server. Everything left out is what a healthy server would do. */
export interface ScriptedReply {
  /** The words, piece by piece. A promise is awaited before its piece is sent: a test's gate. */
  deltas?: Array<string | Promise<string>>
  /** What a compatible server streams before the words, as `reasoning_content`. */
  reasoning?: string[]
  toolCalls?: ScriptedToolCall[]
  /** null: it does not count. */
  usage?: {
    prompt_tokens: number
    completion_tokens: number
    prompt_tokens_details?: { cached_tokens: number }
  } | null
  finishReason?: string
  /** `cut`: the connection breaks after the last delta; `end`: it closes politely, with no reason given. */
  ending?: 'done' | 'no-done' | 'only-done' | 'end' | 'cut' | 'hang' | 'finish-and-hang'
  /** Sent as an error object after the last delta, in place of the ending. */
  streamError?: unknown
  /** Answers with this in place of a completion. An object is sent as JSON, text as it stands. */
  body?: unknown
  status?: number
  headers?: Record<string, string>
  /** Never answers at all, or breaks the connection before a byte is sent. */
  before?: 'hang' | 'cut'
}

export interface ScriptedRequest {
  path: string
  headers: IncomingHttpHeaders
  body: Record<string, unknown>
}

export interface ScriptedOpenAiOptions {
  port?: number
  /** Answers each chat completion that no `script` is waiting for. */
  reply?: (request: ScriptedRequest) => string | ScriptedReply
  embed?: (text: string) => number[]
  /** What its list of models says of the one it has, beside its name. */
  model?: object
  /** What it answers elsewhere, by path. */
  elsewhere?: Record<string, unknown>
}

/** A real HTTP server that speaks the OpenAI wire format and says what a test tells it to. */
export async function startScriptedOpenAi(options: ScriptedOpenAiOptions = {}) {
  const requests: ScriptedRequest[] = []
  const scripted: Array<string | ScriptedReply> = []
  const scriptedEmbeddings: ScriptedReply[] = []
  const arrivals = new EventTarget()
  let connections = 0
  let closed = 0

  const server = createServer((request, response) => {
    response.once('close', () => {
      closed++
      arrivals.dispatchEvent(new Event('close'))
    })
    answer(request, response).catch(() => response.destroy())
  })
  server.on('connection', () => connections++)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request)
    const path = request.url ?? ''
    const seen = { path, headers: request.headers, body }
    requests.push(seen)
    arrivals.dispatchEvent(new Event('request'))
    if (path === '/v1/models')
      return sendBody(response, {
        body: { object: 'list', data: [{ id: 'scripted', object: 'model', ...options.model }] }
      })
    if (options.elsewhere?.[path]) return sendBody(response, { body: options.elsewhere[path] })
    if (path === '/v1/embeddings') {
      const fault = scriptedEmbeddings.shift()
      if (fault) return sendFault(response, fault)
      return sendBody(response, { body: await embedAll(body, options.embed) })
    }
    if (path !== '/v1/chat/completions')
      return sendBody(response, { status: 404, body: { error: { message: 'no such path' } } })
    const next = scripted.shift() ?? (options.reply ?? defaultReply)(seen)
    const reply = typeof next === 'string' ? { deltas: [next] } : next
    if (reply.before || 'body' in reply) return sendFault(response, reply)
    return body.stream ? sendStream(response, seen, reply) : sendCompletion(response, seen, reply)
  }

  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')

  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    /** How many connections were opened so far. */
    connections: () => connections,
    /** The answer to the next chat completion. */
    script(next: string | ScriptedReply): void {
      scripted.push(next)
    },
    /** The fault, or the whole body, that answers the next request for embeddings. */
    scriptEmbeddings(next: ScriptedReply): void {
      scriptedEmbeddings.push(next)
    },
    /** Waits until so many requests have come. */
    async waitForRequests(count: number): Promise<void> {
      while (requests.length < count) await once(arrivals, 'request')
    },
    /** How many answers are over so far. */
    closed: () => closed,
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

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {}
}

function sendBody(response: ServerResponse, { status = 200, headers, body }: ScriptedReply): void {
  const isText = typeof body === 'string'
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers })
  response.end(isText ? body : JSON.stringify(body))
}

function sendFault(response: ServerResponse, reply: ScriptedReply): void {
  if (reply.before === 'hang') return
  if (reply.before === 'cut') response.socket?.resetAndDestroy()
  else sendBody(response, reply)
}

async function sendStream(
  response: ServerResponse,
  request: ScriptedRequest,
  reply: ScriptedReply
): Promise<void> {
  const { usage = defaultUsage(request, reply), toolCalls = [], ending = 'done' } = reply
  const model = request.body.model
  const chunk = { id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 1, model }
  const frame = (fields: object) => `data: ${JSON.stringify({ ...chunk, ...fields })}\n\n`
  const choice = (delta: object, finish_reason: string | null = null) =>
    frame({ choices: [{ index: 0, delta, finish_reason }] })

  response.writeHead(200, { 'content-type': 'text/event-stream', ...reply.headers })
  // What needs no waiting goes out in one write, so that a bench measures PAI and not this server.
  let waiting = choice({ role: 'assistant', content: '' })
  for (const text of reply.reasoning ?? []) waiting += choice({ reasoning_content: text })
  for (const delta of reply.deltas ?? defaultDeltas(request, reply)) {
    if (typeof delta === 'string') waiting += choice({ content: delta })
    else {
      response.write(waiting)
      waiting = choice({ content: await delta })
    }
  }
  for (const [index, call] of toolCalls.entries())
    waiting += splitToolCall(index, call)
      .map((part) => choice(part))
      .join('')
  if (reply.streamError !== undefined)
    return void response.end(`${waiting}data: ${JSON.stringify({ error: reply.streamError })}\n\n`)
  if (ending === 'hang') return void response.write(waiting)
  if (ending === 'cut') return void response.write(waiting, () => response.destroy())
  if (ending === 'end') return void response.end(waiting)
  if (ending !== 'only-done')
    waiting += choice({}, reply.finishReason ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop'))
  if (ending === 'finish-and-hang') return void response.write(waiting)
  if (usage && asksForUsage(request.body)) waiting += frame({ choices: [], usage: withTotal(usage) })
  response.end(ending === 'no-done' ? waiting : `${waiting}data: [DONE]\n\n`)
}

async function sendCompletion(
  response: ServerResponse,
  request: ScriptedRequest,
  reply: ScriptedReply
): Promise<void> {
  const { usage = defaultUsage(request, reply), toolCalls = [] } = reply
  const content = (await Promise.all(reply.deltas ?? defaultDeltas(request, reply))).join('')
  const calls = toolCalls.map(({ id, ...call }) => ({ id, type: 'function', function: call }))
  const message = {
    role: 'assistant',
    content,
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls })
  }
  sendBody(response, {
    ...reply,
    body: {
      id: 'chatcmpl-scripted',
      object: 'chat.completion',
      created: 1,
      model: request.body.model,
      choices: [
        { index: 0, message, finish_reason: reply.finishReason ?? (calls.length > 0 ? 'tool_calls' : 'stop') }
      ],
      ...(usage && { usage: withTotal(usage) })
    }
  })
}

/** As OpenAI sends it: the name first, then the arguments in two pieces. */
function splitToolCall(index: number, { id, name, arguments: text }: ScriptedToolCall): object[] {
  const middle = Math.ceil(text.length / 2)
  return [
    { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
    { tool_calls: [{ index, function: { arguments: text.slice(0, middle) } }] },
    { tool_calls: [{ index, function: { arguments: text.slice(middle) } }] }
  ]
}

function asksForUsage(body: Record<string, unknown>): boolean {
  return (body.stream_options as { include_usage?: boolean } | undefined)?.include_usage === true
}

function defaultUsage({ body }: ScriptedRequest, { deltas = [] }: ScriptedReply) {
  return {
    prompt_tokens: Math.ceil(JSON.stringify(body.messages ?? '').length / 4),
    completion_tokens: deltas.length
  }
}

function withTotal(usage: NonNullable<ScriptedReply['usage']>) {
  return { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens }
}

function defaultDeltas(request: ScriptedRequest, reply: ScriptedReply): string[] {
  const { toolCalls, streamError } = reply
  return toolCalls || streamError !== undefined ? [] : [defaultReply(request)]
}

/** The notes that may stand before the words of the user, and these. */
export function splitNotes(content: string): { notes: string; words: string } {
  const [, notes = '', words = content] =
    /^<memory>\n([\s\S]*?)\n<\/memory>\n\n([\s\S]*)$/.exec(content) ?? []
  return { notes, words }
}

/** Says back the line of its instructions or notes that a question is nearest to: recall can be seen at work. */
function defaultReply({ body }: ScriptedRequest): string {
  const format = body.response_format as { json_schema?: { schema: JsonSchema } } | undefined
  if (format?.json_schema) return JSON.stringify(emptyAnswer(format.json_schema.schema))
  if (format) return '{}'
  const messages = (body.messages ?? []) as Array<{ role: string; content: string | { text?: string }[] }>
  const { notes, words: said } = splitNotes(textOf(messages.findLast(({ role }) => role === 'user')?.content))
  const asked = new Set(analyzeTerms(said))
  const lines = messages
    .filter(({ role }) => role === 'system')
    .flatMap(({ content }) => textOf(content).split('\n'))
    .concat(notes.split('\n'))
  let best = { line: '', shared: 0 }
  for (const line of said.includes('?') ? lines : []) {
    const terms = new Set(analyzeTerms(line))
    const shared = [...asked].filter((term) => terms.has(term)).length
    if (shared > best.shared) best = { line, shared }
  }
  return best.line ? `I was told: ${best.line.trim()}` : `You said: ${said.slice(0, 200)}`
}

/** The words of a message, which may come in parts with images between. */
function textOf(content: string | { text?: string }[] = ''): string {
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('')
}

interface JsonSchema {
  type?: string | string[]
  properties?: Record<string, JsonSchema>
  enum?: unknown[]
}

function emptyAnswer(schema: JsonSchema): unknown {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (schema.enum) return schema.enum[0]
  if (type === 'array') return []
  if (type === 'string') return ''
  if (type === 'number' || type === 'integer') return 0
  if (type === 'boolean') return false
  if (type !== 'object') return null
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, part]) => [name, emptyAnswer(part)])
  )
}

async function embedAll(body: Record<string, unknown>, embed?: (text: string) => number[]): Promise<object> {
  const texts = [body.input].flat() as string[]
  const embedder = createOfflineEmbedder((body.dimensions as number | undefined) ?? 1536)
  const vectors = embed ? texts.map(embed) : await embedder.embed(texts, new AbortController().signal)
  return {
    object: 'list',
    model: body.model,
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    usage: { prompt_tokens: texts.length, total_tokens: texts.length }
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '8089' } } })
  const { baseUrl } = await startScriptedOpenAi({ port: Number(values.port) })
  console.log(baseUrl)
}
