import type { QueueOptions } from 'pg-boss'

/** Of the one conversation that all of a job's messages are in, where they are in one: what the job costs shows under it. */
interface InConversation {
  conversationId?: string
}

/** Every job in PAI. Payloads carry ids; handlers read the rows again. */
export interface JobPayloads {
  /** Finds what messages of the owner's say about the owner's world. */
  'memory.extract': { ownerId: string; messageIds: string[] } & InConversation
  /** Gives memories and messages the vectors they still lack, and messages the words that came after them. */
  'memory.index': {
    ownerId: string
    memoryIds: string[]
    messageIds: string[]
    /** Set where the messages came with what follows them, so that only their vectors are wanting. */
    indexed?: true
    /** Memories that a reply has quoted, and when: what is used fades more slowly. */
    used?: { memoryIds: string[]; at: string }
  } & InConversation
  /** Makes the messages of a long import searchable, from where an earlier run stopped. */
  'conversations.import': { ownerId: string; importId: string }
  /** Finds a conversation a better title than its first words. */
  'conversations.title': { ownerId: string; conversationId: string }
  /** Brings in what is left of a large file. */
  'transfer.import': { ownerId: string; importId: string }
  /** Builds an index that searches of larger owners need: of an owner's vectors of one model, or of everybody's. */
  'memory.build-vector-index': {
    kind: 'memory' | 'message'
    model: string
    dimensions: number
    ownerId?: string
    rows?: boolean
  }
  /** Builds an owner's vectors of another model beside those in use; with `remove`, takes that model's away. */
  'memory.reembed': { ownerId: string; remove?: string }
  /** Removes a forgotten memory for good, once it cannot be undone any more. */
  'memory.purge': { ownerId: string; memoryId: string }
  /** Finds the purges that are due and whose job was lost. */
  'memory.sweep-purges': Record<string, never>
  /** Takes up again what was given up of extraction and indexing, of the owners after one of them. */
  'memory.sweep-unfinished': { after?: string }
  /** Begins a consolidation for each owner whose night it is. */
  'consolidation.schedule': Record<string, never>
  /** Tidies an owner's memory. */
  'consolidation.run': { ownerId: string; consolidationId: string }
  /** Removes turn logs and stored answers past their 24 hours, and tidies the database; each hour, and after a worker's start. */
  'house.delete-expired': { afterStart?: true }
}

export type JobName = keyof JobPayloads
export type JobHandlers = {
  [Name in JobName]: (payload: JobPayloads[Name], signal: AbortSignal) => Promise<void>
}

/** How each queue retries. A job that keeps failing goes to `failed-jobs`, where it stays for a year to be looked at. */
export const QUEUES: Record<JobName, QueueOptions> = {
  'memory.extract': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 300
  },
  'memory.index': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 300
  },
  'conversations.import': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 3600
  },
  // The first words do until then.
  'conversations.title': { retryLimit: 4, retryDelay: 5, retryBackoff: true, expireInSeconds: 120 },
  'transfer.import': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 3600
  },
  // Millions of vectors take their time.
  'memory.build-vector-index': {
    retryLimit: 8,
    retryDelay: 60,
    retryBackoff: true,
    retryDelayMax: 3600,
    expireInSeconds: 43_200
  },
  'memory.reembed': {
    retryLimit: 20,
    retryDelay: 5,
    retryBackoff: true,
    retryDelayMax: 1800,
    expireInSeconds: 3600
  },
  // Whatever fails is hidden meanwhile, and the sweep tries again long after the last retry.
  'memory.purge': {
    retryLimit: 8,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 600,
    expireInSeconds: 900
  },
  'memory.sweep-purges': { retryLimit: 2, expireInSeconds: 900 },
  'memory.sweep-unfinished': { retryLimit: 2, expireInSeconds: 900 },
  'consolidation.schedule': { retryLimit: 2, expireInSeconds: 1800 },
  'consolidation.run': {
    retryLimit: 5,
    retryDelay: 60,
    retryBackoff: true,
    retryDelayMax: 1800,
    expireInSeconds: 1800
  },
  'house.delete-expired': { retryLimit: 2, expireInSeconds: 300 }
}
export const FAILED = 'failed-jobs'
/** pg-boss would drop what nobody has worked on for a fortnight, and a laptop may be closed for longer. */
export const KEPT: QueueOptions = { retentionSeconds: 365 * 24 * 60 * 60 }
/**
 * A worker says every five seconds that it is still at a job. After ten of silence the job is another's: with the supervision
 * below it runs again within half a minute, however far apart its queue's retries are.
 */
export const WATCHED: QueueOptions = { heartbeatSeconds: 10 }
export const SUPERVISE_SECONDS = 5
export const SCHEDULES: Partial<Record<JobName, string>> = {
  'consolidation.schedule': '7 * * * *',
  'house.delete-expired': '17 * * * *',
  'memory.sweep-purges': '41 * * * *',
  'memory.sweep-unfinished': '53 * * * *'
}
