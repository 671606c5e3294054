import type { Bus } from '../db/bus.ts'
import type { Database } from '../db/client.ts'
import type { Runner } from './runner.ts'
import { loadTurn, requestStop } from './turn-store.ts'

export type StopTurn = ReturnType<typeof createStopTurn>

/** Stops a turn, wherever it runs; the words so far are kept. A turn that has ended is left as it is. */
export function createStopTurn({ database, bus, runner }: { database: Database; bus: Bus; runner: Runner }) {
  return async function stopTurn(ownerId: string, turnId: string): Promise<void> {
    await database.inOwner(ownerId, async (tx) => {
      await loadTurn(tx, ownerId, turnId)
      await requestStop(tx, ownerId, turnId)
      await bus.tell(tx, 'turn-stop', turnId)
    })
    // Elsewhere the runner hears of it, and reads the request at its next heartbeat at the latest.
    runner.stop(turnId)
  }
}
