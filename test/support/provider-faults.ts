import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

export type CallKind = 'stream' | 'structured' | 'embedding'

/** What a call comes to: a whole answer, or the code of an error. */
export type CallEnd = 'whole' | `PAI_MODEL_${string}`

/** One way in which a provider goes wrong, or is odd without being wrong. */
export interface ProviderFault {
  name: string
  ends: CallEnd | Record<CallKind, CallEnd>
  /** How often it is asked; absent: once. */
  tries?: number | Record<CallKind, number>
  /** The words of a stream before its end; absent: all of them where it is whole, else none. */
  words?: string
  /** How much longer it may take, since the provider asks for a wait. */
  waitsMs?: number
  /** It takes long to be found wrong, and may be out of time before. */
  slow?: boolean
  /** It is not asked again for as long as it said, and a later call ends in the same way. */
  rests?: true
  answer: (response: ServerResponse, kind: CallKind) => void | Promise<void>
}

export const WORDS = 'Tromsø 🐝'
export const NAMES = { names: ['Ada'] }

const FAILED = 'PAI_MODEL_FAILED'
const TIMEOUT = 'PAI_MODEL_TIMEOUT'
const HTML = '<!doctype html><title>canary</title>'
const BOM = '\ufeff'

/** A tenth of a megabyte that unpacks to a hundred of them. */
const BOMB = gzipSync(Buffer.alloc(100 * 2 ** 20, ' '))

function chunk(fields: object): string {
  return JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...fields })
}

function delta(content: object, finish_reason: string | null = null): string {
  return chunk({ choices: [{ index: 0, delta: content, finish_reason }] })
}

const SAID = [
  delta({ role: 'assistant', content: '' }),
  delta({ content: 'Tromsø' }),
  delta({ content: ' 🐝' })
]
const END = [
  delta({}, 'stop'),
  chunk({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } }),
  '[DONE]'
]

/** The body of a healthy answer. */
const WHOLE: Record<CallKind, string> = {
  stream: frames([...SAID, ...END]),
  structured: JSON.stringify({
    choices: [{ index: 0, message: { content: JSON.stringify(NAMES) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1 }
  }),
  embedding: JSON.stringify({
    data: [{ object: 'embedding', index: 0, embedding: Array(64).fill(0.5) }],
    usage: { prompt_tokens: 1 }
  })
}

function frames(data: string[], before = 'data: ', after = '\n\n'): string {
  return data.map((text) => `${before}${text}${after}`).join('')
}

function begin(response: ServerResponse, kind: CallKind, headers: Record<string, string> = {}): void {
  const type = kind === 'stream' ? 'text/event-stream' : 'application/json'
  response.writeHead(200, { 'content-type': type, ...headers })
}

function refuse(status: number, body: string, headers: Record<string, string> = {}) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body)
  }
}

/** Sends these bytes and ends. */
function send(body: (kind: CallKind) => string | Buffer) {
  return (response: ServerResponse, kind: CallKind) => {
    begin(response, kind)
    response.end(body(kind))
  }
}

/** Sends this much and then does no more than `after` does. */
function sendPart(after: (response: ServerResponse) => void) {
  return (response: ServerResponse, kind: CallKind) => {
    begin(response, kind)
    const part = kind === 'stream' ? frames(SAID) : WHOLE[kind].slice(0, 40)
    response.write(part, () => after(response))
  }
}

/** Goes on for ever, as long as somebody listens. */
function drip(next: (place: number, kind: CallKind) => string, everyMs: number) {
  return async (response: ServerResponse, kind: CallKind) => {
    begin(response, kind)
    for (let place = 0; !response.destroyed; place++) {
      response.write(next(place, kind))
      await wait(everyMs)
    }
  }
}

const error = JSON.stringify({ error: { message: 'canary', type: 'server_error', code: null } })
const toolPart = (id: string, text: string) =>
  delta({ tool_calls: [{ index: 0, id, type: 'function', function: { name: 'look_up', arguments: text } }] })
const TORN: Record<CallKind, CallEnd> = { stream: FAILED, structured: FAILED, embedding: FAILED }
const ONCE_BEGUN = { stream: 1, structured: 3, embedding: 3 }

export const PROVIDER_FAULTS: ProviderFault[] = [
  { name: '429', ends: 'PAI_MODEL_RATE_LIMITED', tries: 3, answer: refuse(429, error) },
  {
    name: '429 with Retry-After',
    ends: 'PAI_MODEL_RATE_LIMITED',
    tries: 3,
    waitsMs: 1_000,
    answer: refuse(429, error, { 'retry-after': '0.5' })
  },
  {
    name: '429 with a Retry-After that is too long to wait for',
    ends: 'PAI_MODEL_RATE_LIMITED',
    rests: true,
    answer: refuse(429, error, { 'retry-after': '3600' })
  },
  { name: '500', ends: FAILED, tries: 3, answer: refuse(500, error) },
  {
    name: '502 with a page',
    ends: FAILED,
    tries: 3,
    answer: refuse(502, HTML, { 'content-type': 'text/html' })
  },
  { name: '401', ends: 'PAI_MODEL_REFUSED', answer: refuse(401, error) },
  {
    name: 'connection reset',
    ends: 'PAI_MODEL_UNREACHABLE',
    tries: 3,
    answer: (response) => void response.socket?.resetAndDestroy()
  },
  { name: 'hang before the headers', ends: TIMEOUT, answer: () => {} },
  { name: 'hang in the middle', ends: TIMEOUT, words: WORDS, answer: sendPart(() => {}) },
  { name: 'a byte a second', ends: TIMEOUT, answer: drip((place, kind) => WHOLE[kind].charAt(place), 1_000) },
  {
    name: 'cut in the middle',
    ends: TORN,
    tries: ONCE_BEGUN,
    words: WORDS,
    answer: sendPart((response) => response.destroy())
  },
  {
    name: 'reset in the middle',
    ends: TORN,
    tries: ONCE_BEGUN,
    words: WORDS,
    answer: sendPart((response) => response.socket?.resetAndDestroy())
  },
  {
    name: 'end in the middle of JSON',
    ends: FAILED,
    tries: ONCE_BEGUN,
    words: WORDS,
    answer: send((kind) =>
      kind === 'stream' ? `${frames(SAID)}data: {"choices":[{"ind` : '{"choices":[{"ind'
    )
  },
  {
    name: 'no [DONE]',
    ends: 'whole',
    answer: send((kind) => WHOLE[kind].replace('data: [DONE]\n\n', ''))
  },
  {
    name: 'an error in place of an answer, with 200',
    ends: FAILED,
    tries: 3,
    answer: send((kind) => (kind === 'stream' ? frames([error]) : error))
  },
  {
    name: 'an error after some words, with 200',
    ends: FAILED,
    tries: ONCE_BEGUN,
    words: WORDS,
    answer: send((kind) => (kind === 'stream' ? frames([...SAID, error]) : error))
  },
  {
    name: 'a page, with 200',
    ends: FAILED,
    tries: 3,
    answer: refuse(200, HTML, { 'content-type': 'text/html' })
  },
  { name: 'nothing, with 200', ends: FAILED, tries: 3, answer: send(() => '') },
  { name: 'no JSON', ends: FAILED, tries: 3, answer: send(() => 'data: {canary}\n\n') },
  { name: 'a byte order mark', ends: 'whole', answer: send((kind) => BOM + WHOLE[kind]) },
  { name: 'line ends of CR', ends: 'whole', answer: send((kind) => WHOLE[kind].replaceAll('\n', '\r')) },
  { name: 'line ends of CRLF', ends: 'whole', answer: send((kind) => WHOLE[kind].replaceAll('\n', '\r\n')) },
  { name: 'line ends of LF', ends: 'whole', answer: send((kind) => WHOLE[kind]) },
  {
    name: 'data: without a space',
    ends: 'whole',
    answer: send((kind) => WHOLE[kind].replaceAll('data: ', 'data:'))
  },
  {
    name: 'data over several lines',
    ends: 'whole',
    answer: send((kind) =>
      kind === 'stream' ? WHOLE[kind].replaceAll('"choices":', '\ndata: "choices":\ndata: ') : WHOLE[kind]
    )
  },
  {
    name: 'comments for ever',
    ends: { stream: TIMEOUT, structured: TIMEOUT, embedding: TIMEOUT },
    answer: drip((_, kind) => (kind === 'stream' ? ': keep-alive\n\n' : ' '), 20)
  },
  {
    name: 'comments and an end',
    ends: FAILED,
    tries: 3,
    answer: send((kind) => (kind === 'stream' ? ': keep-alive\n\n: keep-alive\n\n' : '  '))
  },
  {
    name: 'characters split over chunks',
    ends: 'whole',
    async answer(response, kind) {
      begin(response, kind)
      for (const byte of Buffer.from(WHOLE[kind])) response.write(Buffer.from([byte]))
      response.end()
    }
  },
  {
    name: 'a line of 10 MB',
    slow: true,
    ends: FAILED,
    tries: 3,
    answer: send(() => `data: {"canary":"${'x'.repeat(10 * 2 ** 20)}"}\n\n`)
  },
  {
    name: 'a gzip bomb',
    slow: true,
    ends: FAILED,
    tries: 3,
    answer(response, kind) {
      begin(response, kind, { 'content-encoding': 'gzip' })
      response.end(BOMB)
    }
  },
  {
    name: 'two calls of one index',
    ends: 'whole',
    answer: send((kind) =>
      kind === 'stream' ? frames([...SAID, toolPart('a', '{}'), toolPart('b', '{}'), ...END]) : WHOLE[kind]
    )
  },
  {
    name: 'empty choices for ever',
    ends: TIMEOUT,
    answer: drip((_, kind) => (kind === 'stream' ? frames([chunk({ choices: [] })]) : ' '), 20)
  },
  {
    name: 'empty choices',
    ends: { stream: FAILED, structured: 'PAI_MODEL_UNREADABLE', embedding: FAILED },
    tries: { stream: 3, structured: 1, embedding: 1 },
    answer: send((kind) =>
      kind === 'stream' ? frames([chunk({ choices: [] })]) : JSON.stringify({ choices: [], data: [] })
    )
  },
  {
    name: 'fields nobody knows',
    ends: 'whole',
    answer: send((kind) => WHOLE[kind].replaceAll('{"', '{"canary":[{"canary":null}],"'))
  }
]
