import { AsyncLocalStorage } from 'node:async_hooks'

/** Facts of a span: names, counts and codes of ours. Never a person's words, an owner, or a bound value. */
export type Facts = Record<string, string | number | boolean | string[]>

export type SpanKind = 'internal' | 'server' | 'client' | 'consumer'

/** A piece of work as it is named in traces. */
export interface Work {
  /** One of a few: a route's template, a statement's tables, a job's name. */
  name: string
  kind?: SpanKind
  facts?: Facts
  /** Given, even as nothing: a W3C traceparent to go on from, whatever runs around. A malformed one begins a trace. */
  parent?: unknown
}

export interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** Whether its trace is among those that are taken. */
  readonly isTaken: boolean
  readonly isOver: boolean
  note(facts: Facts): void
  /** Ends it, once; with an error as failed. Of the error only its code or its kind is kept. */
  end(error?: unknown): void
}

/** What makes spans; loaded only where traces are wanted. */
export interface Tracing {
  begin(
    work: Work,
    parent: { traceId: string; spanId: string; isTaken: boolean; isRemote: boolean } | null
  ): Span
}

const NO_SPAN: Span = {
  name: '',
  traceId: '',
  spanId: '',
  isTaken: false,
  isOver: true,
  note() {},
  end() {}
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

const around = new AsyncLocalStorage<Span>()
let tracing: Tracing | null = null
let lost = 0

/** Has spans made from now on; null: none any more. What is opened before, such as a connection, may stay untraced. */
export function setTracing(made: Tracing | null): void {
  tracing = made
}

export function isTracing(): boolean {
  return tracing !== null
}

/** Spans that could not be delivered so far. */
export function lostSpans(): number {
  return lost
}

export function countLostSpans(count: number): void {
  lost += count
}

/** Runs a piece of work as a span, inside the one around it. Where nothing is traced it just runs. */
export function traced<T>(work: Work, run: (span: Span) => Promise<T>): Promise<T> {
  return tracing ? runInSpan(beginSpan(work), run) : run(NO_SPAN)
}

async function runInSpan<T>(span: Span, run: (span: Span) => Promise<T>): Promise<T> {
  try {
    const result = await around.run(span, run, span)
    span.end()
    return result
  } catch (error) {
    span.end(error)
    throw error
  }
}

/** For what is no function: whoever begins it ends it. */
export function beginSpan(work: Work): Span {
  if (!tracing) return NO_SPAN
  if ('parent' in work) return tracing.begin(work, parse(work.parent))
  const parent = around.getStore()
  return tracing.begin(work, parent ? { ...idsOf(parent), isRemote: false } : null)
}

/**
 * A span inside one that is taken and goes on, or null: for what is frequent and says nothing alone. `describe` runs only
 * where it is one.
 */
export function beginInside(describe: () => Work): Span | null {
  const span = tracing && around.getStore()
  return span?.isTaken && !span.isOver ? beginSpan(describe()) : null
}

/** Runs code, and whatever it sets going, inside a span. */
export function inside<T>(span: Span, run: () => T): T {
  return span === NO_SPAN ? run() : around.run(span, run)
}

/** Runs code that belongs to no work around it, though it may have been woken by it. */
export function outside<T>(run: () => T): T {
  return around.exit(run)
}

/** The span around the running code, for what goes on elsewhere; undefined where there is none. */
export function currentSpan(): Span | undefined {
  return around.getStore()
}

export function toTraceparent({ traceId, spanId, isTaken }: Span): string {
  return `00-${traceId}-${spanId}-${isTaken ? '01' : '00'}`
}

/** For log lines. */
export function traceIds(): { trace_id?: string; span_id?: string } {
  const span = around.getStore()
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {}
}

function idsOf({ traceId, spanId, isTaken }: Span) {
  return { traceId, spanId, isTaken }
}

function parse(traceparent: unknown) {
  const [, traceId, spanId, flags] = (typeof traceparent === 'string' && TRACEPARENT.exec(traceparent)) || []
  if (!traceId || !spanId || !flags) return null
  return { traceId, spanId, isTaken: (Number.parseInt(flags, 16) & 1) === 1, isRemote: true }
}
