import type { FastifyReply } from 'fastify'

/**
 * A signal that aborts when the caller hangs up before the answer is sent. `request.signal` will not do: in a POST it
 * aborts as soon as the body has been read.
 */
export function abortedWhenGone({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
