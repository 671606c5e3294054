import type { Bus } from '../db/bus.ts'
import type { Database } from '../db/client.ts'
import { hasAccounts } from '../db/system.ts'
import { createAccessTokens } from './access-tokens.ts'
import { type ApiKeys, createApiKeys } from './api-keys.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'
import { createInvitations, type Invitations } from './invitations.ts'
import { createPasswords } from './passwords.ts'
import { createProfiles, type Profiles } from './profile.ts'
import { createRefresh, type Refresh } from './refresh.ts'
import { createRegister, type Register, type RegistrationRules } from './register.ts'
import { createRevocations, type Revocations } from './revocations.ts'
import { deriveKey } from './secrets.ts'
import { createSignIn, type SignIn } from './sign-in.ts'
import { createSignOut, type SignOut } from './sign-out.ts'

export interface AccountSettings extends RegistrationRules {
  database: Database
  bus: Bus
  /** What all keys are derived from. Another one signs everybody out within minutes. */
  secret: string
}

export interface Accounts {
  authenticate: Authenticate
  /** Calls back when credentials are good no more; answers how to stop waiting. */
  onSignedOut: Revocations['onEnd']
  register: Register
  signIn: SignIn
  refresh: Refresh
  signOut: SignOut
  /** Whether anybody has an account here. */
  hasAccounts: () => Promise<boolean>
  profiles: Profiles
  apiKeys: ApiKeys
  invitations: Invitations
}

export async function createAccounts({
  database,
  bus,
  secret,
  ...rules
}: AccountSettings): Promise<Accounts> {
  const revocations = await createRevocations(database, bus)
  const accessTokens = await createAccessTokens(secret)
  const passwords = createPasswords()
  const replayKey = deriveKey(secret, 'replayed-secret')
  return {
    authenticate: createAuthenticate({ database, revocations, verifyAccessToken: accessTokens.verify }),
    onSignedOut: revocations.onEnd,
    register: createRegister({ database, passwords, accessTokens, ...rules }),
    signIn: createSignIn({ database, passwords, accessTokens }),
    refresh: createRefresh({
      database,
      revocations,
      accessTokens,
      successorKey: deriveKey(secret, 'refresh-token')
    }),
    signOut: createSignOut({ database, revocations }),
    hasAccounts: () => database.inSystem(hasAccounts),
    profiles: createProfiles({ database, bus, revocations, passwords }),
    apiKeys: createApiKeys({ database, revocations, replayKey }),
    invitations: createInvitations({ database, replayKey })
  }
}
