import { setImmediate as nextLoop } from 'node:timers/promises'
import type { Database } from '../db/client.ts'
import { renewLeases } from '../db/system.ts'
import type { AbortReason, AcceptedTurn, createRunTurn } from './run-turn.ts'

const HEARTBEAT_MS = 5_000

export type Runner = ReturnType<typeof createRunner>

/** Runs the turns this process accepted, each under its lease, and can stop them. */
export function createRunner({
  database,
  id,
  runTurn,
  onError
}: {
  database: Database
  /** This process, as turns know it. */
  id: string
  runTurn: ReturnType<typeof createRunTurn>
  onError: (error: unknown) => void
}) {
  let closing = false
  /** Turns that are being stored, or taken up: whoever does it runs them. */
  const claimed = new Set<string>()
  const running = new Map<string, { abort: (reason: AbortReason) => void; done: Promise<void> }>()
  const heartbeat = setInterval(() => {
    keepLeases().catch(onError)
  }, HEARTBEAT_MS).unref()

  return {
    id,

    run(turn: AcceptedTurn): void {
      const controller = new AbortController()
      const abort = (reason: AbortReason) => controller.abort(reason)
      // It is stored and will be answered for: cut off like the others, so that the owner can go on from there.
      if (closing) abort('interrupted')
      // Whoever waits for the acceptance gets the answer first.
      const work = nextLoop().then(() => runTurn(turn, controller.signal))
      const done = work.finally(() => {
        turn.onFirstWord()
        running.delete(turn.id)
      })
      running.set(turn.id, { abort, done })
    },

    /**
     * Keeps a turn that is about to be stored, or was and is to run, from being run by somebody else here as well; answers how to
     * let go of it. null: it runs, or somebody else has claimed it.
     */
    claim(turnId: string): (() => void) | null {
      if (running.has(turnId) || claimed.has(turnId)) return null
      claimed.add(turnId)
      return () => void claimed.delete(turnId)
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
      clearInterval(heartbeat)
    }
  }

  async function keepLeases(): Promise<void> {
    if (running.size === 0) return
    // One that begins while the answer is on its way is not in it.
    const kept = [...running]
    const turnIds = kept.map(([turnId]) => turnId)
    const leases = await renewLeases(database, id, turnIds)
    for (const [turnId, { abort }] of kept) {
      const lease = leases.get(turnId)
      if (!lease) abort('interrupted')
      else if (lease.stopRequested) abort('stopped')
    }
  }
}
