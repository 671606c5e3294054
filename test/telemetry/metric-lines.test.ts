import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigSchema } from '../../src/config.ts'
import { measure } from '../../src/telemetry/measure.ts'
import { MEASURES, type MetricLineSettings, openMetricLines } from '../../src/telemetry/metric-lines.ts'

function open(gauges: MetricLineSettings['gauges'] = {}) {
  const lines: string[] = []
  const metrics = openMetricLines({
    namespace: 'PAI',
    service: 'pai-api',
    gauges,
    write: (line) => lines.push(line),
    now: () => new Date('2026-11-23T04:00:00Z')
  })
  onTestFinished(() => metrics.close())
  const tell = async () => {
    await metrics.tell()
    return JSON.parse(lines.at(-1) ?? '')
  }
  return { lines, tell, metrics }
}

test('a minute is one line, in the format that CloudWatch reads', async () => {
  const { lines, tell } = open({ ActiveStreams: () => 3, QueueAge: async () => 12.5 })
  for (const milliseconds of [100, 250]) measure('TimeToFirstToken', milliseconds)
  for (const tokens of [10, 5]) measure('InputTokens', tokens)
  measure('CostUsd', 0.002)
  measure('Errors', 1)
  expect(await tell()).toEqual({
    _aws: {
      Timestamp: Date.parse('2026-11-23T04:00:00Z'),
      CloudWatchMetrics: [
        {
          Namespace: 'PAI',
          Dimensions: [['service']],
          Metrics: [
            { Name: 'TimeToFirstToken', Unit: 'Milliseconds' },
            { Name: 'InputTokens', Unit: 'Count' },
            { Name: 'CostUsd', Unit: 'None' },
            { Name: 'Errors', Unit: 'Count' },
            { Name: 'ActiveStreams', Unit: 'Count' },
            { Name: 'QueueAge', Unit: 'Seconds' }
          ]
        }
      ]
    },
    service: 'pai-api',
    TimeToFirstToken: [100, 250],
    InputTokens: 15,
    CostUsd: 0.002,
    Errors: 1,
    ActiveStreams: 3,
    QueueAge: 12.5
  })
  expect(lines).toEqual([expect.stringMatching(/^[^\n]+$/)])
})

test('the next minute begins anew, and silence is no figure but of errors', async () => {
  const { tell } = open()
  measure('OutputTokens', 7)
  await tell()
  const { _aws, ...figures } = await tell()
  expect(figures).toEqual({ service: 'pai-api', Errors: 0 })
})

test('however much happens, a line stays short and fair', async () => {
  const { lines, tell } = open()
  for (let count = 0; count < 10_000; count++) measure('RecallLatency', count)
  const { RecallLatency } = await tell()
  expect(RecallLatency).toHaveLength(100)
  expect(Math.max(...RecallLatency)).toBeGreaterThan(5_000)
  expect(lines[0]?.length).toBeLessThan(2_000)
})

test('a database that is away takes only its own figure along', async () => {
  const { tell } = open({ ActiveStreams: () => 1, QueueAge: () => Promise.reject(new Error('away')) })
  const line = await tell()
  expect(line).toMatchObject({ ActiveStreams: 1 })
  expect(line).not.toHaveProperty('QueueAge')
})

test('what was measured last is told when the process stops, and nothing is heard after it', async () => {
  const { lines, metrics } = open()
  measure('InputTokens', 4)
  await metrics.close()
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ InputTokens: 4 })
  measure('InputTokens', 4)
  await metrics.close()
  expect(JSON.parse(lines[1] ?? '')).not.toHaveProperty('InputTokens')
})

const terraform = (name: string) =>
  readFileSync(join(import.meta.dirname, '..', '..', 'infra', 'modules', ...name.split('/')), 'utf8')

test('dashboards, alarms and autoscaling ask for what is told, by its unit', () => {
  const asked = [
    ...terraform('observability/alarms.tf').matchAll(/var\.metrics_namespace, metric = "(\w+)"/g),
    ...terraform('observability/dashboard.tf').matchAll(/\[var\.metrics_namespace, "(\w+)", "service", /g)
  ].map(([, name]) => name)
  expect(asked.length).toBeGreaterThan(8)
  expect(Object.keys(MEASURES)).toEqual(expect.arrayContaining(asked))
  const scaled = [...terraform('service/scaling.tf').matchAll(/metric = "(\w+)",.*unit = "(\w+)"/g)]
  expect(scaled.map(([, name]) => name)).toEqual(['ActiveStreams', 'QueueAge'])
  for (const [, name, unit] of scaled) expect(MEASURES[name as keyof typeof MEASURES].unit, name).toBe(unit)
})

test('tasks are told by settings that there are, where the collector beside them listens, and the namespace', () => {
  const tasks = terraform('service/tasks.tf')
  const told = [...tasks.matchAll(/^ +((?:OTEL|PAI)_\w+) += /gm)].map(([, name]) => name)
  expect(told.length).toBeGreaterThan(5)
  expect(Object.keys(ConfigSchema.properties)).toEqual(expect.arrayContaining(told))
  const endpoint = /OTEL_EXPORTER_OTLP_ENDPOINT = "http:\/\/([^"]+)"/.exec(tasks)?.[1]
  expect(terraform('service/files/collector.yaml')).toContain(`http:\n        endpoint: ${endpoint}`)
  expect(tasks).toMatch(/PAI_EMF_NAMESPACE += var\.metrics_namespace/)
  expect(tasks.match(/OTEL_SERVICE_NAME = "\$\{var\.name\}-(?:api|worker)"/g)).toHaveLength(2)
})
