import createError from '@fastify/error'
import { normalizeIP, type RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

export const RateLimited = createError<[string]>(
  'PAI_RATE_LIMITED',
  'Too many requests: try again in %s',
  429
)

/**
 * So many requests a minute for each owner, or each address where nobody is signed in. `store` counts them for all processes
 * together; null: this one is alone.
 */
export function rateLimitOptions(
  max: number,
  store: RateLimitPluginOptions['store'] | null = null
): RateLimitPluginOptions {
  return {
    max,
    ...(store && { store }),
    timeWindow: 60_000,
    // After sign-in, so that an owner is counted and not the address a whole team may share; before the body is read, so
    // that one that cannot be parsed counts too.
    hook: 'preParsing',
    // One customer of a provider has all addresses of an IPv6 network.
    keyGenerator: (request: FastifyRequest) => request.user?.id ?? normalizeIP(request.ip),
    enableDraftSpec: true,
    errorResponseBuilder: (_request, { after }) => new RateLimited(after)
  }
}
