import { EventEmitter } from 'node:events'
import type { Bus } from '../db/bus.ts'
import type { Database, Tx } from '../db/client.ts'
import { listRevokedSessions } from '../db/system.ts'
import { ACCESS_TOKEN_LIFETIME, type AccessClaims } from './access-tokens.ts'
import type { SignedIn } from './authenticate.ts'
import { createMissedEndings } from './missed-endings.ts'

/** No access token is taken for longer than this after its session ended: its lifetime, and clocks that disagree. Seconds. */
const REMEMBERED = ACCESS_TOKEN_LIFETIME + 60

/** By the clock, which an operator may set, and by what has really passed, in milliseconds. */
interface Moment {
  clock: number
  passed: number
}

/**
 * Which sessions, API keys and accounts have ended while their credentials could still be used. An access token is checked
 * without asking the database, so every process keeps these in mind.
 */
export interface Revocations {
  /** Whether the session of these credentials, or the account, has ended. */
  has(credentials: Pick<SignedIn, 'id' | 'sessionId'>): boolean
  /** Whether an access token is good though something may have been missed when it was issued: mostly nobody is asked. */
  isLive(claims: AccessClaims): Promise<boolean>
  /** Tells every process, with the commit of `tx`, that a session, a key or an account has ended. */
  announce(tx: Tx, id: string): Promise<void>
  /** The same for this process, at once: for whoever has just committed it. */
  note(id: string): void
  /** Calls back when the credentials end, soon where they ended after they were read; answers how to stop waiting. */
  onEnd(credentials: Pick<SignedIn, 'id' | 'sessionId' | 'apiKeyId'>, ended: () => void): () => void
}

export async function createRevocations(database: Database, bus: Bus): Promise<Revocations> {
  const endedAt = new Map<string, Moment>()
  const emitter = new EventEmitter().setMaxListeners(0)

  function note(id: string): void {
    const now = { clock: Date.now(), passed: performance.now() }
    // In the order of their time, so the old ones come first.
    for (const [old, at] of endedAt) {
      // A clock that is set ahead makes a token expire, and set back makes it good again.
      const age = Math.min(now.clock - at.clock, now.passed - at.passed)
      if (age < REMEMBERED * 1_000) break
      endedAt.delete(old)
    }
    if (!endedAt.has(id)) endedAt.set(id, now)
    emitter.emit(id)
  }

  const missed = createMissedEndings(database, note)

  async function catchUp(): Promise<void> {
    missed.hearAgain()
    const ids = await database.inSystem((tx) => listRevokedSessions(tx, REMEMBERED))
    for (const id of ids) note(id)
  }

  bus.hear('signed-out', note)
  // A connection that breaks again before the answer comes is followed by another reconnection.
  bus.onReconnect(() => void catchUp().catch(() => {}))
  await catchUp()

  return {
    has: ({ id, sessionId }) => (sessionId !== null && endedAt.has(sessionId)) || endedAt.has(id),
    announce: (tx, id) => bus.tell(tx, 'signed-out', id),
    note,
    isLive: missed.isLive,
    onEnd(credentials, ended) {
      const { id, sessionId, apiKeyId } = credentials
      const letGo = missed.hold(credentials)
      const ids = [id, sessionId, apiKeyId].filter((one) => one !== null)
      for (const one of ids) emitter.on(one, ended)
      let isWaiting = true
      // Not within this call: whoever asks has nothing yet that could be ended.
      if (ids.some((one) => endedAt.has(one))) queueMicrotask(() => isWaiting && ended())
      return () => {
        isWaiting = false
        letGo()
        for (const one of ids) emitter.off(one, ended)
      }
    }
  }
}
