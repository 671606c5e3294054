import type { Database } from '../db/client.ts'
import { findSignIn } from '../db/system.ts'
import type { AccessTokens } from './access-tokens.ts'
import { CredentialsWrong } from './errors.ts'
import type { Passwords } from './passwords.ts'
import { normalizeEmail } from './register.ts'
import type { LoginBody } from './schemas.ts'
import { removeEndedSessions } from './session-store.ts'
import { type OpenedSession, openSession } from './sessions.ts'
import { findAccount, replacePasswordHash } from './store.ts'

interface Dependencies {
  database: Database
  passwords: Passwords
  accessTokens: AccessTokens
}

export type SignIn = (body: LoginBody) => Promise<OpenedSession>

export function createSignIn({ database, passwords, accessTokens }: Dependencies): SignIn {
  return async function signIn({ email, password }) {
    const known = await database.inSystem((tx) => findSignIn(tx, normalizeEmail(email)))
    // An unknown user's password is checked too, so that the time an answer takes tells nothing.
    const fits = await passwords.verify(known?.passwordHash, password)
    if (!known || !fits) throw new CredentialsWrong()
    const stronger = passwords.isOutdated(known.passwordHash) ? await passwords.hash(password) : null
    return database.inOwner(known.id, async (tx) => {
      const user = await findAccount(tx, known.id)
      if (!user) throw new CredentialsWrong()
      if (stronger) await replacePasswordHash(tx, known.id, known.passwordHash, stronger)
      await removeEndedSessions(tx, known.id)
      return openSession(tx, user, accessTokens)
    })
  }
}
