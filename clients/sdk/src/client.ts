import createClient, { type Client } from 'openapi-fetch'
import { networkError, problemOf } from './errors.ts'
import type { paths } from './schema.gen.ts'

export type PaiClient = Client<paths>

export interface PaiClientOptions {
  /** Where PAI answers, without a trailing slash. Empty in a page that PAI itself serves. */
  baseUrl?: string
  fetch?: (request: Request) => Promise<Response>
  headers?: Record<string, string>
}

/** A typed client of every call. A call that does not succeed throws a `PaiError`; see `unwrap`. */
export function createPaiClient(options: PaiClientOptions = {}): PaiClient {
  const client = createClient<paths>(options)
  client.use({
    async onResponse({ response }) {
      if (!response.ok) throw await problemOf(response)
    },
    onError({ request, error }) {
      // A caller who aborts expects an AbortError, not a broken network.
      if (!request.signal.aborted) return networkError(error)
    }
  })
  return client
}

/** The answer of a call, typed: `const me = await unwrap(client.GET('/v1/me'))`. */
export async function unwrap<T>(call: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data } = await call
  // Sound because failures have thrown by now; an answer without a body (204) is typed `undefined`.
  return data as T
}
