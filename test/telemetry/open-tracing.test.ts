import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openTracing } from '../../src/telemetry/open-tracing.ts'
import {
  beginInside,
  beginSpan,
  currentSpan,
  inside,
  isTracing,
  lostSpans,
  outside,
  toTraceparent,
  traced,
  traceIds
} from '../../src/telemetry/traced.ts'
import { eventually } from '../support/eventually.ts'
import { startTraceCollector } from '../support/trace-collector.ts'

/** Tracing to a collector of the test's own. */
function open(endpoint: string, ratio = 1) {
  let troubles = 0
  const onTrouble = () => void troubles++
  const tracing = openTracing({ endpoint, ratio, service: 'pai', onTrouble, gatherMs: 10 })
  onTestFinished(() => tracing.close(0))
  return { tracing, troubles: () => troubles }
}

async function openWithCollector(ratio = 1) {
  const collector = await startTraceCollector()
  onTestFinished(() => collector.close())
  return { collector, ...open(`${collector.endpoint}/`, ratio) }
}

test('untraced work just runs', async () => {
  expect(isTracing()).toBe(false)
  expect(await traced({ name: 'work' }, async (span) => [span.isTaken, currentSpan(), traceIds()])).toEqual([
    false,
    undefined,
    {}
  ])
  expect(inside(beginSpan({ name: 'work' }), () => currentSpan())).toBeUndefined()
})

test('the library is loaded by nothing that every start loads', () => {
  const src = join(import.meta.dirname, '..', '..', 'src')
  const start = readFileSync(join(src, 'telemetry', 'start.ts'), 'utf8')
  expect(start).toContain("await import('./open-tracing.ts')")
  expect(start).not.toMatch(/from '\.\/open-tracing/)
  for (const name of ['traced', 'measure', 'metric-lines', 'measure-traces', 'start'])
    expect(readFileSync(join(src, 'telemetry', `${name}.ts`), 'utf8'), name).not.toContain('@opentelemetry')
})

test('what waits when the process stops is sent', async () => {
  const { collector, tracing } = await openWithCollector()
  await traced({ name: 'outer' }, () => traced({ name: 'inner', facts: { count: 3 } }, async () => {}))
  await tracing.close(5_000)
  const [inner, outer] = collector.spans
  expect(inner).toMatchObject({ name: 'inner', parentSpanId: outer?.spanId, facts: { count: 3 } })
  expect(outer).toMatchObject({ name: 'outer' })
  expect(isTracing()).toBe(false)
})

test('of an error only its code is kept, or its kind', async () => {
  const { collector, tracing } = await openWithCollector()
  const coded = Object.assign(new Error('Ada said'), { code: 'PAI_MODEL_FAILED' })
  const odd = Object.assign(new Error('Ada said'), { code: 'Ada said', name: 'Ada said' })
  const wrapped = new Error('Ada said', { cause: Object.assign(new Error(), { code: '40001' }) })
  for (const error of [
    coded,
    odd,
    wrapped,
    new TypeError('Ada said'),
    new Error('PAI_JOB_FAILED'),
    'Ada said'
  ])
    await traced({ name: 'work' }, () => Promise.reject(error)).catch(() => {})
  await tracing.close(5_000)
  expect(collector.spans.map(({ facts }) => facts['error.type'])).toEqual([
    'PAI_MODEL_FAILED',
    'Error',
    '40001',
    'TypeError',
    'PAI_JOB_FAILED',
    'Error'
  ])
  expect(collector.spans.every(({ status }) => status.code === 2)).toBe(true)
  expect(collector.bodies.join()).not.toContain('Ada')
})

test('of the traces that are not taken, what fails is kept under the ids that the log names', async () => {
  const { collector, tracing } = await openWithCollector(0)
  let ids = {}
  await traced({ name: 'well' }, async () => {})
  await traced({ name: 'request', kind: 'server', facts: { route: '/v1/chat' } }, async (span) => {
    span.note({ status: 500 })
    ids = traceIds()
    throw new TypeError('no')
  }).catch(() => {})
  await tracing.close(5_000)
  expect(collector.spans).toMatchObject([
    { name: 'request', kind: 2, facts: { route: '/v1/chat', status: 500, 'error.type': 'TypeError' } }
  ])
  const [{ traceId, spanId } = {}] = collector.spans
  expect(ids).toEqual({ trace_id: traceId, span_id: spanId })
})

test('whether a trace is taken is decided where it begins, and only well-formed parents are gone on from', async () => {
  const { collector, tracing } = await openWithCollector(0)
  const ids = '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7'
  const parents = [
    `00-${ids}-01`,
    `00-${ids}-00`,
    `01-${ids}-01`,
    `00-${ids}-01-x`,
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    7,
    {}
  ]
  for (const [place, parent] of parents.entries())
    await traced({ name: `work ${place}`, parent }, async () => {})
  const taken = beginSpan({ name: 'far', parent: `00-${ids}-01` })
  expect(toTraceparent(taken)).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/)
  taken.end()
  await tracing.close(5_000)
  expect(collector.spans.map(({ name }) => name)).toEqual(['work 0', 'far'])
  expect(collector.spans[0]).toMatchObject({ parentSpanId: '00f067aa0ba902b7' })
})

test('a job belongs to the trace that queued it, or to its own: never to what woke the worker', async () => {
  const { collector, tracing } = await openWithCollector()
  await traced({ name: 'turn' }, async () => {
    await traced({ name: 'job', parent: undefined }, async () => {})
    outside(() => expect(beginInside(() => ({ name: 'statement' }))).toBeNull())
    beginInside(() => ({ name: 'statement' }))?.end()
  })
  // What the turn set going outlives it.
  const late = beginSpan({ name: 'late' })
  late.end()
  expect(inside(late, () => beginInside(() => ({ name: 'statement' })))).toBeNull()
  await tracing.close(5_000)
  const spans = Object.fromEntries(collector.spans.map((span) => [span.name, span]))
  expect(Object.keys(spans).sort()).toEqual(['job', 'late', 'statement', 'turn'])
  expect(spans.job?.traceId).not.toBe(spans.turn?.traceId)
  expect(spans.statement?.parentSpanId).toBe(spans.turn?.spanId)
})

test('a collector that is down costs nobody time, is told of once, and its spans are counted', async () => {
  const { tracing, troubles } = open('http://127.0.0.1:9')
  const before = lostSpans()
  const began = performance.now()
  for (let times = 0; times < 3_000; times++) await traced({ name: 'work' }, async () => {})
  expect(performance.now() - began).toBeLessThan(2_000)
  await eventually(() => expect(lostSpans() - before).toBeGreaterThan(900))
  const closing = performance.now()
  await tracing.close(300)
  expect(performance.now() - closing).toBeLessThan(2_000)
  expect(troubles()).toBeLessThan(2)
})

test('a collector that hangs fills no memory and holds no end of the process', async () => {
  const collector = await startTraceCollector({ hangs: true })
  onTestFinished(() => collector.close())
  const { tracing } = open(collector.endpoint)
  const before = lostSpans()
  await traced({ name: 'first' }, async () => {})
  await eventually(() => expect(collector.bodies).toHaveLength(1))
  for (let times = 0; times < 5_000; times++) await traced({ name: 'work' }, async () => {})
  // 2,048 wait or are on their way; the others are let go of at once.
  expect(lostSpans() - before).toBe(5_001 - 2_048)
  const closing = performance.now()
  await Promise.all([tracing.close(200), wait(1)])
  expect(performance.now() - closing).toBeLessThan(2_000)
})
