import type { IncomingHttpHeaders } from 'node:http'
import { finished } from 'node:stream/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SignedIn } from '../auth/authenticate.ts'
import type { LoggedEvent } from '../chat/events.ts'
import type { ReadTurn } from '../chat/read-turn.ts'
import type { Turn } from '../chat/schemas.ts'
import type { StartedTurn, StartTurn } from '../chat/start-turn.ts'
import type { StopTurn } from '../chat/stop-turn.ts'
import type { WatchTurn } from '../chat/watch-turn.ts'
import { UUID } from '../db/client.ts'
import { drained } from '../http/event-stream.ts'
import { type Frame, toChunk, toCompletion, toUsageChunk } from './chunks.ts'
import { type OpenAiEmbeddingsOptions, openAiEmbeddingRoutes } from './embedding-routes.ts'
import { OpenAiAddressUnknown, ParameterUnsupported, ReplyStopped } from './errors.ts'
import { chooseModel, listModels, type OpenAiModels } from './models.ts'
import { readMessages, refuseUnsupported } from './parameters.ts'
import { CompletionBody } from './schemas.ts'
import { toOpenAiError, toTurnFailure } from './to-openai-error.ts'

export interface OpenAiRoutesOptions {
  startTurn: StartTurn
  watchTurn: WatchTurn
  readTurn: ReadTurn
  stopTurn: StopTurn
  models: OpenAiModels
  embeddings: OpenAiEmbeddingsOptions
  authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<SignedIn>
  /** Calls back when credentials are good no more; answers how to stop waiting. */
  onSignedOut: (credentials: SignedIn, ended: () => void) => () => void
  requireScope: (request: { user: SignedIn }) => Promise<void>
}

/** Names the conversation that a request goes on with, or `new` for one that is kept; absent: the caller keeps it. */
const CONVERSATION = 'x-pai-conversation'

/** OpenAI's chat completions over PAI's turns, so that any client of theirs has PAI's memory behind it. */
export const openAiRoutes: FastifyPluginAsyncTypebox<OpenAiRoutesOptions> = async (app, options) => {
  const { startTurn, watchTurn, readTurn, stopTurn, models, authenticate, onSignedOut, requireScope } =
    options

  app.decorateRequest('user')
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = toOpenAiError(error)
    if (status >= 500) request.log.error({ err: error }, 'answering a request')
    return reply.code(status).send(body)
  })
  app.addHook('onRequest', async (request, reply) => {
    request.user = await authenticate(request, reply)
    await requireScope(request)
  })

  app.register(openAiEmbeddingRoutes, options.embeddings)
  app.all('/*', { schema: { hide: true } }, (request) => {
    throw new OpenAiAddressUnknown(`${request.method} ${request.url.split('?')[0]}`)
  })

  app.get('/models', { schema: { hide: true } }, () => ({ object: 'list', data: listModels(models) }))

  app.get('/models/*', { schema: { hide: true } }, (request) => {
    const id = decodeURIComponent((request.params as { '*': string })['*'])
    chooseModel(models, id)
    return listModels(models).find((model) => model.id === id)
  })

  app.post('/chat/completions', { schema: { hide: true, body: CompletionBody } }, async (request, reply) => {
    const { body, user } = request
    refuseUnsupported(body)
    const { started, keptId } = await begin(user, body, request.headers)
    if (keptId) reply.header(CONVERSATION, keptId)
    const frame: Frame = {
      id: `chatcmpl-${started.turnId}`,
      created: Math.floor(Date.now() / 1_000),
      model: body.model
    }
    if (body.stream)
      return stream(
        request,
        body.stream_options?.include_usage === true,
        reply,
        started,
        frame,
        keptId !== null
      )
    return whole(user, reply, started, frame, keptId !== null)
  })

  /** Begins the turn; answers it, and the conversation where PAI keeps it. */
  async function begin(user: SignedIn, body: CompletionBody, headers: IncomingHttpHeaders) {
    const { said, instructions } = readMessages(body.messages)
    const maxOutputTokens = body.max_completion_tokens ?? body.max_tokens ?? undefined
    const wishes = { instructions, maxOutputTokens }
    const model = chooseModel(models, body.model)
    const key = headers['idempotency-key'] as string | undefined
    const kept = headers[CONVERSATION] as string | undefined
    if (kept === undefined) {
      const call = { key, call: 'POST /openai/v1/chat/completions', body }
      return {
        started: await startTurn.answerOnce(user.id, { said, model, wishes }, call),
        keptId: null
      }
    }
    if (kept !== 'new' && !UUID.test(kept)) {
      const reason = 'Not the id of a conversation, and not new'
      throw Object.assign(new ParameterUnsupported(reason, CONVERSATION), { param: CONVERSATION })
    }
    const message = said.at(-1)?.content ?? ''
    const chat = { message, ...(kept !== 'new' && { conversationId: kept }), ...(model && { model }) }
    const started = await startTurn.chat(user.id, chat, key, wishes)
    return { started, keptId: (await readTurn(user.id, started.turnId)).conversationId }
  }

  /** The whole reply. Who hangs up lets go of a turn that only they keep. */
  async function whole(
    user: SignedIn,
    reply: FastifyReply,
    { turnId, events }: StartedTurn,
    frame: Frame,
    isKept: boolean
  ) {
    const watcher = watchLeaving(user, reply, turnId, isKept)
    for await (const event of await watchTurn(user.id, turnId, 0, watcher.signal, events)) {
      if (event.type === 'done') break
    }
    const turn = await readTurn(user.id, turnId)
    const failure = failureOf(turn)
    if (failure) return reply.code(failure.status).send(failure.body)
    return toCompletion(frame, turn)
  }

  async function stream(
    { user, log }: FastifyRequest,
    wantsUsage: boolean,
    reply: FastifyReply,
    { turnId, events: known }: StartedTurn,
    frame: Frame,
    isKept: boolean
  ): Promise<void> {
    const watcher = watchLeaving(user, reply, turnId, isKept)
    const events = await watchTurn(user.id, turnId, 0, watcher.signal, known)
    reply.hijack()
    const { raw } = reply
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) raw.setHeader(name, value)
    }
    raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
    const say = async (data: unknown) => {
      const flows = raw.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
      if (!flows) await drained(raw, watcher)
    }
    try {
      await say(toChunk(frame, { role: 'assistant', content: '', refusal: null }))
      let isWhole = false
      for await (const event of events) isWhole = await sayEvent(say, frame, event, user.id)
      if (!isWhole) throw new TurnFailed(CUT_SHORT)
      if (wantsUsage) await say(toUsageChunk(frame, (await readTurn(user.id, turnId)).usage))
      await say('[DONE]')
    } catch (error) {
      const failed = error instanceof TurnFailed
      if (!failed && !watcher.signal.aborted) log.error({ err: error }, 'sending a completion')
      if (!watcher.signal.aborted) await say((failed ? error.failure : toOpenAiError(error)).body)
    } finally {
      raw.end()
    }
  }

  /** Answers whether it was the end of a whole reply. */
  async function sayEvent(
    say: (data: unknown) => Promise<void>,
    frame: Frame,
    event: LoggedEvent,
    ownerId: string
  ): Promise<boolean> {
    if (event.type === 'text-delta') await say(toChunk(frame, { content: event.data.text }))
    if (event.type !== 'done') return false
    if (event.data.status !== 'completed') {
      const turn = await readTurn(ownerId, frame.id.slice('chatcmpl-'.length))
      throw new TurnFailed(failureOf(turn) ?? CUT_SHORT)
    }
    await say(toChunk(frame, {}, 'stop'))
    return true
  }

  /** A reader who leaves ends a turn that nobody else can come back to, as with OpenAI; a kept one goes on. */
  function watchLeaving(
    user: SignedIn,
    reply: FastifyReply,
    turnId: string,
    isKept: boolean
  ): AbortController {
    const watcher = new AbortController()
    const release = onSignedOut(user, () => watcher.abort())
    finished(reply.raw)
      .catch(() => {
        watcher.abort()
        if (!isKept) return stopTurn(user.id, turnId).catch(() => {})
      })
      .finally(release)
    return watcher
  }
}

type Failure = ReturnType<typeof toTurnFailure>

const CUT_SHORT: Failure = toTurnFailure(new ReplyStopped())

class TurnFailed extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.body.error.message)
    this.failure = failure
  }
}

/** Why a turn has no whole reply; null where it has. */
function failureOf({ status, error }: Turn): Failure | null {
  if (status === 'completed') return null
  return error ? toTurnFailure(error) : CUT_SHORT
}
