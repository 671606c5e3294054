import { v7 as uuidv7 } from 'uuid'
import type { Tx } from '../../db/client.ts'
import { approveProposal, findByText } from '../review/review-store.ts'
import { keepMemory, type NewSource, proveMemory } from '../store.ts'
import type { Ending, FoundFact } from './facts.ts'
import {
  addConflict,
  closeMemory,
  findStanding,
  inheritSources,
  lockMemories,
  type Near
} from './reconcile-store.ts'
import { fitsEnding } from './rules-changes.ts'
import { speaksOf, termsOf, withKinds } from './sameness.ts'
import { isSameSubject } from './slots.ts'
import { guard, judge, type Standing, type Verdict } from './verdict.ts'

/** A fact with where it was said. */
export interface Told {
  fact: FoundFact
  source: NewSource
  /** null: the vectors know no meaning. */
  vector: Near['vector']
  /** What a model made of it; the guards hold it all the same. */
  verdict: Verdict | null
}

/** The facts beside the memories that they may have to do with. */
export async function compareWith(
  tx: Tx,
  ownerId: string,
  facts: Pick<Told, 'fact' | 'vector'>[]
): Promise<{ fact: FoundFact; standing: Standing[] }[]> {
  const compared: { fact: FoundFact; standing: Standing[] }[] = []
  for (const { fact, vector } of facts) {
    compared.push({ fact, standing: await findStanding(tx, ownerId, nearOf({ fact, vector })) })
  }
  return compared
}

/**
 * Brings what one message says into the memory, in the transaction that marks the message: a verdict for each fact, and
 * what it ends ended. Answers the ids of memories that are new.
 */
export async function reconcile(tx: Tx, ownerId: string, told: Told[], now: Date): Promise<string[]> {
  if (told.length === 0) return []
  await lockMemories(tx, ownerId)
  const kept: string[] = []
  for (const item of told) {
    const id = await reconcileOne(tx, ownerId, item, now)
    if (id) kept.push(id)
  }
  return kept
}

async function reconcileOne(tx: Tx, ownerId: string, told: Told, now: Date): Promise<string | null> {
  const { fact, source } = told
  const known = fact.lasting ? await findByText(tx, ownerId, fact.text) : undefined
  if (fact.saidBy === 'other') {
    // Somebody else's words neither prove nor change what the owner said.
    return known ? null : keep(tx, ownerId, told)
  }
  const standing = await findStanding(tx, ownerId, nearOf(told))
  const ended = findEnded(told, standing)
  let id: string | null = null
  if (known) {
    if (known.status === 'proposed') await approveProposal(tx, ownerId, known.id, 'extraction')
    await proveMemory(tx, ownerId, known.id, source)
  } else if (fact.lasting) {
    const rivals = standing.filter((memory) => !ended.includes(memory))
    const proposed = told.verdict
    const verdict = proposed
      ? guard(proposed, fact, sinceOf(told), rivals)
      : judge(fact, sinceOf(told), rivals)
    id = await apply(tx, ownerId, told, verdict, now)
  }
  const successor = known?.id ?? id
  for (const memory of ended) {
    if (memory.id === successor) continue
    await closeMemory(
      tx,
      ownerId,
      memory.id,
      {
        status: successor ? 'superseded' : 'expired',
        supersededBy: successor,
        validTo: fact.validFrom ?? source.saidAt,
        closedAt: now
      },
      { action: successor ? 'superseded' : 'expired', by: 'extraction', reason: 'said to be over' }
    )
  }
  return id
}

async function apply(
  tx: Tx,
  ownerId: string,
  told: Told,
  { kind, id: otherId, reason }: Verdict,
  now: Date
): Promise<string | null> {
  const { source } = told
  if (kind === 'duplicate' && otherId) {
    await proveMemory(tx, ownerId, otherId, source)
    return null
  }
  const id = await keep(tx, ownerId, told)
  if (!otherId || otherId === id) return id
  const since = sinceOf(told)
  switch (kind) {
    case 'supersedes':
    case 'refines': {
      const closing = { status: 'superseded' as const, supersededBy: id, closedAt: now }
      // What is refined was said in fewer words, not false: its successor holds from when it did.
      const validTo = kind === 'refines' ? new Date(0) : since
      if (kind === 'refines') await inheritSources(tx, ownerId, otherId, id)
      await closeMemory(
        tx,
        ownerId,
        otherId,
        { ...closing, validTo },
        {
          action: kind === 'refines' ? 'refined' : 'superseded',
          by: 'extraction',
          reason
        }
      )
      return id
    }
    case 'conflicts':
      await addConflict(tx, ownerId, { id: uuidv7(), memoryId: id, otherId, reason })
      return id
    case 'outdated': {
      const closing = { status: 'superseded' as const, supersededBy: otherId, validTo: now, closedAt: now }
      await closeMemory(tx, ownerId, id, closing, { action: 'superseded', by: 'extraction', reason })
      return id
    }
    default:
      return id
  }
}

function isEndedBy({ text, slot }: Standing, ending: Ending): boolean {
  if (ending.slots) return slot !== null && ending.slots.includes(slot)
  return speaksOf(text, ending.terms) && fitsEnding(text, ending)
}

/** The standing memories that a fact says are over. Something said before they began does not end them. */
function findEnded(told: Told, standing: Standing[]): Standing[] {
  const { fact, verdict } = told
  const since = sinceOf(told)
  // "I no longer work there": the model says which memory that ends, and the words that it has ended.
  const isEndedByModel = ({ id, subject }: Standing) =>
    !fact.lasting &&
    verdict?.kind === 'supersedes' &&
    id === verdict.id &&
    isSameSubject(fact.subject, subject)
  return standing.filter(
    (memory) =>
      memory.since <= since &&
      (isEndedByModel(memory) ||
        fact.ends.some(
          (ending) =>
            (ending.subject === null ||
              memory.subject === null ||
              isSameSubject(ending.subject, memory.subject)) &&
            isEndedBy(memory, ending)
        ))
  )
}

function keep(tx: Tx, ownerId: string, { fact, source }: Told): Promise<string> {
  const { text, category, tags, importance, importanceReason, subject, slot, validFrom, validTo, saidBy } =
    fact
  const status = saidBy === 'other' ? ('proposed' as const) : ('active' as const)
  const memory = { text, category, tags, importance, importanceReason, subject, slot, status, validTo }
  return keepMemory(tx, ownerId, { ...memory, validFrom: validFrom ?? source.saidAt }, source)
}

function nearOf({ fact, vector }: Pick<Told, 'fact' | 'vector'>): Near {
  const slots = fact.ends.flatMap((ending) => ending.slots ?? [])
  const terms = [...termsOf(fact.text), ...fact.ends.flatMap((ending) => withKinds(ending.terms))]
  const all = fact.slot ? [fact.slot, ...slots] : slots
  return { subject: fact.subject, slots: all, terms: [...new Set(terms)], vector }
}

/** Since when a fact holds: for a plan, since it was said. */
function sinceOf({ fact, source }: Told): Date {
  const { validFrom } = fact
  return validFrom && validFrom < source.saidAt ? validFrom : source.saidAt
}
