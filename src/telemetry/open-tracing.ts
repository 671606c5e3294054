import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import { countLostSpans, type Facts, type Span, setTracing, type Tracing, type Work } from './traced.ts'

export interface TracingSettings {
  /** Of the collector; `/v1/traces` is added. */
  endpoint: string
  /** Of the traces that begin here, how many are taken, 0 to 1. */
  ratio: number
  service: string
  namespace?: string | undefined
  /** Hears when a collector stops taking spans, once until it takes them again. */
  onTrouble: () => void
  /** How long spans gather before they are sent. */
  gatherMs?: number
}

/** Spans that wait or are on their way. More are dropped, and counted. */
const MOST_WAITING = 2_048
const BATCH = 512
const GATHER_MS = 2_000
/** A collector that is silent for so long has lost the batch. */
const SEND_MS = 5_000
const LONGEST_FACT = 256
const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER
}
/** Codes are one word; what stands in their place may be a sentence. */
const CODE = /^[\w.-]{1,64}$/
const OURS = /^PAI_[A-Z_]{1,60}$/

/**
 * Traces over OTLP. Nothing is registered for the whole process: only what PAI names itself becomes a span, so that no
 * library's own instrumentation can put a statement's values or an address into one. That is also why the spans are made by
 * hand: hooks on the loading of modules would cost every start, and decide by themselves what a span says.
 */
export function openTracing(settings: TracingSettings): { close(graceMs: number): Promise<void> } {
  const { endpoint, ratio, service, namespace, onTrouble, gatherMs = GATHER_MS } = settings
  const ids = createIds()
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': service,
      ...(namespace && { 'service.namespace': namespace })
    }),
    sampler: new ParentBasedSampler({ root: failuresAnd(new TraceIdRatioBasedSampler(ratio)) }),
    idGenerator: ids,
    spanLimits: { attributeValueLengthLimit: LONGEST_FACT, attributeCountLimit: 32, eventCountLimit: 0 },
    spanProcessors: [boundedProcessor(`${endpoint.replace(/\/+$/, '')}/v1/traces`, gatherMs, onTrouble)]
  })
  const tracer = provider.getTracer('pai')

  function open(work: Work, context: Context, more: Facts = {}, startTime?: number) {
    const { name, kind = 'internal', facts } = work
    const attributes = { ...facts, ...more }
    return tracer.startSpan(name, { kind: KINDS[kind], attributes, ...(startTime && { startTime }) }, context)
  }

  const tracing: Tracing = {
    begin(work, parent) {
      const context = parent ? trace.setSpanContext(ROOT_CONTEXT, toContext(parent)) : ROOT_CONTEXT
      const span = open(work, context)
      const { traceId, spanId } = span.spanContext()
      const isTaken = span.isRecording()
      const began = isTaken ? 0 : Date.now()
      let noted: Facts = {}
      let isOver = false
      return {
        name: work.name,
        traceId,
        spanId,
        isTaken,
        get isOver() {
          return isOver
        },
        note(facts) {
          if (isTaken) span.setAttributes(facts)
          else noted = { ...noted, ...facts }
        },
        end(error) {
          if (isOver) return
          isOver = true
          if (isTaken) {
            if (error !== undefined) fail(span, error)
            span.end()
          } else if (error !== undefined) {
            // The trace is not taken, its failure is: alone, under the ids that the log names.
            ids.repeat(traceId, spanId)
            const kept = open(work, ROOT_CONTEXT, { ...noted, 'error.type': kindOf(error) }, began)
            fail(kept, error)
            kept.end()
          }
        }
      } satisfies Span
    }
  }
  setTracing(tracing)

  return {
    /** Sends what waits, for as long as `graceMs` allows. */
    async close(graceMs) {
      setTracing(null)
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, graceMs)
      })
      await Promise.race([provider.shutdown().catch(() => {}), late])
      clearTimeout(timer)
    }
  }
}

function toContext({ traceId, spanId, isTaken, isRemote }: NonNullable<Parameters<Tracing['begin']>[1]>) {
  return { traceId, spanId, isRemote, traceFlags: isTaken ? TraceFlags.SAMPLED : TraceFlags.NONE }
}

function fail(span: ReturnType<ReturnType<TracerProvider['getTracer']>['startSpan']>, error: unknown): void {
  span.setAttribute('error.type', kindOf(error))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/** Never its message: it may hold the person's words. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' && CODE.test(error) ? error : 'Error'
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const { code } = current as { code?: unknown }
    if (typeof code === 'string' && CODE.test(code)) return code
  }
  // Jobs fail with a code for a message.
  if (OURS.test(error.message)) return error.message
  return CODE.test(error.name) ? error.name : 'Error'
}

/** Takes every trace that begins with a failure, see `end` above, and of the others what the ratio says. */
function failuresAnd(ratio: Sampler): Sampler {
  return {
    shouldSample: (context, traceId, name, kind, facts, links) =>
      'error.type' in facts
        ? { decision: SamplingDecision.RECORD_AND_SAMPLED }
        : ratio.shouldSample(context, traceId, name, kind, facts, links),
    toString: () => `FailuresAnd{${ratio}}`
  }
}

/** The next span may have the ids of one that was not taken. */
function createIds(): IdGenerator & { repeat: (traceId: string, spanId: string) => void } {
  const random = new RandomIdGenerator()
  let again: { traceId: string; spanId: string } | null = null
  return {
    // A span asks for its own id first, and for its trace's where it begins one.
    generateSpanId: () => again?.spanId ?? random.generateSpanId(),
    generateTraceId() {
      const { traceId } = again ?? { traceId: random.generateTraceId() }
      again = null
      return traceId
    },
    repeat(traceId, spanId) {
      again = { traceId, spanId }
    }
  }
}

/** A batch at a time, off everybody's way; what a collector does not take in time is dropped and counted. */
function boundedProcessor(url: string, gatherMs: number, onTrouble: () => void): SpanProcessor {
  let waiting = 0
  let isTroubled = false
  const collector = new OTLPTraceExporter({ url, timeoutMillis: SEND_MS, concurrencyLimit: 4 })
  const exporter: SpanExporter = {
    export(spans, done) {
      collector.export(spans, (result) => {
        waiting -= spans.length
        const failed = result.code !== 0
        if (failed) countLostSpans(spans.length)
        if (failed && !isTroubled) onTrouble()
        isTroubled = failed
        done(result)
      })
    },
    forceFlush: () => collector.forceFlush(),
    shutdown: () => collector.shutdown()
  }
  const batches = new BatchSpanProcessor({
    exporter,
    maxQueueSize: MOST_WAITING,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: gatherMs,
    exportTimeoutMillis: 2 * SEND_MS
  })
  return {
    onStart() {},
    onEnd(span) {
      if (waiting >= MOST_WAITING) return countLostSpans(1)
      waiting++
      batches.onEnd(span)
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown()
  }
}
