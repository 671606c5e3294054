import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RateLimited } from '../http/rate-limit.ts'
import { type Authenticate, isApiKey, type SignedIn } from './authenticate.ts'

const TIME_WINDOW_MS = 60_000

export interface LimitedSignIn {
  authenticate(request: FastifyRequest, reply: FastifyReply): Promise<SignedIn>
  /** Counts a request that was refused after its credentials were read, as one without the scope is. */
  countRefusal(request: FastifyRequest): Promise<void>
}

/**
 * Signs requests in, and counts by address those that are refused, since the owners' own limit never sees them. Beyond
 * `max` a minute, API keys from there are not looked up any more, which would cost a transaction each; access tokens, which
 * cost none, still pass, so that people who share an address with a nuisance keep working. `max` null: without limit.
 */
export function limitRefusals(
  app: FastifyInstance,
  authenticate: Authenticate,
  max: number | null
): LimitedSignIn {
  if (max === null) {
    return {
      authenticate: ({ headers }) => authenticate(headers.authorization),
      async countRefusal() {}
    }
  }
  const settings = {
    max,
    timeWindow: TIME_WINDOW_MS,
    keyGenerator: (request: FastifyRequest) => `refused ${normalizeIP(request.ip)}`
  }
  let limit: ReturnType<FastifyInstance['createRateLimit']> | undefined
  /** Made when first asked for: the rate limit's plugin is loaded by then. */
  const look = (request: FastifyRequest, increment: boolean) => {
    limit ??= app.createRateLimit(settings)
    return limit(request, { increment })
  }

  /** How the address stands, as if it had made `more` refused requests more. */
  async function refuseBeyondLimit(request: FastifyRequest, reply: FastifyReply, more: 0 | 1): Promise<void> {
    const state = await look(request, more === 1)
    if (state.isAllowed) return
    const isOver = more === 1 ? state.isExceeded : state.remaining === 0
    if (!isOver) return
    reply.header('retry-after', state.ttlInSeconds)
    throw new RateLimited(`${state.ttlInSeconds} seconds`)
  }

  return {
    async authenticate(request, reply) {
      const { authorization } = request.headers
      if (isApiKey(authorization)) await refuseBeyondLimit(request, reply, 0)
      try {
        return await authenticate(authorization)
      } catch (error) {
        // A database that is away refuses nobody.
        if ((error as { statusCode?: number }).statusCode === 401) await refuseBeyondLimit(request, reply, 1)
        throw error
      }
    },
    async countRefusal(request) {
      await look(request, true)
    }
  }
}
