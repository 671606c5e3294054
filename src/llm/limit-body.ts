/** No answer of a model comes near; a compressed one may hide any size behind a few bytes. */
const MAX_BODY_BYTES = 32 * 2 ** 20
const MAX_LINE_BYTES = 4 * 2 ** 20
const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/** fetch, whose bodies break off when they grow past all reason: an event stream by the line, any other as a whole. */
export async function fetchWithinLimits(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (!response.body) return response
  const streams = response.headers.get('content-type')?.includes('event-stream')
  const limited = response.body.pipeThrough(streams ? limitLines() : limitWhole())
  return new Response(limited, response)
}

function limitWhole(): TransformStream<Uint8Array, Uint8Array> {
  let size = 0
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) throw new BodyTooLarge()
      controller.enqueue(chunk)
    }
  })
}

function limitLines(): TransformStream<Uint8Array, Uint8Array> {
  let size = 0
  return new TransformStream({
    transform(chunk, controller) {
      const end = Math.max(chunk.lastIndexOf(LINE_FEED), chunk.lastIndexOf(CARRIAGE_RETURN))
      size = end === -1 ? size + chunk.length : chunk.length - end
      if (size > MAX_LINE_BYTES) throw new BodyTooLarge()
      controller.enqueue(chunk)
    }
  })
}

class BodyTooLarge extends Error {
  override name = 'BodyTooLarge'
  readonly code = 'BODY_TOO_LARGE'
}
