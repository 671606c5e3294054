import { type Measure, setHearer } from './measure.ts'

type Kind =
  /** How many there were in the minute. */
  | 'sum'
  /** Each counts: percentiles are made of them. */
  | 'each'
  /** The most there was in the minute. */
  | 'most'

/** CloudWatch's units; autoscaling finds a metric only by the very same one. */
export const MEASURES: Record<Measure, { unit: string; kind: Kind }> = {
  ActiveStreams: { unit: 'Count', kind: 'most' },
  TimeToFirstToken: { unit: 'Milliseconds', kind: 'each' },
  RecallLatency: { unit: 'Milliseconds', kind: 'each' },
  InputTokens: { unit: 'Count', kind: 'sum' },
  OutputTokens: { unit: 'Count', kind: 'sum' },
  CostUsd: { unit: 'None', kind: 'sum' },
  QueueAge: { unit: 'Seconds', kind: 'most' },
  Errors: { unit: 'Count', kind: 'sum' }
}
/** What is zero where nothing happened; of the others silence is no figure. */
const ALWAYS: Measure[] = ['Errors']

const EVERY_MS = 60_000
/** How often is looked what there is at the moment. */
const LOOK_MS = 5_000
/** CloudWatch takes so many values of a metric in one line; of more, a fair sample stands for all. */
const MOST_VALUES = 100

export interface MetricLineSettings {
  namespace: string
  /** The one dimension. */
  service: string
  /** What there is at the moment, where this process can tell. */
  gauges: { ActiveStreams?: () => number; QueueAge?: () => Promise<number> }
  write: (line: string) => void
  now?: () => Date
}

interface Gathered {
  count: number
  total: number
  most: number
  values: number[]
}

/**
 * Tells CloudWatch by lines of the log, in its embedded metric format: one line a minute, whatever happens in it, and no
 * dimension but the service.
 */
export function openMetricLines({
  namespace,
  service,
  gauges,
  write,
  now = () => new Date()
}: MetricLineSettings) {
  let gathered = new Map<Measure, Gathered>()

  function hear(name: Measure, value: number): void {
    if (!Number.isFinite(value)) return
    const sofar = gathered.get(name) ?? { count: 0, total: 0, most: 0, values: [] }
    sofar.count++
    sofar.total += value
    sofar.most = Math.max(sofar.most, value)
    if (MEASURES[name].kind === 'each') keep(sofar, value)
    gathered.set(name, sofar)
  }

  function look(): void {
    if (gauges.ActiveStreams) hear('ActiveStreams', gauges.ActiveStreams())
  }

  async function tell(): Promise<void> {
    look()
    // A database that is away has no age to tell: the other figures are told all the same.
    const age = await gauges.QueueAge?.().catch(() => undefined)
    if (age !== undefined) hear('QueueAge', age)
    for (const name of ALWAYS) hear(name, 0)
    const told = gathered
    gathered = new Map()
    const names = [...told.keys()]
    write(
      JSON.stringify({
        _aws: {
          Timestamp: now().getTime(),
          CloudWatchMetrics: [
            {
              Namespace: namespace,
              Dimensions: [['service']],
              Metrics: names.map((name) => ({ Name: name, Unit: MEASURES[name].unit }))
            }
          ]
        },
        service,
        ...Object.fromEntries([...told].map(([name, sofar]) => [name, figureOf(name, sofar)]))
      })
    )
  }

  setHearer(hear)
  const looking = setInterval(look, LOOK_MS).unref()
  const telling = setInterval(tell, EVERY_MS).unref()
  return {
    tell,
    /** Tells what there was since the last line. */
    async close(): Promise<void> {
      clearInterval(looking)
      clearInterval(telling)
      setHearer(null)
      await tell()
    }
  }
}

/** Each of all that come has the same chance to be among those kept. */
function keep({ count, values }: Gathered, value: number): void {
  if (values.length < MOST_VALUES) values.push(value)
  else {
    const place = Math.floor(Math.random() * count)
    if (place < MOST_VALUES) values[place] = value
  }
}

function figureOf(name: Measure, { total, most, values }: Gathered): number | number[] {
  const { kind } = MEASURES[name]
  return kind === 'sum' ? total : kind === 'most' ? most : values
}
