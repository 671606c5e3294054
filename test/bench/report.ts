/** One figure beside its goal. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** What was measured beside it, in the same minute. */
  floor?: number
  goal?: { at: 'least' | 'most'; value: number }
}

/** The value below which a share `quantile` (0 to 1) of the samples lies. */
export function quantile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function median(samples: number[]): number {
  return quantile(samples, 0.5)
}

/** Prints the figures as a table for people and as a line of JSON for programs. Answers whether every goal was met. */
export function report(bench: string, figures: Figure[]): boolean {
  console.table(
    Object.fromEntries(
      figures.map(({ name, value, unit, floor, goal }) => [
        name,
        {
          value: round(value),
          unit,
          floor: floor === undefined ? '' : round(floor),
          'of floor': floor === undefined ? '' : round(value / floor),
          goal: goal ? `at ${goal.at} ${goal.value}` : '',
          met: goal ? (isMet({ value, goal }) ? 'yes' : 'NO') : ''
        }
      ])
    )
  )
  console.log(JSON.stringify({ bench, figures }))
  return figures.every(({ value, goal }) => !goal || isMet({ value, goal }))
}

function isMet({ value, goal }: { value: number; goal: NonNullable<Figure['goal']> }): boolean {
  return goal.at === 'least' ? value >= goal.value : value <= goal.value
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}
