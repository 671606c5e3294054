import type { InjectOptions } from 'fastify'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import {
  buildTestApp,
  type ScriptedStep,
  scriptedModel,
  type TestApp,
  type TestAppOptions,
  type TestOwner
} from '../support/app.ts'

// biome-ignore lint/suspicious/noExplicitAny: the tests read answers of every shape
type Json = any

export interface Answer {
  status: number
  type: string
  text: string
  /** The parsed body, where it is JSON. */
  data: Json
}

export type Call = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  headers?: Record<string, string>
) => Promise<Answer>

export interface SentEvent {
  id: number
  type: string
  data: Json
}

/** A house with a scripted model and an owner in it, who calls the API through `call`. */
export async function setUp(
  database: Database,
  script: Parameters<typeof scriptedModel>[0] = ['Hello', ' Ada'],
  options: TestAppOptions = {}
) {
  const model = scriptedModel(script)
  const house = await buildTestApp(database, { ...options, llm: { chat: model, ...options.llm } })
  onTestFinished(() => house.close())
  const owner = await house.register()
  return { house, model, owner, call: callAs(house, owner) }
}

/** A house and an owner that the tests of a block share, since none of them leaves anything behind. */
export function shareHouse(database: () => Database): () => Call {
  let shared: { house: TestApp; call: Call } | undefined
  beforeAll(async () => {
    const house = await buildTestApp(database(), { llm: { chat: scriptedModel(['Hello']) } })
    shared = { house, call: callAs(house, await house.register()) }
  })
  afterAll(() => shared?.house.close())
  return () => {
    if (!shared) throw new Error('The house is built before the first test: ask for it inside a test')
    return shared.call
  }
}

export function callAs(house: TestApp, owner: TestOwner): Call {
  return async (method, path, body, headers) => {
    const request: InjectOptions = { method, url: `/v1${path}`, headers: { ...owner.headers, ...headers } }
    if (body !== undefined) request.payload = body as object
    const response = await house.app.inject(request)
    const type = String(response.headers['content-type'] ?? '')
    const data = type.includes('json') ? response.json() : null
    return { status: response.statusCode, type, text: response.body, data }
  }
}

/** Makes the log of a turn that has made calls many megabytes long, which no reply is let grow to. */
export async function lengthenLog(database: Database, turnId: string): Promise<void> {
  await database.pool.query(
    `UPDATE turn_events SET data = jsonb_set(data, '{arguments}', to_jsonb(repeat('bees ', 20000)))
      WHERE turn_id = $1 AND type = 'tool-call'`,
    [turnId]
  )
}

export const STREAM = { accept: 'text/event-stream' }

/** The events of a stream; comments are no events. */
export function parseEvents(text: string): SentEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map((block) => {
      const [, id, type, data] = /^id: (\d+)\nevent: ([\w-]+)\ndata: ([^\r\n]+)$/.exec(block) ?? []
      if (!data) throw new Error(`Not an event: ${block}`)
      return { id: Number(id), type: type as string, data: JSON.parse(data) }
    })
}

export interface EventReader {
  response: Response
  /** Reads on until an event of this type, or one that fits, has come, and answers it. */
  until(wanted: string | ((event: SentEvent) => boolean)): Promise<SentEvent>
  /** Reads to the end; answers all events since the beginning. */
  all(): Promise<SentEvent[]>
  /** What came so far, to the byte. */
  readonly text: string
  leave(): Promise<void>
}

/** Follows events over a real socket, while they happen. */
export async function openStream(
  house: TestApp,
  owner: TestOwner,
  path: string,
  init: { body?: unknown; headers?: Record<string, string> } = {}
): Promise<EventReader> {
  const leaving = new AbortController()
  const response = await fetch(`${await house.listen()}/v1${path}`, {
    method: init.body === undefined ? 'GET' : 'POST',
    headers: {
      ...owner.headers,
      ...STREAM,
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...init.headers
    },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    signal: leaving.signal
  })
  const pieces = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const complete = () => parseEvents(text.slice(0, text.lastIndexOf('\n\n') + 2))

  return {
    response,
    async until(wanted) {
      const fits = typeof wanted === 'string' ? ({ type }: SentEvent) => type === wanted : wanted
      for (;;) {
        const found = complete().find(fits)
        if (found) return found
        const { done, value } = await pieces.read()
        if (done) throw new Error(`The stream ended without ${wanted}: ${text}`)
        text += value
      }
    },
    async all() {
      for (;;) {
        const { done, value } = await pieces.read()
        if (done) return parseEvents(text)
        text += value
      }
    },
    get text() {
      return text
    },
    async leave() {
      leaving.abort()
      await pieces.read().catch(() => {})
    }
  }
}

/** A gate for a script: the model waits there until the test opens it. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { step: promise as ScriptedStep, open: resolve }
}
