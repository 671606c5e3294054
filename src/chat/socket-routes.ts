import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { SignedIn } from '../auth/authenticate.ts'
import { toProblem } from '../http/error-handler.ts'
import { RateLimited } from '../http/rate-limit.ts'
import { refuseUnstorableText } from '../http/text.ts'
import { type SocketServices, serveSocket } from './serve-socket.ts'

const MINUTE_MS = 60_000

export interface SocketRoutesOptions
  extends Pick<SocketServices, 'startTurn' | 'watchTurn' | 'stopTurn' | 'authenticate' | 'onSignedOut'> {
  /** Messages a minute for one owner; null: without limit. */
  rateLimit: number | null
  requireScope: (request: { user: SignedIn }) => Promise<void>
}

/** `/v1/ws`: turns over a WebSocket. Nobody is signed in by the address, which ends up in logs: the first message does it. */
export const socketRoutes: FastifyPluginAsync<SocketRoutesOptions> = async (app, options) => {
  const { rateLimit, requireScope, ...services } = options
  const limit =
    rateLimit === null
      ? null
      : app.createRateLimit({
          max: rateLimit,
          timeWindow: MINUTE_MS,
          keyGenerator: (request: FastifyRequest) => `socket ${request.user.id}`
        })

  app.get('/ws', { websocket: true }, (socket, request) => {
    serveSocket(socket, {
      ...services,
      refuseUnstorableText,
      async allow(user) {
        await requireScope({ user })
        if (!limit) return
        request.user = user
        const state = await limit(request)
        if (!state.isAllowed && state.isExceeded) throw new RateLimited(`${state.ttlInSeconds} seconds`)
      },
      toProblem(error) {
        const problem = { ...toProblem(error), requestId: request.id }
        if (problem.status >= 500) request.log.error({ err: error }, 'answering over a socket')
        return problem
      }
    })
  })
}
