import { measure } from '../telemetry/measure.ts'
import { currentSpan, toTraceparent, traced } from '../telemetry/traced.ts'

/** The trace that a job goes on with. One that has another of its kind go on after it would make a trace without end. */
export function traceFor(name: string): { traceparent?: string } {
  const span = currentSpan()
  return span && span.name !== spanOf(name) ? { traceparent: toTraceparent(span) } : {}
}

/** Runs a job, without what it was given for its trace, inside the trace of whatever queued it. */
export function traceJob(
  { name, data, retryCount }: { name: string; data: unknown; retryCount: number },
  run: (payload: unknown) => Promise<'done' | 'put-off'>
): Promise<'done' | 'put-off'> {
  const { traceparent: parent, ...payload } = (data ?? {}) as { traceparent?: unknown }
  const facts = { 'messaging.destination.name': name, 'pai.job.tries': retryCount + 1 }
  return traced({ name: spanOf(name), kind: 'consumer', facts, parent }, async (span) => {
    try {
      const outcome = await run(payload)
      span.note({ 'pai.job.outcome': outcome })
      return outcome
    } catch (error) {
      measure('Errors', 1)
      span.note({ 'pai.job.outcome': 'failed' })
      throw error
    }
  })
}

function spanOf(name: string): string {
  return `job ${name}`
}
