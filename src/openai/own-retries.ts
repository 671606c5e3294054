import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** How often OpenAI's own clients have tried before; they say it from the first try on, and send no key of their own accord. */
const RETRY_COUNT = 'x-stainless-retry-count'

/** What makes one request of several tries: a key, and where the client did not bring it, whether this is another try. */
export interface Tries {
  key: string | undefined
  isRetry?: boolean
}

/**
 * Tells the tries of one request from requests that are alike. OpenAI's clients send again by themselves what a connection broke
 * off, and in a conversation that PAI keeps each would be a message more: what they ask, with which API key and where, is their key.
 */
export function readTries(headers: IncomingHttpHeaders, ...asked: unknown[]): Tries {
  const key = headers['idempotency-key'] as string | undefined
  const count = headers[RETRY_COUNT]
  if (key !== undefined || typeof count !== 'string' || !/^\d+$/.test(count)) return { key }
  const hash = createHash('sha256').update(JSON.stringify(asked)).digest('base64url')
  return { key: `tries of ${hash}`, isRetry: Number(count) > 0 }
}
