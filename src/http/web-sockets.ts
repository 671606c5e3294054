import fastifyWebsocket from '@fastify/websocket'
import fp from 'fastify-plugin'

/** As long as the longest JSON body over HTTP. */
const MAX_MESSAGE_BYTES = 1_048_576
/** WebSocket's own code for a side that goes away. */
const GOING_AWAY = 1001
/** A client that does not answer the good-bye is not waited for. */
const GOODBYE_MS = 1_000

/** WebSockets for the routes that are made for them; an upgrade anywhere else is answered as the plain request it is. */
export const webSockets = fp(async (app) => {
  app.register(fastifyWebsocket, {
    options: { maxPayload: MAX_MESSAGE_BYTES },
    // Broken off in the middle: the client comes again and resumes.
    errorHandler: (_error, socket) => socket.terminate(),
    preClose(done) {
      const { clients } = this.websocketServer
      for (const socket of clients) socket.close(GOING_AWAY, 'the service stops')
      setTimeout(() => {
        for (const socket of clients) socket.terminate()
      }, GOODBYE_MS).unref()
      done()
    }
  })
})
