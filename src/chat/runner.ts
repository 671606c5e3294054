import { setImmediate as nextLoop } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../db/client.ts'
import type { AbortReason, AcceptedTurn, createRunTurn } from './run-turn.ts'
import { renewLease } from './turn-store.ts'

const HEARTBEAT_MS = 5_000

export type Runner = ReturnType<typeof createRunner>

/** Runs the turns this process accepted, each under its lease, and can stop them. */
export function createRunner({
  database,
  runTurn,
  onError
}: {
  database: Database
  runTurn: ReturnType<typeof createRunTurn>
  onError: (error: unknown) => void
}) {
  let closing = false
  const running = new Map<string, { abort: (reason: AbortReason) => void; done: Promise<void> }>()

  return {
    /** This process, as turns know it. */
    id: uuidv7(),

    run(turn: AcceptedTurn): void {
      const controller = new AbortController()
      const abort = (reason: AbortReason) => controller.abort(reason)
      const heartbeat = setInterval(() => {
        keepLease(turn, abort).catch(onError)
      }, HEARTBEAT_MS)
      // It is stored and will be answered for: cut off like the others, so that the owner can go on from there.
      if (closing) abort('interrupted')
      // Whoever waits for the acceptance gets the answer first.
      const work = nextLoop().then(() => runTurn(turn, controller.signal))
      const done = work.finally(() => {
        clearInterval(heartbeat)
        running.delete(turn.id)
      })
      running.set(turn.id, { abort, done })
    },

    /** Stops a turn if it runs here; answers whether it does. */
    stop(turnId: string): boolean {
      const turn = running.get(turnId)
      turn?.abort('stopped')
      return turn !== undefined
    },

    get active(): number {
      return running.size
    },

    /** Lets turns end by themselves for `graceMs`, then cuts them off, and waits until all are saved. */
    async close(graceMs: number): Promise<void> {
      const all = () => Promise.all([...running.values()].map(({ done }) => done))
      let timer: NodeJS.Timeout | undefined
      await Promise.race([
        all(),
        new Promise((resolve) => {
          timer = setTimeout(resolve, graceMs)
        })
      ])
      clearTimeout(timer)
      closing = true
      for (const { abort } of running.values()) abort('interrupted')
      await all()
    }
  }

  async function keepLease(turn: AcceptedTurn, abort: (reason: AbortReason) => void): Promise<void> {
    const { ownerId, id, runnerId } = turn
    const lease = await database.inOwner(ownerId, (tx) => renewLease(tx, ownerId, id, runnerId))
    if (lease.stopRequested) abort('stopped')
    else if (!lease.held) abort('interrupted')
  }
}
