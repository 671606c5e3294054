import type {} from '@fastify/rate-limit'
import type { FastifyContextConfig } from 'fastify'

/** A route's config where a password or a token can be guessed at: far fewer requests than elsewhere. */
export function limitGuesses(rateLimit: boolean): FastifyContextConfig {
  return { rateLimit: rateLimit ? { max: 20, timeWindow: '1 minute' } : false }
}
