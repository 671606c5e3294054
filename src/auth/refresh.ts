import type { Database, Tx } from '../db/client.ts'
import { findRefreshTokenOwner } from '../db/system.ts'
import type { AccessTokens } from './access-tokens.ts'
import { RefreshInvalid } from './errors.ts'
import type { Revocations } from './revocations.ts'
import { derivedSecret, hashSecret, isSecret } from './secrets.ts'
import {
  createRefreshToken,
  isUnspentRefreshToken,
  lockRefreshToken,
  type RefreshTokenState,
  removeExpiredRefreshTokens,
  revokeSession,
  spendRefreshToken
} from './session-store.ts'
import { type OpenedSession, REFRESH_TOKEN_PREFIX, toOpenedSession } from './sessions.ts'
import { findAccount } from './store.ts'

interface Dependencies {
  database: Database
  revocations: Revocations
  accessTokens: AccessTokens
  /** Derives each token's successor, so that every request with one token gets the same and none is stored. */
  successorKey: Buffer
}

export type Refresh = (refreshToken: string | undefined) => Promise<OpenedSession>

/**
 * Renews a session. Each refresh token is good for one use. Seeing a spent one again means that two parties have it, and
 * ends the session for both; except that the last spent one may come again for ten seconds, from a client that sent it
 * twice or lost the answer, and then gets the same answer.
 */
export function createRefresh({ database, revocations, accessTokens, successorKey }: Dependencies): Refresh {
  return async function refresh(refreshToken) {
    if (refreshToken === undefined || !isSecret(REFRESH_TOKEN_PREFIX, refreshToken))
      throw new RefreshInvalid()
    const ownerId = await database.inSystem((tx) => findRefreshTokenOwner(tx, hashSecret(refreshToken)))
    if (!ownerId) throw new RefreshInvalid()
    const successor = derivedSecret(REFRESH_TOKEN_PREFIX, successorKey, refreshToken)
    // Refused by an answer and not by an error, which would undo the revocation.
    const session = await database.inOwner(ownerId, async (tx) => {
      const token = await lockRefreshToken(tx, ownerId, hashSecret(refreshToken))
      if (!token?.isLive) return null
      if (!(await rotate(tx, ownerId, token, hashSecret(successor)))) {
        await revocations.announce(tx, token.sessionId)
        return null
      }
      const user = await findAccount(tx, ownerId)
      return user ? toOpenedSession(user, token.sessionId, successor, accessTokens) : null
    })
    if (!session) throw new RefreshInvalid()
    return session
  }
}

/** Answers false when the token was reused, and its session has therefore ended. */
async function rotate(tx: Tx, ownerId: string, token: RefreshTokenState, successorHash: Buffer) {
  if (!token.isSpent) {
    await spendRefreshToken(tx, ownerId, token.id)
    await createRefreshToken(tx, ownerId, token.sessionId, successorHash)
    await removeExpiredRefreshTokens(tx, ownerId)
    return true
  }
  if (token.isJustSpent && (await isUnspentRefreshToken(tx, ownerId, successorHash))) return true
  await revokeSession(tx, ownerId, token.sessionId)
  return false
}
