import type { JobHandlers, JobName, JobPayloads } from '../jobs/jobs.ts'
import { JobPutOff } from '../jobs/queue.ts'
import { isOutOfBudget } from '../llm/errors.ts'
import type { PayFor } from './account.ts'

/** What jobs are for, where their names do not say it well. */
const PURPOSES: Partial<Record<JobName, string>> = {
  'consolidation.run': 'consolidation',
  'conversations.import': 'import',
  'conversations.title': 'title',
  'memory.extract': 'extraction',
  'memory.index': 'indexing',
  'memory.reembed': 'reembedding'
}
/** A job without budget looks again this often: the owner may have raised it. */
const AGAIN_SECONDS = 600

/** Whose job it is, where it is somebody's. */
interface Owned {
  ownerId?: string
  conversationId?: string
}

/**
 * Runs each owner's jobs on the owner's account. One that finds the budget spent is put off: it waits in the queue, and
 * counts neither as done nor as failed.
 */
export function payForJobs(handlers: JobHandlers, payFor: PayFor): JobHandlers {
  // Each handler gets only its own payloads: they are passed on as they come.
  function paid<Name extends JobName>(name: Name, handle: Handler<Name>): Handler<Name> {
    return async function run(payload, signal) {
      const { ownerId, conversationId } = payload as Owned
      if (ownerId === undefined) return handle(payload, signal)
      const account = { ownerId, purpose: PURPOSES[name] ?? name, ...(conversationId && { conversationId }) }
      try {
        await payFor(account, () => handle(payload, signal))
      } catch (error) {
        throw isOutOfBudget(error) ? new JobPutOff(AGAIN_SECONDS) : error
      }
    }
  }

  const all = Object.entries(handlers).map(([name, handle]) => [
    name,
    paid(name as JobName, handle as Handler<JobName>)
  ])
  return Object.fromEntries(all) as JobHandlers
}

type Handler<Name extends JobName> = (payload: JobPayloads[Name], signal: AbortSignal) => Promise<void>
