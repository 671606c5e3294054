import { and, desc, eq, isNull } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import { memories } from '../tables.ts'
import { type FoundFact, OWNER, type OwnCategory } from './facts.ts'
import { termsOf } from './sameness.ts'
import { isSameSubject } from './slots.ts'

/** The latest corrections teach; what was sorted long ago has its likes among them. */
const TAUGHT = 50
/** Telling terms that two facts share when they are of a kind. */
const SHARED = 2

/** How the owner sorted memories by hand, the latest first. */
export function listOwnCategories(tx: Tx, ownerId: string): Promise<OwnCategory[]> {
  return tx
    .select({ category: memories.category, subject: memories.subject, text: memories.text })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.sortedBy, 'owner'), isNull(memories.forgottenAt)))
    .orderBy(desc(memories.updatedAt), desc(memories.id))
    .limit(TAUGHT)
}

/** Sorts a fact as the owner sorted the like of it: about the same person or thing, or in much the same words. */
export function sortAsOwner(fact: FoundFact, own: OwnCategory[]): FoundFact {
  const terms = new Set(termsOf(fact.text))
  const like = own.find(
    ({ subject, text }) =>
      (subject !== OWNER && isSameSubject(fact.subject, subject)) ||
      termsOf(text).filter((term) => terms.has(term)).length >= SHARED
  )
  return like ? { ...fact, category: like.category } : fact
}
