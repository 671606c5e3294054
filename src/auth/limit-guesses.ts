import type {} from '@fastify/rate-limit'
import type { FastifyContextConfig } from 'fastify'

/**
 * A route's config where a password or a token can be guessed at: far fewer requests than elsewhere, and counted one by one by all
 * processes together, so that asking many of them at once gains nothing.
 */
export function limitGuesses(rateLimit: boolean): FastifyContextConfig {
  return { countsExactly: true, rateLimit: rateLimit ? { max: 20, timeWindow: '1 minute' } : false }
}
