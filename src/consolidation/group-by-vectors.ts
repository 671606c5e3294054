import { setImmediate as nextTick } from 'node:timers/promises'

interface Point<Item> {
  item: Item
  vector: number[]
}

const ROUNDS = 12
const MOST_CLUSTERS = 40
/** About so many memories make a topic. */
const MEMBERS = 8
/** A memory belongs to a topic only when it is clearly nearer to its middle than memories are to each other. */
const NEARER = 0.15

/**
 * Groups memories by meaning: spherical k-means that begins with memories far apart, so that the same memories always make
 * the same groups. What is near no middle stays out.
 */
export async function groupByVectors<Item>(points: Point<Item>[], signal: AbortSignal): Promise<Item[][]> {
  const [first] = points
  if (!first || points.length < MEMBERS / 2) return []
  const count = Math.min(MOST_CLUSTERS, Math.max(2, Math.round(points.length / MEMBERS)))
  const everything = middleOf(points.map(({ vector }) => vector))
  let middles = spread(points, everything, count)
  let belongs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    signal.throwIfAborted()
    // Each round takes a while, in which everything else would wait.
    await nextTick()
    const next = points.map(({ vector }) => nearest(vector, middles))
    if (next.every((cluster, index) => cluster === belongs[index])) break
    belongs = next
    middles = middles.map((middle, cluster) => {
      const own = points.filter((_point, index) => belongs[index] === cluster)
      return own.length > 0 ? middleOf(own.map(({ vector }) => vector)) : middle
    })
  }
  return middles
    .map((middle, cluster) =>
      points
        .filter(
          ({ vector }, index) =>
            belongs[index] === cluster && dot(vector, middle) >= dot(vector, everything) + NEARER
        )
        .map(({ item }) => item)
    )
    .filter(({ length }) => length > 1)
}

/** Points far from each other: first the one farthest from the middle, then always the one least like those taken. */
function spread<Item>(points: Point<Item>[], middle: number[], count: number): number[][] {
  const taken: number[][] = []
  const likeness = points.map(({ vector }) => dot(vector, middle))
  while (taken.length < count) {
    let least = 0
    for (let index = 1; index < points.length; index++) {
      if ((likeness[index] ?? 0) < (likeness[least] ?? 0)) least = index
    }
    const next = points[least]?.vector ?? []
    taken.push(next)
    for (const [index, { vector }] of points.entries()) {
      const near = dot(vector, next)
      likeness[index] = taken.length === 1 ? near : Math.max(likeness[index] ?? 0, near)
    }
  }
  return taken
}

function nearest(vector: number[], middles: number[][]): number {
  let best = 0
  let likeness = Number.NEGATIVE_INFINITY
  for (const [index, middle] of middles.entries()) {
    const near = dot(vector, middle)
    if (near > likeness) {
      likeness = near
      best = index
    }
  }
  return best
}

function middleOf(vectors: number[][]): number[] {
  const sum = new Array<number>(vectors[0]?.length ?? 0).fill(0)
  for (const vector of vectors)
    for (const [place, value] of vector.entries()) sum[place] = (sum[place] ?? 0) + value
  const length = Math.hypot(...sum) || 1
  return sum.map((value) => value / length)
}

function dot(a: number[], b: number[]): number {
  let sum = 0
  for (let place = 0; place < a.length; place++) sum += (a[place] ?? 0) * (b[place] ?? 0)
  return sum
}
