import type { ReadTurn } from './read-turn.ts'
import type { Turn } from './schemas.ts'
import type { StartedTurn } from './start-turn.ts'
import type { WatchTurn } from './watch-turn.ts'

export type ReadSettled = ReturnType<typeof createReadSettled>

/** The finished turn, for a caller that does not stream; whoever leaves before stops waiting, not the turn. */
export function createReadSettled({ readTurn, watchTurn }: { readTurn: ReadTurn; watchTurn: WatchTurn }) {
  return async function readSettled(
    ownerId: string,
    { turnId, events }: StartedTurn,
    signal: AbortSignal
  ): Promise<Turn> {
    if (events.length === 0) {
      // Stored by an earlier request: it may have ended, and its log may be gone already.
      const turn = await readTurn(ownerId, turnId)
      if (turn.status !== 'queued' && turn.status !== 'running') return turn
    }
    for await (const some of await watchTurn(ownerId, turnId, 0, signal, events)) {
      if (some.at(-1)?.type === 'done') break
    }
    return readTurn(ownerId, turnId)
  }
}
