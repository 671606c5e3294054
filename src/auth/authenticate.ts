import type { FastifyRequest } from 'fastify'
import type { Database } from '../db/client.ts'
import { findApiKey } from '../db/system.ts'
import type { AccessTokens } from './access-tokens.ts'
import { API_KEY_PREFIX } from './api-keys.ts'
import {
  AdministratorRequired,
  AuthRequired,
  ScopeMissing,
  SessionRequired,
  TokenExpired,
  TokenInvalid
} from './errors.ts'
import type { Revocations } from './revocations.ts'
import { ALL_SCOPES, type Role, type Scope } from './schemas.ts'
import { hashSecret, isSecret } from './secrets.ts'
import { touchApiKey } from './store.ts'

/** Who makes a request: the account, and by which credentials. Exactly one of sessionId and apiKeyId is set. */
export interface SignedIn {
  /** The owner id of everything the request may reach. */
  id: string
  role: Role
  sessionId: string | null
  apiKeyId: string | null
  scopes: readonly Scope[]
}

declare module '@fastify/jwt' {
  // The plugin declares `request.user`; this says what PAI puts there.
  interface FastifyJWT {
    user: SignedIn
  }
}

/** Whether an Authorization header brings an API key, which takes a look into the database to check. */
export function isApiKey(authorization: string | undefined): boolean {
  return authorization?.startsWith(API_KEY_PREFIX, 'Bearer '.length) ?? false
}

export type Authenticate = (authorization: string | undefined) => Promise<SignedIn>

interface Dependencies {
  database: Database
  revocations: Pick<Revocations, 'has' | 'isLive'>
  verifyAccessToken: AccessTokens['verify']
}

/** The one way in, for HTTP, event streams and tools alike: reads the Authorization header and nothing else. */
export function createAuthenticate({ database, revocations, verifyAccessToken }: Dependencies): Authenticate {
  const noteUse = createNoteUse(database)

  return async function authenticate(authorization) {
    const [scheme = '', token, ...rest] = authorization?.split(' ') ?? []
    if (scheme.toLowerCase() !== 'bearer') throw new AuthRequired()
    if (!token || rest.length > 0) throw new TokenInvalid()
    if (token.startsWith(API_KEY_PREFIX)) return authenticateKey(token)
    const claims = verifyAccessToken(token)
    const { ownerId, sessionId, role } = claims
    if (revocations.has({ id: ownerId, sessionId }) || !(await revocations.isLive(claims)))
      throw new TokenInvalid()
    return { id: ownerId, role, sessionId, apiKeyId: null, scopes: ALL_SCOPES }
  }

  async function authenticateKey(key: string): Promise<SignedIn> {
    if (!isSecret(API_KEY_PREFIX, key)) throw new TokenInvalid()
    const found = await database.inSystem((tx) => findApiKey(tx, hashSecret(key)))
    if (!found) throw new TokenInvalid()
    if (found.expiresAt && new Date(found.expiresAt) <= new Date()) throw new TokenExpired()
    noteUse(found.ownerId, found.id)
    return {
      id: found.ownerId,
      role: found.role,
      sessionId: null,
      apiKeyId: found.id,
      scopes: found.scopes as Scope[]
    }
  }
}

const NOTED_EVERY_MS = 60_000
const MAX_NOTED = 10_000

/** Notes that a key was used, at most once a minute for each. The request does not wait for it. */
function createNoteUse(database: Database): (ownerId: string, apiKeyId: string) => void {
  const notedAt = new Map<string, number>()
  return function noteUse(ownerId, apiKeyId) {
    const now = Date.now()
    if (now - (notedAt.get(apiKeyId) ?? Number.NEGATIVE_INFINITY) < NOTED_EVERY_MS) return
    if (notedAt.size === MAX_NOTED) notedAt.clear()
    notedAt.set(apiKeyId, now)
    // Failing costs a time in a list and must not fail the request; a later use notes it again.
    database.inOwner(ownerId, (tx) => touchApiKey(tx, ownerId, apiKeyId)).catch(() => {})
  }
}

type Guard = (request: Pick<FastifyRequest, 'user'>) => Promise<void>

/** A hook that lets a request pass only when its credentials have the scope. */
export function requireScope(scope: Scope): Guard {
  return async ({ user }) => {
    if (!user.scopes.includes(scope)) throw new ScopeMissing(scope)
  }
}

/** A hook for what a leaked key must not do: make more keys, remove the account. */
export const requireSession: Guard = async ({ user }) => {
  if (user.sessionId === null) throw new SessionRequired()
}

export const requireAdministrator: Guard = async ({ user }) => {
  if (user.role !== 'admin') throw new AdministratorRequired()
}
