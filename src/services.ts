import { createAccounts } from './auth/accounts.ts'
import { deriveKey } from './auth/secrets.ts'
import { findProfile } from './auth/store.ts'
import { extractionSource } from './chat/extraction-source.ts'
import { createImportConversation, createIndexImport } from './chat/import-conversation.ts'
import { createInterruptAbandoned } from './chat/interrupted.ts'
import { createReadTurn } from './chat/read-turn.ts'
import { createRunTurn } from './chat/run-turn.ts'
import { createRunner } from './chat/runner.ts'
import { createStartTurn } from './chat/start-turn.ts'
import { createStopTurn } from './chat/stop-turn.ts'
import { createTurnHub } from './chat/turn-hub.ts'
import { createWatchTurn } from './chat/watch-turn.ts'
import type { Config } from './config.ts'
import { checkAppRole } from './db/check.ts'
import type { Database } from './db/client.ts'
import { migrate } from './db/migrate.ts'
import { deleteExpired, hasAccounts } from './db/system.ts'
import { type JobHandlers, migrateQueue, openQueue } from './jobs/queue.ts'
import type { Llm } from './llm/model.ts'
import { createExtract } from './memory/extract.ts'
import { indexMessages, saveMessageVectors } from './memory/index-messages.ts'
import { createIndexWords } from './memory/index-words.ts'
import { createRecall } from './memory/recall.ts'

export type Services = Awaited<ReturnType<typeof createServices>>

export interface ServiceOptions {
  config: Config
  database: Database
  llm: Llm
  /** Hears of what fails where no request waits for it. */
  onError: (error: unknown, doing: string) => void
  now?: () => Date
}

/** The composition root: what exists and what it is made of. Every process builds the same house. */
export async function createServices({
  config,
  database,
  llm,
  onError,
  now = () => new Date()
}: ServiceOptions) {
  const warnings = await migrate(database, {
    migrationUrl: config.PAI_MIGRATION_DATABASE_URL,
    databaseUrl: config.DATABASE_URL,
    alsoMigrate: migrateQueue
  })
  await checkAppRole(database)
  const queue = await openQueue(database, config.PAI_ROLE !== 'api', (error) =>
    onError(error, 'working the queue')
  )

  // The same on every node and at every start, until the first account is there.
  const bootstrapToken = deriveKey(config.PAI_JWT_SECRET, 'bootstrap-token').toString('base64url')
  const accounts = await createAccounts({
    database,
    secret: config.PAI_JWT_SECRET,
    registration: config.PAI_REGISTRATION,
    loopback: config.loopback,
    bootstrapToken
  })
  const recall = createRecall({ database, embedder: llm.embedder, now })

  const hub = createTurnHub()
  const runTurn = createRunTurn({
    database,
    hub,
    queue,
    model: llm.chat,
    recall,
    indexMessages,
    findProfile,
    now,
    onError: (error) => onError(error, 'running a turn')
  })
  const runner = createRunner({ database, runTurn, onError: (error) => onError(error, 'keeping a turn') })

  const importing = { database, queue, embedder: llm.embedder, indexMessages, saveMessageVectors }

  const jobs: JobHandlers = {
    'conversations.import': createIndexImport(importing),
    'memory.extract': createExtract({ database, queue, model: llm.structured, source: extractionSource }),
    'memory.index': createIndexWords({ database, embedder: llm.embedder }),
    'house.delete-expired': () => database.inSystem(deleteExpired)
  }

  return {
    accounts,
    chat: {
      startTurn: createStartTurn({ database, runner, modelId: llm.chat.id }),
      readTurn: createReadTurn({ database }),
      watchTurn: createWatchTurn({ database, hub }),
      stopTurn: createStopTurn({ database, runner }),
      importConversation: createImportConversation(importing),
      interruptAbandoned: createInterruptAbandoned({ database, queue, indexMessages })
    },
    database,
    jobs,
    llm,
    queue,
    recall,
    runner,
    /** What an operator should read at start-up. */
    warnings,
    /** What the first account must show where others can reach the service; null once there is one, or on loopback. */
    async bootstrapToken(): Promise<string | null> {
      return config.loopback || (await database.inSystem(hasAccounts)) ? null : bootstrapToken
    },
    /** Throws when a request could not be served. */
    async checkReady(): Promise<void> {
      await database.pool.query('SELECT 1')
      await queue.check()
    },
    /** Lets jobs end for `graceMs`, and lets go of the database. Turns are ended before, by the runner. */
    async close(graceMs: number): Promise<void> {
      await queue.close(graceMs)
      await database.close()
    }
  }
}
