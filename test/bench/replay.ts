/** What memory makes of a scripted conversation with the rules, without a database: for training, and for cross-validation. */

import type { FoundFact, Known, Remembered } from '../../src/memory/extraction/facts.ts'
import type { weighLinks } from '../../src/memory/extraction/links.ts'
import { findFacts } from '../../src/memory/extraction/rules.ts'
import { termsOf } from '../../src/memory/extraction/sameness.ts'
import { judge, type Standing } from '../../src/memory/extraction/verdict.ts'
import type { weigh } from '../../src/memory/extraction/worth.ts'
import type { Case } from './write-quality.ts'

export interface Held extends Standing {
  category: string
  tags: string[]
  order: number
}

export function replay(item: Case, weighing: typeof weigh, linking: typeof weighLinks): Held[] {
  const held: Held[] = []
  for (const { at, messages } of item.sessions) {
    for (const [index, { role, content }] of messages.entries()) {
      if (role !== 'user') continue
      const saidAt = new Date(new Date(at).getTime() + index * 60_000)
      const known = knownOf(held)
      for (const fact of findFacts(
        content,
        { saidAt, timeZone: 'UTC', known, standing: held.filter(isCurrent) },
        weighing,
        linking
      ))
        settle(held, fact, saidAt)
    }
  }
  return held
}

export function knownOf(
  held: (Remembered & { category: string; tags: string[]; status: string })[]
): Known[] {
  const found = new Map<string, Known>()
  for (const { subject, slot, category, tags, status } of held.toReversed()) {
    if (!subject || status === 'superseded' || status === 'expired') continue
    const relation = category === 'relationship' ? (tags[0] ?? null) : null
    const key = `${subject}|${slot}`
    if (!found.get(key)?.relation) found.set(key, { subject, slot, relation })
  }
  return [...found.values()]
}

const isCurrent = ({ status }: Held) => status === 'active' || status === 'conflicting'

function settle(held: Held[], fact: FoundFact, saidAt: Date): void {
  const since = fact.validFrom && fact.validFrom < saidAt ? fact.validFrom : saidAt
  const current = held.filter(({ status }) => status === 'active' || status === 'conflicting')
  const known = fact.lasting
    ? current.find(({ text }) => text.toLowerCase() === fact.text.toLowerCase())
    : undefined
  const ends = current.filter((memory) => memory.since <= since && fact.ends.includes(memory.id))
  let own: Held | undefined = known
  if (!known && fact.lasting) {
    const rivals = current.filter(
      (memory) =>
        !ends.includes(memory) &&
        ((memory.subject === fact.subject && memory.slot === fact.slot) ||
          termsOf(fact.text).some((term) => termsOf(memory.text).includes(term)))
    )
    const { kind, id } = judge(fact, since, rivals)
    const other = rivals.find((memory) => memory.id === id)
    if (kind !== 'duplicate') {
      own = {
        id: `${held.length}`,
        text: fact.text,
        subject: fact.subject,
        slot: fact.slot,
        status: 'active',
        pinned: false,
        since: fact.validFrom ?? saidAt,
        category: fact.category,
        tags: fact.tags,
        order: held.length
      }
      held.push(own)
      if (other && (kind === 'refines' || kind === 'supersedes')) other.status = 'superseded'
      if (other && kind === 'conflicts') {
        other.status = 'conflicting'
        own.status = 'conflicting'
      }
      if (kind === 'outdated') own.status = 'superseded'
    }
  }
  for (const memory of ends) if (memory !== own) memory.status = own ? 'superseded' : 'expired'
}
