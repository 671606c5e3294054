import { v7 as uuidv7 } from 'uuid'
import { createAccounts } from './auth/accounts.ts'
import { deriveKey } from './auth/secrets.ts'
import { loadConversation } from './chat/conversation-store.ts'
import { extractionSource, isUnread } from './chat/extraction-source.ts'
import { createFindTitle } from './chat/find-title.ts'
import { createImportConversation, createIndexImport } from './chat/import-conversation.ts'
import { createInterruptAbandoned } from './chat/interrupted.ts'
import { createLogWriter, readGrownLogs } from './chat/log-writer.ts'
import { createReadSettled } from './chat/read-settled.ts'
import { createReadTurn } from './chat/read-turn.ts'
import { createRunTurn } from './chat/run-turn.ts'
import { createRunner } from './chat/runner.ts'
import { createSearchConversations } from './chat/search-conversations.ts'
import { createStartTurn } from './chat/start-turn.ts'
import { createStopTurn } from './chat/stop-turn.ts'
import { toTitle } from './chat/title.ts'
import { createTurnHub } from './chat/turn-hub.ts'
import { createWatchTurn } from './chat/watch-turn.ts'
import type { Config } from './config.ts'
import { findCarried, readCarried } from './consolidation/carried.ts'
import { createConsolidate } from './consolidation/consolidate.ts'
import { readCurrentProfile } from './consolidation/profile-store.ts'
import { createSchedule, startConsolidation } from './consolidation/start.ts'
import { undoConsolidation } from './consolidation/undo.ts'
import { openBus } from './db/bus.ts'
import { checkAppRole } from './db/check.ts'
import type { Database, Tx } from './db/client.ts'
import { migrate } from './db/migrate.ts'
import { countRequests, deleteExpired, hasAccounts } from './db/system.ts'
import { dropVectorIndexes } from './db/vector-index.ts'
import { createSharedCounts } from './http/shared-counts.ts'
import { createGiveWay } from './jobs/give-way.ts'
import type { JobHandlers } from './jobs/jobs.ts'
import { openQueue, queueMigration } from './jobs/queue.ts'
import { readQueueAge } from './jobs/queue-age.ts'
import type { Llm } from './llm/model.ts'
import { afterClosing, reaffirmDependants } from './memory/closing.ts'
import { createExtract } from './memory/extraction/extract.ts'
import { createForgetTold } from './memory/forgetting/forget-told.ts'
import { createHiding } from './memory/forgetting/hide-forgotten.ts'
import { createPurge } from './memory/forgetting/purge.ts'
import { record } from './memory/history.ts'
import { merge } from './memory/merge.ts'
import { createBuildIndex, createCheckSize } from './memory/recall/build-index.ts'
import { createEmbedders } from './memory/recall/embedders.ts'
import { indexMessages } from './memory/recall/index-messages.ts'
import { createIndexWords } from './memory/recall/index-words.ts'
import { createMessageIndex } from './memory/recall/message-index.ts'
import { createRecall, type Recall } from './memory/recall/recall.ts'
import { createReembed } from './memory/recall/reembed.ts'
import { hashText, indexWords } from './memory/store.ts'
import { createSweep } from './memory/sweep.ts'
import { measureProviders } from './models/measure-providers.ts'
import { measureTraces } from './telemetry/measure-traces.ts'
import { traced } from './telemetry/traced.ts'
import { findFileImport } from './transfer/file-store.ts'
import { createImportFrom, createImportParts } from './transfer/import.ts'
import { createReadUpload } from './transfer/read-upload.ts'
import { createUsage } from './usage/create-usage.ts'
import { payForJobs } from './usage/pay-for-jobs.ts'

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
    alsoMigrate: queueMigration
  })
  await checkAppRole(database)
  const giveWay = createGiveWay()
  const queue = await openQueue(
    database,
    config.PAI_ROLE !== 'api',
    (error) => onError(error, 'working the queue'),
    giveWay.untilQuiet
  )

  const bus = await openBus(database)
  // The embedded database serves one process, which counts for itself.
  const requestCounts =
    database.kind === 'postgres'
      ? createSharedCounts(
          (counted) => database.inSystem((tx) => countRequests(tx, counted)),
          (error) => onError(error, 'counting requests with the other processes')
        )
      : null
  // The same on every node and at every start, until the first account is there.
  const bootstrapToken = deriveKey(config.PAI_JWT_SECRET, 'bootstrap-token').toString('base64url')
  const accounts = await createAccounts({
    database,
    bus,
    secret: config.PAI_JWT_SECRET,
    registration: config.PAI_REGISTRATION,
    loopback: config.loopback,
    bootstrapToken
  })
  const embedders = createEmbedders({ database, queue, current: llm.embedder, build: llm.embedderFor })
  const usage = createUsage({
    database,
    llm,
    prices: config.PAI_PRICES,
    monthlyBudget: config.PAI_MONTHLY_BUDGET,
    onError: (error) => onError(error, 'keeping what models cost'),
    now
  })
  const { meters, payFor } = usage
  measureProviders(meters.register, llm)
  measureTraces(meters.register)
  bus.hear('budget', usage.forget)
  const timedRecall = meters.timeRecall(createRecall({ database, embedders, now }))
  const recall: Recall = (...asked) => traced({ name: 'recall' }, () => timedRecall(...asked))

  const runnerId = uuidv7()
  const hub = createTurnHub()
  bus.hear('turn-log', (message) => readGrownLogs(message, runnerId).forEach(hub.wake))
  bus.onReconnect(hub.wakeAll)
  const hiding = createHiding({ toTitle })
  const runTurn = createRunTurn({
    database,
    payFor,
    bus,
    hub,
    storeEvents: createLogWriter({ database, bus, runnerId }),
    queue,
    models: llm,
    recall,
    noteFirstToken: meters.noteFirstToken,
    indexMessages,
    findsTitles: llm.structured !== null,
    hiding,
    findCarried,
    now,
    onError: (error) => onError(error, 'running a turn')
  })
  const runner = createRunner({
    database,
    id: runnerId,
    runTurn: (turn, signal) =>
      traced({ name: 'turn', facts: { 'pai.turn.id': turn.id } }, () => runTurn(turn, signal)),
    onError: (error) => onError(error, 'keeping a turn')
  })
  bus.hear('turn-stop', runner.stop)

  let stopping = false

  const checkSize = createCheckSize(database, queue)
  const importing = { database, queue, messageIndex: createMessageIndex(embedders, queue, checkSize) }

  const memory = { record, afterClosing, reaffirmDependants, hashText, indexWords, merge }

  const purging = createPurge({ database, queue, now, toTitle })

  const behind = giveWay.afterPeople(database)
  const jobs: JobHandlers = {
    'consolidation.schedule': createSchedule({ database, queue, now }),
    'consolidation.run': createConsolidate({
      database: behind,
      queue,
      model: llm.structured,
      embedderOf: embedders.inUse,
      memory,
      hiding
    }),
    'conversations.import': createIndexImport({ ...importing, database: behind }),
    'conversations.title': createFindTitle({ database: behind, model: llm.structured, hiding }),
    'transfer.import': createImportParts({ database: behind, queue, memory }),
    'memory.extract': createExtract({
      database: behind,
      queue,
      model: llm.structured,
      embedders,
      source: extractionSource,
      now
    }),
    'memory.index': createIndexWords({ database: behind, embedders, checkSize }),
    'memory.purge': purging.job,
    'memory.sweep-purges': purging.sweep,
    'memory.sweep-unfinished': createSweep({ database, queue, embedders, hasBudget: usage.hasBudget, now }),
    'memory.build-vector-index': createBuildIndex(database, config.PAI_MIGRATION_DATABASE_URL),
    'memory.reembed': createReembed({
      database: behind,
      queue,
      embedders,
      checkSize,
      dropIndexes: (model) => dropVectorIndexes(database, config.PAI_MIGRATION_DATABASE_URL, model)
    }),
    'house.delete-expired': async (_payload, signal) => {
      while (await database.inSystem((tx) => deleteExpired(tx))) signal.throwIfAborted()
      await database.tidy()
    }
  }

  const readTurn = createReadTurn({ database, hiding })
  const watchTurn = createWatchTurn({ database, hub, hiding })
  return {
    accounts,
    bus,
    /** For the rate limits of all processes together; null where there is only one. */
    requestCounts,
    chat: {
      startTurn: createStartTurn({
        database,
        runner,
        hiding,
        readCarried: (...ids) => readCarried(database, ...ids),
        recallFor: (ownerId, query, conversationId, signal) =>
          payFor({ ownerId, purpose: 'chat', conversationId }, () => recall(ownerId, query, signal)),
        giveWay,
        models: llm
      }),
      readTurn,
      readSettled: createReadSettled({ readTurn, watchTurn }),
      watchTurn,
      stopTurn: createStopTurn({ database, bus, runner }),
      importConversation: createImportConversation(importing),
      searchConversations: createSearchConversations({ database, recall, hiding }),
      interruptAbandoned: createInterruptAbandoned({
        database,
        bus,
        queue,
        indexMessages,
        findsTitles: false,
        noteLost: usage.noteLost
      })
    },
    consolidation: {
      start: (tx: Tx, ownerId: string) => startConsolidation(tx, queue, ownerId, now()),
      undo: (tx: Tx, ownerId: string, id: string) => undoConsolidation(tx, memory, ownerId, id)
    },
    readCurrentProfile,
    loadConversation,
    hiding,
    isUnread,
    database,
    embedders,
    jobs: giveWay.letGoFirst(payForJobs(jobs, payFor)),
    llm,
    queue,
    queueAge: () => readQueueAge(database),
    forgetTold: createForgetTold(queue, now),
    findFileImport,
    importFrom: createImportFrom({ database, queue, memory, readUpload: createReadUpload() }),
    purge: purging.purge,
    recall: ((ownerId, query, signal) =>
      payFor({ ownerId, purpose: 'search' }, () => recall(ownerId, query, signal))) satisfies Recall,
    /** Vectors for an owner, who pays for them. */
    embedFor: (ownerId: string, texts: string[], signal: AbortSignal) =>
      payFor({ ownerId, purpose: 'embeddings' }, () => llm.embedder.embed(texts, signal)),
    usage,
    runner,
    now,
    /** What an operator should read at start-up. */
    warnings,
    /** What the first account must show where others can reach the service; null once there is one, or on loopback. */
    async bootstrapToken(): Promise<string | null> {
      return config.loopback || (await database.inSystem(hasAccounts)) ? null : bootstrapToken
    },
    /** From now on this process says that it is not ready, so that requests go to others while it ends what it has. */
    beginStopping(): void {
      stopping = true
    },
    isStopping: () => stopping,
    /** Throws when a request could not be served. */
    async checkReady(): Promise<void> {
      await database.pool.query('SELECT 1')
      await queue.check()
    },
    /** Lets jobs end for `graceMs`, and lets go of the database. Turns are ended before, by the runner. */
    async close(graceMs: number): Promise<void> {
      await queue.close(graceMs)
      await usage.close()
      requestCounts?.close()
      await bus.close()
      await database.close()
    }
  }
}
