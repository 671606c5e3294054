import type { Database, Tx } from '../../db/client.ts'
import type { JobHandlers } from '../../jobs/jobs.ts'
import type { Queue } from '../../jobs/queue.ts'
import { isOutOfBudget } from '../../llm/errors.ts'
import type { Embedder, StructuredModel } from '../../llm/model.ts'
import { ExtractionUnreadable } from '../errors.ts'
import type { Embedders } from '../recall/embedders.ts'
import { clearFailure, findParked, noteFailure } from '../review/extraction-failures.ts'
import { askForFacts, planUnits, type Unit } from './ask-model.ts'
import { askForVerdicts } from './ask-verdicts.ts'
import type { FoundFact } from './facts.ts'
import { listOwnCategories, sortAsOwner } from './own-categories.ts'
import { compareWith, reconcile, type Told } from './reconcile.ts'
import { findMentioned, listKnown } from './reconcile-store.ts'
import { findFacts } from './rules.ts'
import { termsOf } from './sameness.ts'
import type { Verdict } from './verdict.ts'

/** What a message offers to extraction: the owner's own words and their date, never what was recalled or answered. */
export interface ExtractionInput {
  messageId: string
  text: string
  saidAt: Date
  /** The owner's, in which "tomorrow" was said. */
  timeZone: string
}

/** What extraction needs of chat: reading messages that are still to be dealt with, and marking that they are. */
export interface ExtractionSource {
  /** Without those dealt with before, deleted since, not the owner's words, or not to be remembered. */
  read(tx: Tx, ownerId: string, messageIds: string[]): Promise<ExtractionInput[]>
  /** False when another run has marked it first. */
  mark(tx: Tx, ownerId: string, messageId: string): Promise<boolean>
}

export interface ExtractDeps {
  database: Database
  queue: Queue
  /** null: rules do the work. */
  model: StructuredModel | null
  embedders: Pick<Embedders, 'inUse'>
  source: ExtractionSource
  now?: () => Date
}

/** Finds what messages say about their owner's world and keeps it, once, however often it runs. */
export function createExtract(deps: ExtractDeps): JobHandlers['memory.extract'] {
  const { database, queue, model, embedders, source, now = () => new Date() } = deps

  return async function extract({ ownerId, messageIds }, signal) {
    const inputs = await database.inOwner(ownerId, async (tx) => {
      const parked = await findParked(tx, ownerId, messageIds)
      return (await source.read(tx, ownerId, messageIds)).filter(({ messageId }) => !parked.has(messageId))
    })
    const left = new Set(inputs)
    let failure: unknown
    try {
      // One message that fails does not keep the others from being learnt from.
      for (const unit of model
        ? planUnits(inputs)
        : inputs.map((input) => ({ inputs: [input], requests: [] }))) {
        signal.throwIfAborted()
        failure = (await learn(ownerId, unit, signal)) ?? failure
        for (const input of unit.inputs) left.delete(input)
      }
    } catch (error) {
      if (signal.aborted) await noteCutOff(ownerId, [...left], error)
      throw error
    }
    if (failure) throw failure
  }

  async function learnByRules(ownerId: string, input: ExtractionInput): Promise<void> {
    const { known, standing, own } = await database.inOwner(ownerId, async (tx) => ({
      known: await listKnown(tx, ownerId),
      standing: await findMentioned(tx, ownerId, termsOf(input.text)),
      own: await listOwnCategories(tx, ownerId)
    }))
    const facts = findFacts(input.text, { ...input, known, standing }).map((fact) => sortAsOwner(fact, own))
    await keep(
      ownerId,
      input,
      facts.map((fact) => ({ fact, vector: null, verdict: null }))
    )
  }

  /** Learns from a unit, or notes why not. Answers what the queue should try again for. */
  async function learn(ownerId: string, unit: Unit, signal: AbortSignal): Promise<unknown> {
    try {
      if (model) return await learnByModel(model, ownerId, unit, signal)
      for (const input of unit.inputs) await learnByRules(ownerId, input)
    } catch (error) {
      signal.throwIfAborted()
      // It waits, and nothing is wrong with the message.
      if (isOutOfBudget(error)) throw error
      const isUnreadable = error instanceof ExtractionUnreadable
      const { inputs } = unit
      // Of several messages one may be what the model chokes on.
      if (isUnreadable && inputs.length > 1) {
        let failure: unknown
        for (const single of inputs.flatMap((input) => planUnits([input]))) {
          failure = (await learn(ownerId, single, signal)) ?? failure
        }
        return failure
      }
      await note(ownerId, inputs, isUnreadable ? 'parked' : 'failing', error)
      return isUnreadable ? undefined : error
    }
  }

  async function note(
    ownerId: string,
    inputs: ExtractionInput[],
    status: 'failing' | 'parked',
    error: unknown
  ): Promise<void> {
    const ids = inputs.map(({ messageId }) => messageId)
    await database.inOwner(ownerId, (tx) => noteFailure(tx, ownerId, ids, status, codeOf(error)))
  }

  /** What a job that was broken off has not come to waits like what failed: the queue may have given up on it. */
  async function noteCutOff(ownerId: string, inputs: ExtractionInput[], error: unknown): Promise<void> {
    await database.inOwner(ownerId, async (tx) => {
      const ids = inputs.map(({ messageId }) => messageId)
      const parked = await findParked(tx, ownerId, ids)
      const unread = (await source.read(tx, ownerId, ids)).filter(({ messageId }) => !parked.has(messageId))
      const unreadIds = unread.map(({ messageId }) => messageId)
      await noteFailure(tx, ownerId, unreadIds, 'failing', codeOf(error))
    })
  }

  /** Answers what failed of single messages; throws where nothing was found out about any. */
  async function learnByModel(
    model: StructuredModel,
    ownerId: string,
    { inputs, requests }: Unit,
    signal: AbortSignal
  ): Promise<unknown> {
    const own = await database.inOwner(ownerId, (tx) => listOwnCategories(tx, ownerId))
    const found = new Map<string, FoundFact[]>()
    for (const request of requests) {
      signal.throwIfAborted()
      for (const [id, facts] of await askForFacts(model, request, own, signal)) {
        found.set(id, [...(found.get(id) ?? []), ...facts])
      }
    }
    let failure: unknown
    for (const input of inputs) {
      const facts = (found.get(input.messageId) ?? []).slice(0, MAX_FACTS)
      try {
        await keep(ownerId, input, await judgeByModel(model, ownerId, facts, signal))
      } catch (error) {
        signal.throwIfAborted()
        if (isOutOfBudget(error)) throw error
        await note(ownerId, [input], 'failing', error)
        failure = error
      }
    }
    return failure
  }

  /** Facts with their vectors, where those know meaning, and with what the model makes of them beside what is known. */
  async function judgeByModel(
    model: StructuredModel,
    ownerId: string,
    facts: FoundFact[],
    signal: AbortSignal
  ): Promise<Judged[]> {
    if (facts.length === 0) return []
    const embedder = await embedders.inUse(ownerId)
    const { id, dimensions } = embedder
    const vectors = embedder.semantic ? await embed(embedder, facts, signal) : []
    const judged = facts.map((fact, index) => {
      const values = vectors[index]
      return {
        fact,
        vector: values ? { model: id, dimensions, values } : null,
        verdict: null as Verdict | null
      }
    })
    const own = judged.filter(({ fact }) => fact.saidBy === 'owner')
    const compared = await database.inOwner(ownerId, (tx) => compareWith(tx, ownerId, own))
    const verdicts = await askForVerdicts(model, compared, signal).catch((error) => {
      // The facts are found: without a verdict their words decide.
      if (error instanceof ExtractionUnreadable) return []
      throw error
    })
    for (const [index, item] of own.entries()) item.verdict = verdicts[index] ?? null
    return judged
  }

  async function embed(embedder: Embedder, facts: FoundFact[], signal: AbortSignal): Promise<number[][]> {
    if (facts.length === 0) return []
    return embedder.embed(
      facts.map(({ text }) => text),
      signal
    )
  }

  async function keep(ownerId: string, input: ExtractionInput, judged: Judged[]): Promise<void> {
    const { messageId, saidAt } = input
    await database.inOwner(ownerId, async (tx) => {
      // A model takes its time, in which the owner may have paused memory or deleted what was said.
      if ((await source.read(tx, ownerId, [messageId])).length === 0) return
      // Facts and mark commit together, so a job that dies in between starts over and one that ran twice writes once.
      if (!(await source.mark(tx, ownerId, messageId))) return
      await clearFailure(tx, ownerId, messageId)
      const told: Told[] = judged.map(({ fact, ...rest }) => {
        const { quote, quoteStart, saidBy } = fact
        const kind = 'message' as const
        return { ...rest, fact, source: { kind, messageId, quote, quoteStart, saidBy, saidAt } }
      })
      const memoryIds = await reconcile(tx, ownerId, told, now())
      if (memoryIds.length > 0) {
        await queue.enqueue(tx, 'memory.index', { ownerId, memoryIds, messageIds: [] })
      }
    })
  }
}

/** At most this many facts are kept of one message, however many a model finds in its pieces. */
const MAX_FACTS = 20

type Judged = Omit<Told, 'source'>

/** Never a message of somebody else's: it may hold the person's words. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && code.startsWith('PAI_') ? code : 'PAI_JOB_FAILED'
}
