import type { Tx } from '../db/client.ts'
import { ACCESS_TOKEN_LIFETIME, type AccessTokens } from './access-tokens.ts'
import type { SignedIn } from './authenticate.ts'
import { TokenInvalid } from './errors.ts'
import type { Account } from './schemas.ts'
import { hashSecret, randomSecret } from './secrets.ts'
import { createRefreshToken, createSession, isLiveSession } from './session-store.ts'

export const REFRESH_TOKEN_PREFIX = 'pair_'

/** What a client gets when it has signed in. */
export interface OpenedSession {
  user: Account
  accessToken: string
  refreshToken: string
  /** Seconds. */
  expiresIn: number
}

/** Opens a session for the account, inside its owner's transaction. */
export async function openSession(tx: Tx, user: Account, accessTokens: AccessTokens): Promise<OpenedSession> {
  const sessionId = await createSession(tx, user.id)
  const refreshToken = randomSecret(REFRESH_TOKEN_PREFIX)
  await createRefreshToken(tx, user.id, sessionId, hashSecret(refreshToken))
  return toOpenedSession(user, sessionId, refreshToken, accessTokens)
}

export function toOpenedSession(
  user: Account,
  sessionId: string,
  refreshToken: string,
  accessTokens: AccessTokens
): OpenedSession {
  const accessToken = accessTokens.issue(user, sessionId)
  return { user, accessToken, refreshToken, expiresIn: ACCESS_TOKEN_LIFETIME }
}

/**
 * Refuses an access token whose session has ended. Such a token lives on for some minutes, which must not be enough to
 * make a key or an invitation that lasts.
 */
export async function assertLiveSession(tx: Tx, { id, sessionId }: SignedIn): Promise<void> {
  if (sessionId && !(await isLiveSession(tx, id, sessionId))) throw new TokenInvalid()
}
