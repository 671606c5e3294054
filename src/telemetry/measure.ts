/** What is told of this process once a minute: the names that dashboards and alarms know. */
export type Measure =
  | 'ActiveStreams'
  | 'TimeToFirstToken'
  | 'RecallLatency'
  | 'InputTokens'
  | 'OutputTokens'
  | 'CostUsd'
  | 'QueueAge'
  | 'Errors'

export type Hear = (name: Measure, value: number) => void

let hear: Hear | null = null

/** Who hears what is measured; null: nobody, and measuring costs nothing. */
export function setHearer(hearer: Hear | null): void {
  hear = hearer
}

export function measure(name: Measure, value: number): void {
  hear?.(name, value)
}
