import { analyzeTerms } from '../search/analyze.ts'
import type { MemoryRow } from './memory-store.ts'
import { isTelling, writtenForm } from './telling.ts'

/** What several memories say between them. */
export interface Pattern {
  text: string
  category: string
  subject: string | null
  memories: MemoryRow[]
}

/** Said once it is chance, twice a coincidence. */
const LEAST_MEMORIES = 3
/** A term that most of the memories hold, such as the name of a spouse, is no pattern. */
const MOST_SHARE = 0.5
const SMALL = 12

/** Groups about one subject that share a telling word, the largest first: plain repetition, and nothing concluded from it. */
export function findPatterns(memories: MemoryRow[], limit: number): Pattern[] {
  // Of what was inferred nothing more is inferred.
  const told = memories.filter(({ origin }) => origin !== 'inferred')
  const groups = [...Map.groupBy(told, ({ subject, category }) => `${subject ?? ''}\0${category}`).values()]
  const found = groups.flatMap((group) => patternsIn(group, told.length))
  const patterns: Pattern[] = []
  for (const pattern of found.toSorted(bySize)) {
    if (patterns.length === limit) break
    if (!patterns.some((other) => isMostlyOf(pattern.memories, other.memories))) patterns.push(pattern)
  }
  return patterns
}

/** Whether half of these memories or more are among those. */
export function isMostlyOf(memories: { id: string }[], others: { id: string }[]): boolean {
  const ids = new Set(others.map(({ id }) => id))
  return memories.filter(({ id }) => ids.has(id)).length * 2 >= memories.length
}

function patternsIn(group: MemoryRow[], total: number): Pattern[] {
  const [{ subject, category } = { subject: null, category: '' }] = group
  const about = new Set(analyzeTerms(subject ?? ''))
  const holders = new Map<string, MemoryRow[]>()
  for (const memory of group) {
    for (const term of new Set(analyzeTerms(memory.text))) {
      if (isTelling(term) && !about.has(term)) holders.set(term, [...(holders.get(term) ?? []), memory])
    }
  }
  return [...holders]
    .filter(([, { length }]) => length >= LEAST_MEMORIES && (total < SMALL || length <= total * MOST_SHARE))
    .map(([term, memories]) => {
      const word = writtenForm(
        term,
        memories.map(({ text }) => text)
      )
      return { text: phrase(word, subject, memories), category, subject, memories }
    })
}

/** As memories are written: in the owner's own person, unless they are about somebody else. */
function phrase(word: string, subject: string | null, memories: MemoryRow[]): string {
  const text = memories.map((memory) => memory.text).find((said) => subject && findIn(said, subject) !== -1)
  if (!subject || !text) return `I often speak of ${word}.`
  const start = findIn(text, subject)
  return `Often told of ${text.slice(start, start + subject.length)}: ${word}.`
}

/** Subjects are kept in small letters. */
function findIn(text: string, subject: string): number {
  return text.toLowerCase().indexOf(subject.toLowerCase())
}

function bySize(a: Pattern, b: Pattern): number {
  return b.memories.length - a.memories.length || (a.text < b.text ? -1 : 1)
}
