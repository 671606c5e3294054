/** How long a memory that nobody uses keeps half of its weight, in days; by category, since a name outlasts a plan. */
const HALF_LIFE_DAYS: Record<string, number> = {
  identity: 3_650,
  health: 3_650,
  relationship: 1_825,
  preference: 730,
  work: 730,
  place: 730,
  fact: 730,
  event: 180,
  plan: 30
}
const USUAL_HALF_LIFE_DAYS = 365
const DAY_MS = 86_400_000

export interface Lasting {
  category: string
  /** 1 at first, more with each use and proof: what is used often fades more slowly. */
  strength: number
  pinned: boolean
  usedAt: Date
}

/** What is left of a memory's weight since it was last told, proven or used, 0 to 1. A pinned one does not fade. */
export function retention({ category, strength, pinned, usedAt }: Lasting, now: Date): number {
  if (pinned) return 1
  const days = Math.max(0, now.getTime() - usedAt.getTime()) / DAY_MS
  const halfLife = (HALF_LIFE_DAYS[category] ?? USUAL_HALF_LIFE_DAYS) * Math.max(strength, 0.1)
  return 2 ** (-days / halfLife)
}
