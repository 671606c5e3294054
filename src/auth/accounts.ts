import type { Database } from '../db/client.ts'
import { createAccessTokens } from './access-tokens.ts'
import { type ApiKeys, createApiKeys } from './api-keys.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'
import { createInvitations, type Invitations } from './invitations.ts'
import { createPasswords } from './passwords.ts'
import { createProfiles, type Profiles } from './profile.ts'
import { createRefresh, type Refresh } from './refresh.ts'
import { createRegister, type Register, type RegistrationRules } from './register.ts'
import { deriveKey } from './secrets.ts'
import { createSignIn, type SignIn } from './sign-in.ts'
import { createSignOut, type SignOut } from './sign-out.ts'

export interface AccountSettings extends RegistrationRules {
  database: Database
  /** What all keys are derived from. Another one signs everybody out within minutes. */
  secret: string
}

export interface Accounts {
  authenticate: Authenticate
  register: Register
  signIn: SignIn
  refresh: Refresh
  signOut: SignOut
  profiles: Profiles
  apiKeys: ApiKeys
  invitations: Invitations
}

export async function createAccounts({ database, secret, ...rules }: AccountSettings): Promise<Accounts> {
  const accessTokens = await createAccessTokens(secret)
  const passwords = createPasswords()
  const replayKey = deriveKey(secret, 'replayed-secret')
  return {
    authenticate: createAuthenticate({ database, verifyAccessToken: accessTokens.verify }),
    register: createRegister({ database, passwords, accessTokens, ...rules }),
    signIn: createSignIn({ database, passwords, accessTokens }),
    refresh: createRefresh({ database, accessTokens, successorKey: deriveKey(secret, 'refresh-token') }),
    signOut: createSignOut({ database }),
    profiles: createProfiles({ database, passwords }),
    apiKeys: createApiKeys({ database, replayKey }),
    invitations: createInvitations({ database, replayKey })
  }
}
