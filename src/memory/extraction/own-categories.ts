import { and, desc, eq, isNull } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import { weighTerm } from '../../llm/common-words.ts'
import { memories } from '../tables.ts'
import { type FoundFact, OWNER, type OwnCategory } from './facts.ts'
import { RELATION } from './rules-people.ts'
import { termsOf } from './sameness.ts'
import { isSameSubject } from './slots.ts'

/** The latest corrections teach; what was sorted long ago has its likes among them. */
const TAUGHT = 50
/** Telling terms that two facts share when they are of a kind, besides whom they are about. */
const SHARED = 2
/** Of one person or thing, one such term is enough, but not a word that everybody uses of everything. */
const LEAST_WEIGHT = 0.9
/** "My sister", "our late uncle": says who somebody is, and not what the fact is about. */
const WHO = new RegExp(`\\b(?:my|our)\\s(?:\\p{L}+\\s){0,2}?(?:${RELATION})\\b`, 'giu')

/** How the owner sorted memories by hand, the latest first. */
export function listOwnCategories(tx: Tx, ownerId: string): Promise<OwnCategory[]> {
  return tx
    .select({ category: memories.category, subject: memories.subject, text: memories.text })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), eq(memories.sortedBy, 'owner'), isNull(memories.forgottenAt)))
    .orderBy(desc(memories.updatedAt), desc(memories.id))
    .limit(TAUGHT)
}

/** Sorts a fact as the owner sorted the like of it: in much the same words, or of the same person or thing in some of them. */
export function sortAsOwner(fact: FoundFact, own: OwnCategory[]): FoundFact {
  const terms = new Set(topicOf(fact))
  const like = own.find((sorted) => {
    const shared = topicOf(sorted).filter((term) => terms.has(term))
    const isOfSame = sorted.subject !== OWNER && isSameSubject(fact.subject, sorted.subject)
    return shared.length >= SHARED || (isOfSame && shared.some((term) => weighTerm(term) >= LEAST_WEIGHT))
  })
  return like ? { ...fact, category: like.category } : fact
}

/** The terms that say what a fact is about, without those that say whom. */
function topicOf({ subject, text }: Pick<OwnCategory, 'subject' | 'text'>): string[] {
  if (subject === null || subject === OWNER) return termsOf(text)
  const whom = new Set(termsOf(subject))
  return termsOf(text.replace(WHO, ' ')).filter((term) => !whom.has(term))
}
