import { finished } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { sendEvents } from '../http/event-stream.ts'
import { Id, IdempotencyHeaders, IdParams } from '../http/schemas.ts'
import { EventIdInvalid } from './errors.ts'
import type { LoggedEvent } from './events.ts'
import type { ReadTurn } from './read-turn.ts'
import { ChatBody, Turn } from './schemas.ts'
import type { StartedTurn, StartTurn } from './start-turn.ts'
import type { StopTurn } from './stop-turn.ts'
import type { WatchTurn } from './watch-turn.ts'

export interface ChatRoutesOptions {
  startTurn: StartTurn
  readTurn: ReadTurn
  watchTurn: WatchTurn
  stopTurn: StopTurn
}

const EVENT_STREAM = 'text/event-stream'
/** Turns have ended when the connections are closed; their answers need a moment more. */
const LAST_ANSWERS_MS = 2_000
const Answer = { 200: Turn }
const tags = ['chat']

/** Turns: starting one, reading it, following it, stopping it. */
export const chatRoutes: FastifyPluginAsyncTypebox<ChatRoutesOptions> = async (app, services) => {
  const { startTurn, readTurn, watchTurn, stopTurn } = services

  const answering = new Set<Promise<void>>()
  app.addHook('preClose', async () => {
    await Promise.race([Promise.all(answering), wait(LAST_ANSWERS_MS, undefined, { ref: false })])
  })

  /** The turn's events from `afterId` on, for as long as the reader stays. */
  async function stream(
    reply: FastifyReply,
    ownerId: string,
    turnId: string,
    afterId: number,
    known: LoggedEvent[] = []
  ): Promise<void> {
    const watcher = new AbortController()
    await sendEvents(reply, await watchTurn(ownerId, turnId, afterId, watcher.signal, known), watcher)
  }

  /** The finished turn, for a caller that does not stream. A caller that hangs up stops waiting, not the turn. */
  async function settled(
    reply: FastifyReply,
    ownerId: string,
    { turnId, events }: StartedTurn
  ): Promise<Turn> {
    const watcher = new AbortController()
    const answered = finished(reply.raw)
      .catch(() => watcher.abort())
      .finally(() => answering.delete(answered))
    answering.add(answered)
    for await (const event of await watchTurn(ownerId, turnId, 0, watcher.signal, events)) {
      if (event.type === 'done') break
    }
    return readTurn(ownerId, turnId)
  }

  async function answer(
    reply: FastifyReply,
    ownerId: string,
    started: StartedTurn,
    accept: string | undefined
  ): Promise<Turn | undefined> {
    if (!accept?.includes(EVENT_STREAM)) return settled(reply, ownerId, started)
    await stream(reply, ownerId, started.turnId, 0, started.events)
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
      const { id: ownerId } = request.user
      const started = await startTurn.chat(ownerId, request.body, request.headers['idempotency-key'])
      return answer(reply, ownerId, started, request.headers.accept)
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
      const { id: ownerId } = request.user
      const started = await startTurn.regenerate(
        ownerId,
        request.params.id,
        request.headers['idempotency-key']
      )
      return answer(reply, ownerId, started, request.headers.accept)
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
      await stream(reply, request.user.id, request.params.id, Number(lastEventId))
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
