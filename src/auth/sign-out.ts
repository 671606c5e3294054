import type { Database } from '../db/client.ts'
import { findRefreshTokenOwner } from '../db/system.ts'
import type { Revocations } from './revocations.ts'
import { hashSecret } from './secrets.ts'
import { lockRefreshToken, revokeSession } from './session-store.ts'

export type SignOut = (refreshToken: string | undefined) => Promise<void>

/** Ends the session of a refresh token, spent or not. A token nobody knows has no session to end, and that is fine. */
export function createSignOut({
  database,
  revocations
}: {
  database: Database
  revocations: Revocations
}): SignOut {
  return async function signOut(refreshToken) {
    if (refreshToken === undefined) return
    const tokenHash = hashSecret(refreshToken)
    const ownerId = await database.inSystem((tx) => findRefreshTokenOwner(tx, tokenHash))
    if (!ownerId) return
    const ended = await database.inOwner(ownerId, async (tx) => {
      const token = await lockRefreshToken(tx, ownerId, tokenHash)
      if (!token) return null
      await revokeSession(tx, ownerId, token.sessionId)
      await revocations.announce(tx, token.sessionId)
      return token.sessionId
    })
    if (ended) revocations.note(ended)
  }
}
