import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Id } from '../http/schemas.ts'
import { TokenExpired, TokenInvalid } from './errors.ts'
import { type Account, Role } from './schemas.ts'
import { deriveKey } from './secrets.ts'

/** Seconds. */
export const ACCESS_TOKEN_LIFETIME = 15 * 60
/** Nodes may disagree this much about the time. */
const CLOCK_TOLERANCE_MS = 30_000
/** A client sends the same token for minutes: so many are read once and not again until they expire. */
const MAX_VERIFIED = 1_000

const Claims = Type.Object({
  sub: Id,
  sid: Id,
  role: Role,
  type: Type.Literal('access'),
  iat: Type.Integer(),
  exp: Type.Integer()
})
type Claims = Static<typeof Claims>

export interface AccessClaims {
  ownerId: string
  sessionId: string
  role: Role
  /** In seconds, by the clock of the node that issued it. */
  issuedAt: number
}

export interface AccessTokens {
  issue(user: Account, sessionId: string): string
  /** Throws TokenExpired or TokenInvalid; asks nobody. */
  verify(token: string): AccessClaims
}

export async function createAccessTokens(secret: string): Promise<AccessTokens> {
  // The services exist without an app (in a worker, in a test), so the plugin lives on an instance of its own.
  const host = Fastify()
  await host.register(fastifyJwt, {
    secret: deriveKey(secret, 'access-token'),
    sign: { algorithm: 'HS256', iss: 'pai', aud: 'pai', expiresIn: ACCESS_TOKEN_LIFETIME },
    verify: {
      algorithms: ['HS256'],
      allowedIss: 'pai',
      allowedAud: 'pai',
      requiredClaims: ['iss', 'aud', 'exp', 'iat'],
      clockTolerance: CLOCK_TOLERANCE_MS
    }
  })
  const { jwt } = host
  const claims = Compile(Claims)
  const verified = new Map<string, { claims: AccessClaims; expiresAt: number }>()
  // Our tokens all begin alike. One that says anything else of itself (alg, kid, jwk, jku, crit) is not ours to read.
  const header = jwt.sign({}).split('.', 1)[0]

  return {
    issue(user, sessionId) {
      return jwt.sign({ sub: user.id, sid: sessionId, role: user.role, type: 'access' } satisfies Omit<
        Claims,
        'iat' | 'exp'
      >)
    },
    verify(token) {
      // By the whole token: no two can be taken for each other.
      const known = verified.get(token)
      if (known && Date.now() < known.expiresAt) return known.claims
      if (!token.startsWith(`${header}.`)) throw new TokenInvalid()
      const payload = decode(token)
      if (!claims.Check(payload)) throw new TokenInvalid()
      const { sub: ownerId, sid: sessionId, role, iat: issuedAt } = payload
      const read = { ownerId, sessionId, role, issuedAt }
      if (verified.size === MAX_VERIFIED) verified.clear()
      verified.set(token, { claims: read, expiresAt: payload.exp * 1_000 })
      return read
    }
  }

  function decode(token: string): unknown {
    try {
      return jwt.verify(token)
    } catch (cause) {
      const expired = (cause as { code?: string }).code === 'FAST_JWT_EXPIRED'
      throw expired ? new TokenExpired({ cause }) : new TokenInvalid({ cause })
    }
  }
}
