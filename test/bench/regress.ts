/** Logistic regression by AdaGrad, in the order of the examples, so that it comes out the same each time. */

export interface Example {
  /** What is seen, by name, and how much of it. */
  features: Map<string, number>
  goal: boolean
  counts: number
}

export interface Manner {
  /** What is seen less often than this says nothing. */
  leastSeen: number
  /** How strongly weights are held near zero, how often all examples are gone through, and how far each step goes. */
  decay: number
  rounds: number
  step: number
}

interface Weight {
  value: number
  moved: number
}

/** The weights, by the names of what is seen. */
export function regress(
  examples: Example[],
  { leastSeen, decay, rounds, step }: Manner
): Map<string, number> {
  const seen = new Map<string, number>()
  for (const { features } of examples) {
    for (const name of features.keys()) seen.set(name, (seen.get(name) ?? 0) + 1)
  }
  const weights = new Map<string, Weight>()
  for (const [name, count] of seen) if (count >= leastSeen) weights.set(name, { value: 0, moved: 1e-6 })
  const rows = examples.map(({ features, goal, counts }) => ({
    own: [...features].flatMap(([name, amount]) => {
      const weight = weights.get(name)
      return weight ? [{ weight, amount }] : []
    }),
    goal: Number(goal),
    counts
  }))
  for (let round = 0; round < rounds; round++) {
    for (const { own, goal, counts } of rows) {
      let sum = 0
      for (const { weight, amount } of own) sum += weight.value * amount
      const error = counts * (1 / (1 + Math.exp(-sum)) - goal)
      for (const { weight, amount } of own) {
        const slope = error * amount + decay * weight.value * Math.min(1, Math.abs(amount))
        weight.moved += slope * slope
        weight.value -= (step * slope) / Math.sqrt(weight.moved)
      }
    }
  }
  return new Map([...weights].map(([name, { value }]) => [name, value]))
}

/** Weights for a file: those near to zero are left out, in the order of their names. */
export function toRecord(weights: Map<string, number>, smallest: number): Record<string, number> {
  return Object.fromEntries(
    [...weights]
      .filter(([, value]) => Math.abs(value) > smallest)
      .map(([name, value]): [string, number] => [name, Math.round(value * 1000) / 1000])
      .sort(([one], [other]) => (one < other ? -1 : 1))
  )
}
