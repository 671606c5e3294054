import { timingSafeEqual } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Database, Tx } from '../db/client.ts'
import { findInvitation, hasAccounts } from '../db/system.ts'
import type { AccessTokens } from './access-tokens.ts'
import { InvitationInvalid, InvitationRequired, RegistrationClosed } from './errors.ts'
import type { Passwords } from './passwords.ts'
import type { RegisterBody, Role } from './schemas.ts'
import { hashSecret } from './secrets.ts'
import { type OpenedSession, openSession } from './sessions.ts'
import { actAs, createAccount, lockAccounts, spendInvitation } from './store.ts'

/** Who may register. */
export interface RegistrationRules {
  registration: 'open' | 'invite' | 'closed'
  /** Whether only this machine can reach the service: its first account then needs no token. */
  loopback: boolean
  /** What the first account of a service that others can reach must show; null: it cannot be made. */
  bootstrapToken: string | null
}

interface Dependencies extends RegistrationRules {
  database: Database
  passwords: Passwords
  accessTokens: AccessTokens
}

export type Register = (body: RegisterBody) => Promise<OpenedSession>

interface Admission {
  role: Role
  /** Spent when the account is made. */
  invitation: { ownerId: string; id: string } | null
}

export function createRegister(dependencies: Dependencies): Register {
  const { database, passwords, accessTokens } = dependencies

  return async function register({ email, password, name, invitation }) {
    // Asked before the password is hashed, so that being refused is cheap, and again where it counts.
    await database.inSystem((tx) => admit(tx, dependencies, invitation))
    const passwordHash = await passwords.hash(password)
    const id = uuidv7()
    const address = normalizeEmail(email)
    return database.inSystem(async (tx) => {
      await lockAccounts(tx)
      const admission = await admit(tx, dependencies, invitation)
      if (admission.invitation) {
        await actAs(tx, admission.invitation.ownerId)
        const { ownerId, id: invitationId } = admission.invitation
        if (!(await spendInvitation(tx, ownerId, invitationId))) throw new InvitationInvalid()
      }
      await actAs(tx, id)
      const user = await createAccount(tx, id, {
        email: address,
        name: name?.trim() ?? address.slice(0, address.indexOf('@')).slice(0, 100),
        role: admission.role,
        passwordHash
      })
      return openSession(tx, user, accessTokens)
    })
  }
}

/** What somebody may register as, or an error that says what is missing. */
async function admit(tx: Tx, rules: RegistrationRules, code: string | undefined): Promise<Admission> {
  if (!(await hasAccounts(tx))) {
    if (!rules.loopback) assertBootstrapToken(rules.bootstrapToken, code)
    return { role: 'admin', invitation: null }
  }
  if (rules.registration === 'open') return { role: 'member', invitation: null }
  if (rules.registration === 'closed') throw new RegistrationClosed()
  if (code === undefined) throw new InvitationRequired()
  const invitation = await findInvitation(tx, hashSecret(code))
  if (!invitation) throw new InvitationInvalid()
  return { role: 'member', invitation }
}

function assertBootstrapToken(expected: string | null, given: string | undefined): void {
  if (given === undefined) throw new InvitationRequired()
  // Hashes have one length, which the comparison needs, and tell nothing about how much of the token was right.
  if (expected === null || !timingSafeEqual(hashSecret(expected), hashSecret(given)))
    throw new InvitationInvalid()
}

/** One person has one account, however the address was typed. */
export function normalizeEmail(email: string): string {
  return email.trim().toLowerCase()
}
