import { Counter, type Registry } from 'prom-client'
import { lostSpans } from './traced.ts'

/** Shows what the collector of traces did not take. */
export function measureTraces(register: Registry): void {
  new Counter({
    name: 'pai_trace_spans_dropped_total',
    help: 'Spans that were not delivered: the collector was away, or slower than they came',
    registers: [register],
    collect() {
      this.reset()
      this.inc(lostSpans())
    }
  })
}
