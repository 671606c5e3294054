/** No answer of a model comes near; a compressed one may hide any size behind a few bytes. */
const MAX_BODY_BYTES = 32 * 2 ** 20

/** fetch, whose bodies break off when they grow past all reason. Event streams are limited by whoever reads their events. */
export async function fetchWithinLimits(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (!response.body || response.headers.get('content-type')?.includes('event-stream')) return response
  return new Response(response.body.pipeThrough(limit()), response)
}

/** Lets so much through and no more. */
export function limit(): TransformStream<Uint8Array, Uint8Array> {
  let size = 0
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) throw new BodyTooLarge()
      controller.enqueue(chunk)
    }
  })
}

class BodyTooLarge extends Error {
  override name = 'BodyTooLarge'
  readonly code = 'BODY_TOO_LARGE'
}
