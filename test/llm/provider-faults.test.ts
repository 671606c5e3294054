import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLlm } from '../../src/llm/create-llm.ts'
import { RETRIES } from '../../src/llm/guard.ts'
import type { Llm, ModelEvent } from '../../src/llm/model.ts'
import { MODEL_TIMEOUTS } from '../../src/llm/silence.ts'
import { eventually } from '../support/eventually.ts'
import { startFaultyProvider } from '../support/faulty-provider.ts'
import { describeError } from '../support/model-events.ts'
import {
  type CallKind,
  NAMES,
  PROVIDER_FAULTS,
  type ProviderFault,
  WORDS
} from '../support/provider-faults.ts'

/** Short where the fault is a silence, long where a limit must not be what ends the call. */
const SILENCE_MS = 400
const PATIENCE_MS = 5_000
/** All that a call may take beyond its time. */
const SPARE_MS = 1_000
const KINDS: CallKind[] = ['stream', 'structured', 'embedding']
const signal = new AbortController().signal
const unhandled: unknown[] = []
const keep = (reason: unknown) => void unhandled.push(reason)
let provider: Awaited<ReturnType<typeof startFaultyProvider>>
let before: Map<string, number>

beforeAll(async () => {
  process.on('unhandledRejection', keep)
  before = await countBefore()
  provider = await startFaultyProvider()
})
afterAll(async () => {
  await provider.close()
  process.off('unhandledRejection', keep)
})

describe.each(PROVIDER_FAULTS)('a provider with $name', (fault) => {
  test.each(KINDS)('ends as it should, in time: %s', async (kind) => {
    const code = typeof fault.ends === 'string' ? fault.ends : fault.ends[kind]
    const limitMs = code === 'PAI_MODEL_TIMEOUT' ? SILENCE_MS : PATIENCE_MS
    const llm = await openLlm(provider.baseUrlOf(fault), limitMs)
    const began = performance.now()
    const end = await call(llm, kind)
    const tookMs = performance.now() - began
    expect(end.code).toBe(code)
    expect(describeError(end.error)).not.toMatch(/canary/)
    expect(end.answer).toEqual(expected(fault, kind, end.code === 'whole'))
    expect(tookMs).toBeLessThan(limitMs + SPARE_MS + (fault.waitsMs ?? 0))
    expect(tookMs).toBeGreaterThanOrEqual(fault.waitsMs ?? 0)
    const { tries = 1 } = fault
    expect(provider.asked(fault, kind)).toBe(typeof tries === 'number' ? tries : tries[kind])
  })
})

test.each([
  ['refuses connections', 'http://127.0.0.1:1/v1'],
  ['has no address', 'http://pai.invalid/v1']
])('a provider that %s cannot be reached', async (_, baseUrl) => {
  const llm = await openLlm(baseUrl)
  for (const kind of KINDS) {
    const began = performance.now()
    expect((await call(llm, kind)).code).toBe('PAI_MODEL_UNREACHABLE')
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS + SPARE_MS)
  }
})

test('two calls of one index are told apart', async () => {
  const fault = PROVIDER_FAULTS.find(({ name }) => name === 'two calls of one index')
  const llm = await openLlm(provider.baseUrlOf(fault as ProviderFault))
  const { events } = await call(llm, 'stream')
  const ids = events.flatMap((event) => (event.type === 'tool-call' ? [event.call.callId] : []))
  expect(ids).toEqual(['a', 'b'])
})

test('nothing is left of any of them: no connection, no timer, no failure that nobody heard of', async () => {
  await eventually(async () => expect(await provider.connections()).toBe(0), 5_000)
  await provider.close()
  await eventually(() => {
    for (const [name, count] of countResources()) {
      expect(count, name).toBeLessThanOrEqual(before.get(name) ?? 0)
    }
  }, 5_000)
  expect(unhandled).toEqual([])
  provider = await startFaultyProvider()
})

function openLlm(openAiBaseUrl: string, limitMs = PATIENCE_MS): Promise<Llm> {
  return createLlm({
    openAiBaseUrl,
    chatModel: 'm',
    embeddingModel: 'm',
    embeddingDimensions: 64,
    retries: { ...RETRIES, firstWaitMs: 20 },
    timeouts: {
      ...MODEL_TIMEOUTS,
      firstTokenMs: limitMs,
      betweenTokensMs: limitMs,
      answerMs: limitMs,
      embeddingMs: limitMs
    }
  })
}

async function call(llm: Llm, kind: CallKind) {
  const events: ModelEvent[] = []
  try {
    return { code: 'whole', error: null, answer: await ask(llm, kind, events), events }
  } catch (error) {
    const words = kind === 'stream' ? textOf(events) : undefined
    return { code: (error as { code?: string }).code, error, answer: words, events }
  }
}

async function ask(llm: Llm, kind: CallKind, events: ModelEvent[]): Promise<unknown> {
  if (kind === 'embedding') return (await llm.embedder.embed(['Ada'], signal))[0]?.length
  if (kind === 'structured') {
    const request = { system: 'Find the names.', user: 'Ada', name: 'names', schema: { type: 'object' } }
    return (await llm.structured?.complete(request, signal))?.value
  }
  const messages = [{ role: 'user' as const, content: 'Where?' }]
  for await (const event of llm.chat.stream({ system: '', messages, sources: [] }, signal)) events.push(event)
  return textOf(events)
}

function expected(fault: ProviderFault, kind: CallKind, whole: boolean): unknown {
  if (kind === 'stream') return whole ? WORDS : (fault.words ?? '')
  if (!whole) return undefined
  return kind === 'structured' ? NAMES : 64
}

function textOf(events: ModelEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
}

/** Counted as at the end: whoever waits for a condition holds timers too. */
function countBefore(): Promise<Map<string, number>> {
  let looks = 0
  return eventually(() => {
    expect(++looks).toBe(2)
    return countResources()
  })
}

/** What keeps the process busy that could be left behind. */
function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) {
    if (/Timeout|TCP|TLS|DNS|GETADDRINFO/i.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}
