import { type FoundFact, OWNER } from './facts.ts'
import { isDenied, isOtherNumber } from './opposites.ts'
import { findEvidence } from './rules-changes.ts'
import { OWN_SUBJECT } from './rules-patterns.ts'
import {
  compareStatements,
  figuresOf,
  hasWords,
  holdsTerms,
  isMostlySame,
  namesOf,
  polarityOf,
  termsOf
} from './sameness.ts'
import { isLasting, isLatestWins, isSameSubject, isSingle } from './slots.ts'

/** A memory that a new fact may have to do with. */
export interface Standing {
  id: string
  text: string
  subject: string | null
  slot: string | null
  status: string
  pinned: boolean
  /** When it began to hold, or was recorded. */
  since: Date
}

export type VerdictKind = 'new' | 'duplicate' | 'refines' | 'supersedes' | 'conflicts' | 'outdated'

export interface Verdict {
  kind: VerdictKind
  /** The memory it is about; null for what is new. */
  id: string | null
  reason: string
}

/** Attributes that people tell again in other words. */
const TOLD_AGAIN = new Set(['job', 'likes', 'dislikes'])

/** What of a fact decides how it stands to what is known. */
export type Stated = Pick<FoundFact, 'text' | 'subject' | 'slot' | 'evidence'> &
  Partial<Pick<FoundFact, 'quote'>>

const NEW: Verdict = { kind: 'new', id: null, reason: 'said for the first time' }

/** How a fact stands to what is known, by its words and attributes alone. `since` is when the fact began to hold. */
export function judge(fact: Stated, since: Date, standing: Standing[]): Verdict {
  const alike = standing
    .filter((memory) => mayBeSame(fact, memory))
    .map((memory) => ({ memory, sameness: compareStatements(fact.text, memory.text) }))
  const same = alike.find(({ sameness }) => sameness === 'same' || sameness === 'less')
  if (same) return { kind: 'duplicate', id: same.memory.id, reason: 'says the same' }
  const told = standing.find(
    (memory) =>
      TOLD_AGAIN.has(fact.slot ?? '') && fillsSameSlot(fact, memory) && isMostlySame(fact.text, memory.text)
  )
  if (told && !fact.evidence) return { kind: 'duplicate', id: told.id, reason: 'says mostly the same' }
  // Before "says more": of "I live in Oslo" and "I live in Oslo no longer" the second is no refinement.
  const rival = standing.find((memory) => fillsSameSlot(fact, memory) && isSingle(fact.slot ?? ''))
  const more = alike.find(({ sameness }) => sameness === 'more')
  if (more && !fact.evidence) return { kind: 'refines', id: more.memory.id, reason: 'says the same and more' }
  const rivalry = rival ? judgeRival(fact, since, rival) : NEW
  return rivalry.kind === 'new' ? judgeOpposite(fact, since, standing) : rivalry
}

/** Two statements of one subject that cannot both be true, whatever attribute they are of. */
export function judgeOpposite(fact: Stated, since: Date, standing: Standing[]): Verdict {
  const opposite = standing.find(
    (memory) =>
      isAboutSame(fact, memory) && (isDenied(fact.text, memory.text) || isOtherNumber(fact.text, memory.text))
  )
  if (!opposite) return NEW
  const { id } = opposite
  // An attribute of one value has words of change asked for by itself; of others they stand in what was said. The statement may be
  // a model's own words.
  const hasChanged = fact.evidence ?? findEvidence(fact.quote ?? fact.text)
  if (hasChanged && since > opposite.since) return { kind: 'supersedes', id, reason: 'said to have changed' }
  if (findEvidence(opposite.text) && since < opposite.since)
    return { kind: 'outdated', id, reason: 'said to have changed since' }
  return { kind: 'conflicts', id, reason: 'says otherwise' }
}

/** What is written by hand often has no subject: then it is "I", or stands among the words, which are compared anyhow. */
function isAboutSame(fact: Stated, memory: Standing): boolean {
  const [one, other] = [whoIn(fact), whoIn(memory)]
  return one === null || other === null ? one !== OWNER && other !== OWNER : isSameSubject(one, other)
}

function whoIn({ subject, text }: Pick<Stated, 'subject' | 'text'>): string | null {
  return subject ?? (OWN_SUBJECT.test(text) ? OWNER : null)
}

/** Two values of an attribute that has one at a time. */
function judgeRival(fact: Stated, since: Date, rival: Standing): Verdict {
  const { id } = rival
  const later = since.getTime() - rival.since.getTime()
  if (later > 0 && fact.evidence)
    return { kind: 'supersedes', id, reason: `said to have changed: ${fact.slot}` }
  if (isLasting(fact.slot ?? '')) return { kind: 'conflicts', id, reason: `two values of ${fact.slot}` }
  if (!isLatestWins(fact.slot ?? '')) return NEW
  if (later > 0) return { kind: 'supersedes', id, reason: `a later value of ${fact.slot}` }
  if (later < 0) return { kind: 'outdated', id, reason: `an earlier value of ${fact.slot}` }
  return { kind: 'conflicts', id, reason: `two values of ${fact.slot} at the same time` }
}

/**
 * Holds a model's verdict to what no model may do: retire what is about somebody else, about another attribute, of many
 * values, or later than the new fact.
 */
export function guard(proposed: Verdict, fact: FoundFact, since: Date, standing: Standing[]): Verdict {
  const memory = standing.find(({ id }) => id === proposed.id)
  if (!memory || proposed.kind === 'new') return judge(fact, since, standing)
  switch (proposed.kind) {
    case 'supersedes': {
      if (!fillsSameSlot(fact, memory)) return NEW
      const later = since > memory.since
      if (later && isSingle(fact.slot ?? '') && (fact.evidence || !isLasting(fact.slot ?? '')))
        return proposed
      return isSingle(fact.slot ?? '') ? judgeRival(fact, since, memory) : NEW
    }
    case 'duplicate':
      return isWithin(fact, memory) ? proposed : judge(fact, since, standing)
    case 'refines':
      return isWithin(memory, fact) ? proposed : judge(fact, since, standing)
    case 'conflicts':
      return isSameSubject(fact.subject, memory.subject) ? proposed : NEW
    default:
      return NEW
  }
}

/**
 * Whether one statement can be what the other says, or a part of it: what it denies, and its names and figures, stand in the
 * other as well, whatever a model says.
 */
function isWithin(part: Stated | Standing, whole: Stated | Standing): boolean {
  if (part.subject && whole.subject && !isSameSubject(part.subject, whole.subject)) return false
  if (polarityOf(part.text) !== polarityOf(whole.text)) return false
  const figures = figuresOf(whole.text)
  return (
    figuresOf(part.text).every((figure) => figures.includes(figure)) &&
    hasWords(`${whole.text} ${whole.subject ?? ''}`, namesOf(part.text))
  )
}

function fillsSameSlot(fact: Stated, memory: Standing): boolean {
  return fact.slot !== null && fact.slot === memory.slot && isSameSubject(fact.subject, memory.subject)
}

function mayBeSame(fact: Stated, memory: Standing): boolean {
  if (fact.subject === null || memory.subject === null) return true
  // "We have a baby, Leila" is the owner's and Leila's alike.
  return (
    isSameSubject(fact.subject, memory.subject) ||
    holdsTerms(memory.text, termsOf(fact.subject)) ||
    holdsTerms(fact.text, termsOf(memory.subject))
  )
}
