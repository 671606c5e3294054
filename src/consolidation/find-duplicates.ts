import { analyzeTerms } from '../search/analyze.ts'
import type { MemoryRow } from './memory-store.ts'
import { isReordered, keyOf, mayBeSame } from './same-fact.ts'

export type Pair = [MemoryRow, MemoryRow]

/** Of the terms of both, what share two memories have in common before a model is asked about them. */
const ALIKE = 0.6
/** A term that more memories have tells too little to look for duplicates by. */
const COMMON = 50

/** Groups of memories that say the same by their words alone. */
export function findDuplicates(memories: MemoryRow[]): MemoryRow[][] {
  const byKey = Map.groupBy(memories, keyOf)
  const groups = [...byKey.values()]
  const byTopic = Map.groupBy(groups, ([first]) => `${first?.subject}\0${first?.slot}`)
  const merged: MemoryRow[][] = []
  for (const topic of byTopic.values()) {
    const own: MemoryRow[][] = []
    for (const group of topic) {
      const same = own.find(([first]) => first && group[0] && isReordered(first, group[0]))
      if (same) same.push(...group)
      else own.push([...group])
    }
    merged.push(...own)
  }
  return merged.filter(({ length }) => length > 1)
}

/** Pairs that share most of their words, and of which nothing says that they differ: for a model to judge, likest first. */
export function findAlike(memories: MemoryRow[], limit: number): Pair[] {
  const termsOf = new Map(memories.map((memory) => [memory, new Set(analyzeTerms(memory.text))]))
  const holders = new Map<string, MemoryRow[]>()
  const pairs: { pair: Pair; likeness: number }[] = []
  for (const [memory, terms] of termsOf) {
    const near = new Set<MemoryRow>()
    for (const term of terms) {
      const others = holders.get(term) ?? []
      if (others.length < COMMON) for (const other of others) near.add(other)
      holders.set(term, [...others, memory])
    }
    for (const other of near) {
      const likeness = jaccard(terms, termsOf.get(other) ?? new Set())
      if (likeness >= ALIKE && mayBeSame(memory, other)) pairs.push({ pair: [other, memory], likeness })
    }
  }
  return pairs
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, limit)
    .map(({ pair }) => pair)
}

function jaccard(a: Set<string>, b: Set<string>): number {
  const shared = a.intersection(b).size
  return shared / (a.size + b.size - shared || 1)
}
