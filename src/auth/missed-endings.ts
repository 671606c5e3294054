import type { Database } from '../db/client.ts'
import type { AccessClaims } from './access-tokens.ts'
import type { SignedIn } from './authenticate.ts'
import { isLiveSession } from './session-store.ts'
import { findEnded } from './store.ts'

/** Seconds that the clocks of two nodes may disagree by. */
const CLOCK_TOLERANCE = 30
/** A look that failed is taken again after this long, so many times. The next reconnection looks in any case. */
const AGAIN_MS = 1_000
const TRIES = 30
const MAX_CONFIRMED = 100_000

export type Held = Pick<SignedIn, 'id' | 'sessionId' | 'apiKeyId'>

/**
 * What ended while nobody could be told of it: a key or an account leaves no row behind that could be listed. So whoever is
 * at hand is looked up, those who wait at once, and an access token when it comes.
 */
export function createMissedEndings(database: Pick<Database, 'readInOwner'>, note: (id: string) => void) {
  const held = new Set<Held>()
  /** Everything that ended since then was heard of. In seconds. */
  let hearingSince = 0
  let confirmed = new Set<string>()
  let again: NodeJS.Timeout | undefined

  async function lookUpHeld(): Promise<void> {
    for (const [ownerId, theirs] of Map.groupBy(held, ({ id }) => id)) {
      const ids = theirs.flatMap(({ sessionId, apiKeyId }) => sessionId ?? apiKeyId ?? [])
      const ended = await database.readInOwner(ownerId, (tx) => findEnded(tx, ownerId, ids))
      for (const id of ended) note(id)
    }
  }

  function lookUntilSeen(tries: number): void {
    lookUpHeld().catch(() => {
      // A connection that comes and goes begins anew each time: one look at a time is to come.
      clearTimeout(again)
      if (tries > 1) again = setTimeout(lookUntilSeen, AGAIN_MS, tries - 1).unref()
    })
  }

  return {
    /** From now on everything is heard again; before, something may have been missed. */
    hearAgain(): void {
      hearingSince = Date.now() / 1_000
      confirmed = new Set()
      lookUntilSeen(TRIES)
    },
    /** Looks these credentials up whenever something may have been missed; answers how to let go of them. */
    hold(credentials: Held): () => void {
      // The same credentials may be held many times.
      const one = { ...credentials }
      held.add(one)
      return () => void held.delete(one)
    },
    /** Whether an access token that was issued before everything was heard of is still good: asked once for its session. */
    async isLive({ ownerId, sessionId, issuedAt }: AccessClaims): Promise<boolean> {
      if (issuedAt > hearingSince + CLOCK_TOLERANCE || confirmed.has(sessionId)) return true
      const askedOf = confirmed
      const isLive = await database.readInOwner(ownerId, (tx) => isLiveSession(tx, ownerId, sessionId))
      if (!isLive) note(sessionId)
      else if (askedOf.size < MAX_CONFIRMED) askedOf.add(sessionId)
      return isLive
    }
  }
}
