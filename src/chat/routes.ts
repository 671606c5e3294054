import { finished } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { SignedIn } from '../auth/authenticate.ts'
import { sendEvents } from '../http/event-stream.ts'
import { Id, IdempotencyHeaders, IdParams } from '../http/schemas.ts'
import { EventIdInvalid } from './errors.ts'
import type { LoggedEvent } from './events.ts'
import type { ReadSettled } from './read-settled.ts'
import type { ReadTurn } from './read-turn.ts'
import { ChatBody, Turn } from './schemas.ts'
import type { StartedTurn, StartTurn } from './start-turn.ts'
import type { StopTurn } from './stop-turn.ts'
import type { WatchTurn } from './watch-turn.ts'

export interface ChatRoutesOptions {
  startTurn: StartTurn
  readTurn: ReadTurn
  readSettled: ReadSettled
  watchTurn: WatchTurn
  stopTurn: StopTurn
  /** Calls back when credentials are good no more; answers how to stop waiting. */
  onSignedOut: (credentials: SignedIn, ended: () => void) => () => void
}

const EVENT_STREAM = 'text/event-stream'
/** Turns have ended when the connections are closed; their answers need a moment more. */
const LAST_ANSWERS_MS = 2_000
const Answer = { 200: Turn }
const tags = ['chat']

/** Turns: starting one, reading it, following it, stopping it. */
export const chatRoutes: FastifyPluginAsyncTypebox<ChatRoutesOptions> = async (app, services) => {
  const { startTurn, readTurn, readSettled, watchTurn, stopTurn, onSignedOut } = services

  const answering = new Set<Promise<void>>()
  app.addHook('preClose', async () => {
    await Promise.race([Promise.all(answering), wait(LAST_ANSWERS_MS, undefined, { ref: false })])
  })

  /** The turn's events from `afterId` on, for as long as the reader stays. */
  async function stream(
    reply: FastifyReply,
    user: SignedIn,
    turnId: string,
    afterId: number,
    known: LoggedEvent[] = []
  ): Promise<void> {
    const watcher = new AbortController()
    const events = await watchTurn(user.id, turnId, afterId, watcher.signal, known)
    const release = onSignedOut(user, () => watcher.abort())
    await sendEvents(reply, events, watcher).finally(release)
  }

  /** The finished turn, for a caller that does not stream. */
  async function settled(reply: FastifyReply, ownerId: string, started: StartedTurn): Promise<Turn> {
    const watcher = new AbortController()
    const answered = finished(reply.raw)
      .catch(() => watcher.abort())
      .finally(() => answering.delete(answered))
    answering.add(answered)
    return readSettled(ownerId, started, watcher.signal)
  }

  async function answer(
    reply: FastifyReply,
    user: SignedIn,
    started: StartedTurn,
    accept: string | undefined
  ): Promise<Turn | undefined> {
    if (!accept?.includes(EVENT_STREAM)) return settled(reply, user.id, started)
    await stream(reply, user, started.turnId, 0, started.events)
  }

  app.post(
    '/chat',
    {
      schema: {
        tags,
        summary: 'Send a message and get the reply, as JSON or, with Accept: text/event-stream, as events',
        headers: IdempotencyHeaders,
        body: ChatBody,
        response: Answer
      }
    },
    async (request, reply) => {
      const { user } = request
      const started = await startTurn.chat(user.id, request.body, request.headers['idempotency-key'])
      return answer(reply, user, started, request.headers.accept)
    }
  )

  app.post(
    '/messages/:id/regenerate',
    {
      schema: {
        tags,
        summary: 'Answer a message once more, as a new branch; id is the message or a reply to it',
        headers: IdempotencyHeaders,
        params: IdParams,
        response: Answer
      }
    },
    async (request, reply) => {
      const { user, params, headers } = request
      const started = await startTurn.regenerate(user.id, params.id, headers['idempotency-key'])
      return answer(reply, user, started, request.headers.accept)
    }
  )

  app.post(
    '/turns/:id/continue',
    {
      schema: {
        tags,
        summary: 'Go on from the words of a turn that was cut off, as a new branch that begins with them',
        headers: IdempotencyHeaders,
        params: IdParams,
        response: Answer
      }
    },
    async (request, reply) => {
      const { user, params, headers } = request
      const started = await startTurn.continueTurn(user.id, params.id, headers['idempotency-key'])
      return answer(reply, user, started, headers.accept)
    }
  )

  app.get(
    '/turns/:id',
    { schema: { tags, summary: 'Read a turn', params: IdParams, response: Answer } },
    (request) => readTurn(request.user.id, request.params.id)
  )

  app.get(
    '/turns/:id/events',
    {
      schema: {
        tags,
        summary: 'Follow the events of a turn, after the one in Last-Event-ID',
        params: IdParams,
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 20 })) }),
        produces: [EVENT_STREAM]
      }
    },
    async (request, reply) => {
      const lastEventId = request.headers['last-event-id'] ?? '0'
      if (!/^\d+$/.test(lastEventId)) throw new EventIdInvalid()
      await stream(reply, request.user, request.params.id, Number(lastEventId))
    }
  )

  app.post(
    '/turns/:id/stop',
    {
      schema: {
        tags,
        summary: 'Stop a turn; the words so far are kept',
        params: IdParams,
        response: { 202: Type.Object({ turnId: Id }) }
      }
    },
    async (request, reply) => {
      await stopTurn(request.user.id, request.params.id)
      return reply.code(202).send({ turnId: request.params.id })
    }
  )
}
