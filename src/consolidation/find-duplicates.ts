import { breathe } from './breathe.ts'
import type { MemoryRow } from './memory-store.ts'
import { isReordered, keyOf, mayBeSame } from './same-fact.ts'
import { analyzeAll } from './telling.ts'

export type Pair = [MemoryRow, MemoryRow]

/** Of the terms of both, what share two memories have in common before a model is asked about them. */
const ALIKE = 0.6

/** Groups of memories that say the same by their words alone. */
export async function findDuplicates(memories: MemoryRow[]): Promise<MemoryRow[][]> {
  const byKey = new Map<string, MemoryRow[]>()
  for (const [index, memory] of memories.entries()) {
    await breathe(index)
    const key = keyOf(memory)
    const group = byKey.get(key)
    if (group) group.push(memory)
    else byKey.set(key, [memory])
  }
  const byAttribute = new Map<string, MemoryRow[][]>()
  const groups: MemoryRow[][] = []
  for (const group of byKey.values()) {
    const [first] = group
    if (!first) continue
    // Without both, the order of words may be all that tells two facts apart.
    const attribute = first.subject !== null && first.slot !== null ? `${first.subject}\0${first.slot}` : null
    const others = attribute === null ? [] : (byAttribute.get(attribute) ?? [])
    const same = others.find(([other]) => other && isReordered(other, first))
    if (same) same.push(...group)
    else {
      groups.push(group)
      if (attribute !== null) byAttribute.set(attribute, [...others, group])
    }
  }
  return groups.filter(({ length }) => length > 1)
}

/** Pairs that share most of their words, and of which nothing says that they differ: for a model to judge, likest first. */
export async function findAlike(memories: MemoryRow[], limit: number): Promise<Pair[]> {
  const analyzed = await analyzeAll(memories.map(({ text }) => text))
  const counts = new Map<string, number>()
  for (const terms of analyzed) for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
  const holders = new Map<string, number[]>()
  const pairs: { pair: Pair; likeness: number }[] = []
  for (const [index, memory] of memories.entries()) {
    await breathe(index)
    const terms = analyzed[index] ?? new Set()
    const near = new Set<number>()
    for (const term of rarest(terms, counts)) {
      const others = holders.get(term) ?? []
      for (const other of others) near.add(other)
      holders.set(term, others)
      others.push(index)
    }
    for (const other of near) {
      const likeness = jaccard(terms, analyzed[other] ?? new Set())
      const before = memories[other]
      if (before && likeness >= ALIKE && mayBeSame(memory, before))
        pairs.push({ pair: [before, memory], likeness })
    }
  }
  return pairs
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, limit)
    .map(({ pair }) => pair)
}

/** Two texts that are alike share one of these at least: all of them outside, too few would be left to share. */
function rarest(terms: Set<string>, counts: Map<string, number>): string[] {
  const count = (term: string) => counts.get(term) ?? 0
  return [...terms]
    .sort((a, b) => count(a) - count(b) || (a < b ? -1 : 1))
    .slice(0, terms.size - Math.ceil(ALIKE * terms.size) + 1)
}

function jaccard(a: Set<string>, b: Set<string>): number {
  const shared = a.intersection(b).size
  return shared / (a.size + b.size - shared || 1)
}
