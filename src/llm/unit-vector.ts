/** The same direction at length 1; null where there is none (all zeros, or a number that is not finite). */
export function toUnitVector(vector: number[]): number[] | null {
  let sum = 0
  for (const value of vector) sum += value * value
  const length = Math.sqrt(sum)
  if (!Number.isFinite(length) || length === 0) return null
  return vector.map((value) => value / length)
}

/** Stands for a text that has no words: of unit length as every vector is, and near nothing in particular. */
export function emptyTextVector(dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0)
  vector[0] = 1
  return vector
}
