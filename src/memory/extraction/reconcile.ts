import { v7 as uuidv7 } from 'uuid'
import type { Tx } from '../../db/client.ts'
import type { Change } from '../history.ts'
import {
  approveProposal,
  confirmInference,
  findByText,
  findMerged,
  isRejected
} from '../review/review-store.ts'
import { keepMemory, type NewSource, proveMemory } from '../store.ts'
import type { FoundFact } from './facts.ts'
import {
  addConflict,
  closeMemory,
  findCurrent,
  findStanding,
  inheritSources,
  lockMemories,
  type Near
} from './reconcile-store.ts'
import { compareStatements, termsOf } from './sameness.ts'
import { isSameSubject } from './slots.ts'
import { guard, judge, judgeOpposite, type Standing, type Verdict } from './verdict.ts'

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
  const known = fact.lasting
    ? ((await findByText(tx, ownerId, fact.text)) ?? (await findMerged(tx, ownerId, fact.text)))
    : undefined
  if (fact.saidBy === 'other') {
    // Somebody else's words neither prove nor change what the owner said.
    // What the owner has turned down is not offered again.
    return known || (await isRejected(tx, ownerId, fact.text)) ? null : keep(tx, ownerId, told)
  }
  const standing = await findStanding(tx, ownerId, nearOf(told))
  const ended = findEnded(told, standing)
  let id: string | null = null
  if (known) {
    if (known.status === 'unconfirmed') await confirmInference(tx, ownerId, known.id, 'extraction')
    await proveMemory(tx, ownerId, known.id, source)
    if (known.status === 'proposed') {
      await approveProposal(tx, ownerId, known.id, 'extraction')
      await reconcileKept(tx, ownerId, known.id, sinceOf(told), 'extraction', now)
    }
  } else if (fact.lasting) {
    const rivals = standing.filter((memory) => !ended.includes(memory))
    const proposed = told.verdict
    const verdict = proposed
      ? guard(proposed, fact, sinceOf(told), rivals)
      : judge(fact, sinceOf(told), rivals)
    id = await apply(tx, ownerId, told, verdict, rivals, now)
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
  verdict: Verdict,
  standing: Standing[],
  now: Date
): Promise<string | null> {
  const { fact, source } = told
  const { kind, id: otherId } = verdict
  if (kind === 'duplicate' && otherId) {
    const other = standing.find((memory) => memory.id === otherId)
    // Who says less than was inferred has not confirmed the rest.
    if (other && compareStatements(fact.text, other.text) === 'same') {
      await confirmInference(tx, ownerId, otherId, 'extraction')
    }
    await proveMemory(tx, ownerId, otherId, source)
    return null
  }
  const id = await keep(tx, ownerId, told)
  if (otherId === id) return id
  await settle(tx, ownerId, { id, since: sinceOf(told) }, verdict, standing, 'extraction', now)
  return id
}

/** Brings about what a verdict means for a memory that is kept. */
async function settle(
  tx: Tx,
  ownerId: string,
  { id, since }: { id: string; since: Date },
  { kind, id: otherId, reason }: Verdict,
  standing: Standing[],
  by: Change['by'],
  now: Date
): Promise<void> {
  const rival = standing.find((memory) => memory.id === otherId)
  if (!rival) return
  const closing = { status: 'superseded' as const, closedAt: now }
  switch (kind) {
    case 'refines': {
      const change = { by, reason, batchId: uuidv7() }
      await inheritSources(tx, ownerId, rival.id, id, change)
      // What is refined was said in fewer words, not false: its successor holds from when it did.
      const refined = { ...closing, supersededBy: id, validTo: new Date(0) }
      await closeMemory(tx, ownerId, rival.id, refined, { ...change, action: 'refined' })
      return
    }
    case 'supersedes': {
      const replaced = { ...closing, supersededBy: id, validTo: since }
      await closeMemory(tx, ownerId, rival.id, replaced, { action: 'superseded', by, reason })
      return
    }
    case 'conflicts':
      await addConflict(tx, ownerId, { id: uuidv7(), memoryId: id, otherId: rival.id, reason }, by)
      return
    case 'outdated': {
      // It ended when the later one began, however late PAI hears of it.
      const outdated = { ...closing, supersededBy: rival.id, validTo: rival.since }
      await closeMemory(tx, ownerId, id, outdated, { action: 'superseded', by, reason })
    }
  }
}

/**
 * Holds a memory that the owner wrote, corrected or approved against the others of its attribute, and against what it
 * denies. `since` is when it began to hold. The caller holds the owner's lock.
 */
export async function reconcileKept(
  tx: Tx,
  ownerId: string,
  id: string,
  since: Date | null,
  by: Change['by'],
  now: Date
): Promise<void> {
  const kept = await findCurrent(tx, ownerId, id)
  if (!kept) return
  const { subject, slot, text } = kept
  const near = { subject, slots: slot ? [slot] : [], terms: termsOf(text), ids: [], vector: null }
  const others = (await findStanding(tx, ownerId, near)).filter((memory) => memory.id !== id)
  const rivals = others.filter(
    (memory) => slot !== null && memory.slot === slot && memory.subject === subject
  )
  const began = since ?? kept.since
  const stated = { ...kept, evidence: null }
  const verdict = judge(stated, began, rivals)
  const found = verdict.kind === 'new' ? judgeOpposite(stated, began, others) : verdict
  await settle(tx, ownerId, { id, since: began }, found, others, by, now)
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
    (memory) => memory.since <= since && (isEndedByModel(memory) || fact.ends.includes(memory.id))
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
  const slots = fact.slot ? [fact.slot] : []
  return { subject: fact.subject, slots, terms: termsOf(fact.text), ids: fact.ends, vector }
}

/** Since when a fact holds: for a plan, since it was said. */
function sinceOf({ fact, source }: Told): Date {
  const { validFrom } = fact
  return validFrom && validFrom < source.saidAt ? validFrom : source.saidAt
}
