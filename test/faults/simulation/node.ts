import { v7 as uuidv7 } from 'uuid'
import { createInterruptAbandoned } from '../../../src/chat/interrupted.ts'
import { createLogWriter, readGrownLogs } from '../../../src/chat/log-writer.ts'
import { createRunTurn } from '../../../src/chat/run-turn.ts'
import { createRunner } from '../../../src/chat/runner.ts'
import { createStartTurn } from '../../../src/chat/start-turn.ts'
import { createStopTurn } from '../../../src/chat/stop-turn.ts'
import { createTurnHub } from '../../../src/chat/turn-hub.ts'
import { createWatchTurn } from '../../../src/chat/watch-turn.ts'
import { openBus } from '../../../src/db/bus.ts'
import type { Database } from '../../../src/db/client.ts'
import type { ChatModel } from '../../../src/llm/model.ts'
import type { Hiding } from '../../../src/memory/forgetting/hide-forgotten.ts'
import { as, type Process } from './time.ts'

const SWEEP_MS = 15_000

/** One process of PAI, as far as turns go. */
export interface Node extends Process {
  name: string
  /** Rejects when it dies: whoever is connected sees the connection break. */
  died: Promise<never>
  die(): void
  startTurn: ReturnType<typeof createStartTurn>
  watchTurn: ReturnType<typeof createWatchTurn>
  stopTurn: ReturnType<typeof createStopTurn>
}

export class Cut extends Error {}

/** `database` is the node's own way there; what `onError` hears of is a database that did not answer, or a bug. */
export async function startNode(
  name: string,
  process: Process,
  database: Database,
  model: ChatModel,
  onError: (error: unknown) => void
): Promise<Node> {
  const { promise: died, reject } = Promise.withResolvers<never>()
  died.catch(() => {})
  const build = async () => {
    const id = uuidv7()
    const hub = createTurnHub()
    const bus = await openBus(database)
    const models = { chat: model, chatModel: () => model, inPlaceOf: () => model }
    const hiding: Pick<Hiding, 'messages' | 'hidesLog'> = {
      messages: async (_tx, _ownerId, said) => said,
      hidesLog: async () => false
    }
    const finishing = {
      bus,
      queue: { async enqueue() {}, async work() {}, async check() {}, async close() {} },
      async indexMessages() {},
      findsTitles: false
    }
    const runTurn = createRunTurn({
      ...finishing,
      database,
      payFor: (_account, work) => work(),
      hub,
      storeEvents: createLogWriter({ database, bus, runnerId: id }),
      models,
      recall: async () => [],
      noteFirstToken() {},
      hiding,
      findCarried: async () => undefined,
      now: () => new Date(),
      onError
    })
    const runner = createRunner({ database, id, runTurn, onError })
    bus.hear('turn-log', (message) => readGrownLogs(message, id).forEach(hub.wake))
    bus.hear('turn-stop', runner.stop)
    bus.onReconnect(hub.wakeAll)
    const interruptAbandoned = createInterruptAbandoned({ ...finishing, database, noteLost: async () => {} })
    setInterval(() => interruptAbandoned(false).catch(onError), SWEEP_MS)
    return {
      startTurn: createStartTurn({
        database,
        runner,
        hiding,
        readCarried: async () => undefined,
        recallFor: async () => [],
        giveWay: { begin: () => () => {} },
        models
      }),
      watchTurn: createWatchTurn({ database, hub, hiding }),
      stopTurn: createStopTurn({ database, bus, runner })
    }
  }
  const parts = await as(process, build)
  return Object.assign(process, parts, {
    name,
    died,
    die() {
      process.dead = true
      reject(new Cut(`${name} died`))
    }
  })
}
