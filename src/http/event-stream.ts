import { once } from 'node:events'
import type { FastifyReply } from 'fastify'

const HEARTBEAT_MS = 15_000
/** A reader that takes nothing for this long is cut off; it can resume from the last event it has. */
const STALLED_MS = 60_000

/** Events that come together are written together, up to so many characters: a reader who takes nothing has no more waiting. */
const MAX_FRAME = 65_536

interface SentEvent {
  id: number
  type: string
  data: unknown
}

/** Sends events as they come, each with its number as the SSE id, until they end or the reader leaves. */
export function sendEvents(
  reply: FastifyReply,
  events: AsyncIterable<SentEvent[]>,
  watcher: AbortController
): Promise<void> {
  return sendFrames(
    reply,
    gather(events, ({ id, type, data }) => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`),
    watcher
  )
}

/** Makes frames of what comes together. */
export async function* gather<T>(
  pieces: AsyncIterable<T[]>,
  toFrame: (one: T) => string
): AsyncGenerator<string> {
  for await (const piece of pieces) {
    let frames = ''
    for (const one of piece) {
      frames += toFrame(one)
      if (frames.length < MAX_FRAME) continue
      yield frames
      frames = ''
    }
    if (frames) yield frames
  }
}

/**
 * Sends pieces of an event stream, each whole, until they end or the reader leaves: however an API words its events, this is
 * how they go out. The caller's `signal` source is `watcher`: aborted when the reader is gone.
 */
export async function sendFrames(
  reply: FastifyReply,
  frames: AsyncIterable<string>,
  watcher: AbortController
): Promise<void> {
  reply.hijack()
  const { raw } = reply
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value)
  }
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx would otherwise gather the events into pages.
    'x-accel-buffering': 'no'
  })
  raw.flushHeaders()
  raw.once('close', () => watcher.abort())
  raw.on('error', () => watcher.abort())
  const heartbeat = setInterval(() => raw.write(': still here\n\n'), HEARTBEAT_MS)
  try {
    for await (const frame of frames) {
      if (watcher.signal.aborted) break
      if (!raw.write(frame)) await drained(raw, watcher)
    }
  } catch (error) {
    // The status is sent: the reader sees the stream end without `done`, and resumes.
    if (!watcher.signal.aborted) reply.log.error({ err: error }, 'sending events')
  } finally {
    clearInterval(heartbeat)
    raw.end()
    cutOffUnlessTaken(raw)
  }
}

/** The last of it waits for its reader as well, and no longer than the rest. */
function cutOffUnlessTaken(raw: FastifyReply['raw']): void {
  if (raw.destroyed || raw.writableFinished) return
  const stalled = setTimeout(() => raw.destroy(), STALLED_MS)
  for (const over of ['finish', 'close']) raw.once(over, () => clearTimeout(stalled))
}

/** Waits until the reader takes more, or has left; one that takes nothing for too long is cut off. */
async function drained(raw: FastifyReply['raw'], watcher: AbortController): Promise<void> {
  const stalled = setTimeout(() => {
    raw.destroy()
    watcher.abort()
  }, STALLED_MS)
  await once(raw, 'drain', { signal: watcher.signal }).catch(() => {})
  clearTimeout(stalled)
}
