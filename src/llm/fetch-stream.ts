import http from 'node:http'
import https from 'node:https'
import { pipeline, Readable } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { fetchWithinLimits, limit } from './limit-body.ts'

const bodies = new WeakMap<Response, Readable>()

/** Flushed at every piece: the rest of a word may be long in coming. */
const AT_ONCE = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH }
/** None is asked for; a proxy between may not care. */
const DECODERS: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: () => createGunzip(AT_ONCE),
  deflate: () => createInflate(AT_ONCE),
  br: () => createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH })
}

/** So often a call is sent on. */
const MAX_REDIRECTS = 5
/** Statuses that ask for the same call elsewhere. Others ask for another one, whose answer is none. */
const SENT_ON = new Set([307, 308])
/** What is for one server alone. */
const SECRET = ['authorization', 'cookie', 'proxy-authorization']

/**
 * fetch for an answer that is read while it is written. Its body is `bodyOf` it: reading a token off a web stream costs three
 * times what it costs off Node's own.
 */
export function fetchStream(
  url: string | URL | Request,
  init: RequestInit = {},
  redirects = MAX_REDIRECTS
): Promise<Response> {
  if (url instanceof Request || typeof init.body !== 'string') return fetchWithinLimits(url, init)
  const { method = 'GET', body, signal = null } = init
  return new Promise((resolve, reject) => {
    const { request } = new URL(url).protocol === 'https:' ? https : http
    const headers = Object.fromEntries(new Headers(init.headers))
    const call = request(url, { method, headers, ...(signal && { signal }) })
    // Once there is an answer, it fails with the call.
    call.on('error', reject)
    call.on('response', (answer) => {
      try {
        const elsewhere = redirects > 0 ? findElsewhere(answer, url) : null
        if (elsewhere) answer.resume()
        resolve(
          elsewhere ? fetchStream(elsewhere, toInit(init, url, elsewhere), redirects - 1) : toResponse(answer)
        )
      } catch (error) {
        answer.destroy()
        reject(error)
      }
    })
    call.end(body)
  })
}

/** The body of a response of `fetchStream`, or of any other. */
export function bodyOf(response: Response): Readable {
  const { body } = response
  return bodies.get(response) ?? (body ? Readable.fromWeb(body as never) : Readable.from([]))
}

function findElsewhere({ headers, statusCode = 0 }: http.IncomingMessage, from: string | URL): URL | null {
  const { location } = headers
  if (!location || !SENT_ON.has(statusCode)) return null
  const to = new URL(location, from)
  return /^https?:$/.test(to.protocol) ? to : null
}

/** As fetch does it: another server is not told the key. */
function toInit(init: RequestInit, from: string | URL, to: URL): RequestInit {
  if (to.origin === new URL(from).origin) return init
  const headers = new Headers(init.headers)
  for (const name of SECRET) headers.delete(name)
  return { ...init, headers }
}

function toResponse(answer: http.IncomingMessage): Response {
  const { statusCode: status = 500, headers } = answer
  const head = { status, headers: toHeaders(answer.rawHeaders) }
  const decode = DECODERS[headers['content-encoding'] ?? '']
  const body = decode ? (pipeline(answer, decode(), () => {}) as unknown as Readable) : answer
  if (status >= 300)
    return new Response((Readable.toWeb(body) as ReadableStream<Uint8Array>).pipeThrough(limit()), head)
  // Whoever reads it finds that it has failed; nobody may read it yet.
  body.on('error', () => {})
  const response = new Response(null, head)
  bodies.set(response, body)
  return response
}

function toHeaders(raw: string[]): Headers {
  const headers = new Headers()
  for (let place = 0; place < raw.length; place += 2) headers.append(raw[place] ?? '', raw[place + 1] ?? '')
  return headers
}
