import type { Config } from '../config.ts'
import { type MetricLineSettings, openMetricLines } from './metric-lines.ts'

/** A collector that hangs must not hold a process that is told to stop. */
const LAST_SPANS_MS = 2_000

export interface Telemetry {
  /** Tells figures from now on, where the settings ask for it. */
  tellMetrics(gauges: MetricLineSettings['gauges']): void
  close(): Promise<void>
}

/**
 * What leaves the process about itself: nothing, unless the settings say where to. Comes before the database and the models
 * are opened, since they are traced from their opening on. The tracing library is loaded only where it is wanted.
 */
export async function startTelemetry(config: Config, onTrouble: () => void): Promise<Telemetry> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, PAI_EMF_NAMESPACE: namespace } = config
  const service = config.OTEL_SERVICE_NAME
  const traces = endpoint
    ? (await import('./open-tracing.ts')).openTracing({
        endpoint,
        ratio: Number(config.OTEL_TRACES_SAMPLER_ARG),
        service,
        namespace: config.OTEL_SERVICE_NAMESPACE,
        onTrouble
      })
    : null
  let lines: ReturnType<typeof openMetricLines> | null = null
  return {
    tellMetrics(gauges) {
      if (!namespace) return
      // The console goes on where its output is gone; writing to the stream itself would end the process.
      lines = openMetricLines({ namespace, service, gauges, write: (line) => console.log(line) })
    },
    async close() {
      await lines?.close()
      await traces?.close(LAST_SPANS_MS)
    }
  }
}
