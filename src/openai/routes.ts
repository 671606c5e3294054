import type { IncomingHttpHeaders } from 'node:http'
import { finished } from 'node:stream/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SignedIn } from '../auth/authenticate.ts'
import type { LoggedEvent } from '../chat/events.ts'
import type { ReadSettled } from '../chat/read-settled.ts'
import type { ReadTurn } from '../chat/read-turn.ts'
import type { Turn, TurnUsage } from '../chat/schemas.ts'
import type { StartedTurn, StartTurn } from '../chat/start-turn.ts'
import type { StopTurn } from '../chat/stop-turn.ts'
import type { WatchTurn } from '../chat/watch-turn.ts'
import { UUID } from '../db/client.ts'
import { CALLER_GONE, isHangUp } from '../http/error-handler.ts'
import { sendFrames } from '../http/event-stream.ts'
import { IdempotencyHeaders } from '../http/schemas.ts'
import {
  type Frame,
  toChunk,
  toChunkBeforeUsage,
  toCompletion,
  toFinishReason,
  toUsageChunk
} from './chunks.ts'
import { type OpenAiEmbeddingsOptions, openAiEmbeddingRoutes } from './embedding-routes.ts'
import { ApiKeyRequired, OpenAiAddressUnknown, ParameterUnsupported, ReplyStopped } from './errors.ts'
import { chooseModel, listModels, type OpenAiModels } from './models.ts'
import { readTries } from './own-retries.ts'
import { readMessages, refuseUnsupported } from './parameters.ts'
import { CompletionBody } from './schemas.ts'
import { toOpenAiError, toTurnFailure } from './to-openai-error.ts'

export interface OpenAiRoutesOptions {
  startTurn: StartTurn
  watchTurn: WatchTurn
  readTurn: ReadTurn
  readSettled: ReadSettled
  stopTurn: StopTurn
  models: OpenAiModels
  embeddings: OpenAiEmbeddingsOptions
  authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<SignedIn>
  /** Counts a request that was refused after its credentials were read. */
  countRefusal: (request: FastifyRequest) => Promise<void>
  /** Calls back when credentials are good no more; answers how to stop waiting. */
  onSignedOut: (credentials: SignedIn, ended: () => void) => () => void
  requireScope: (request: { user: SignedIn }) => Promise<void>
}

/** Names the conversation that a request goes on with, or `new` for one that is kept; absent: the caller keeps it. */
const CONVERSATION = 'x-pai-conversation'

/** OpenAI's chat completions over PAI's turns, so that any client of theirs has PAI's memory behind it. */
export const openAiRoutes: FastifyPluginAsyncTypebox<OpenAiRoutesOptions> = async (app, options) => {
  const {
    startTurn,
    watchTurn,
    readTurn,
    readSettled,
    stopTurn,
    models,
    authenticate,
    countRefusal,
    onSignedOut,
    requireScope
  } = options

  app.decorateRequest('user')
  app.setErrorHandler((error, request, reply) => {
    if (isHangUp(error, reply)) return reply.code(CALLER_GONE).send()
    const { status, body } = toOpenAiError(error)
    if (status >= 500) request.log.error({ err: error }, 'answering a request')
    return reply.code(status).send(body)
  })
  app.addHook('onRequest', async (request, reply) => {
    request.user = await authenticate(request, reply)
    // A client of OpenAI's keeps what it is given for years, which a quarter of an hour's token is not made for.
    if (request.user.apiKeyId === null) throw new ApiKeyRequired()
    await requireScope(request)
  })
  app.addHook('onError', async (request, _reply, { statusCode }) => {
    if (statusCode === 403) await countRefusal(request)
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

  const completion = { hide: true, headers: IdempotencyHeaders, body: CompletionBody }
  app.post('/chat/completions', { schema: completion }, async (request, reply) => {
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
    const kept = headers[CONVERSATION] as string | undefined
    if (kept === undefined) {
      const key = headers['idempotency-key'] as string | undefined
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
    const { key, isRetry } = readTries(headers, user.apiKeyId, kept, body)
    const started = await startTurn.chat(user.id, chat, key, { wishes, isRetry })
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
    const turn = await readSettled(user.id, { turnId, events }, watcher.signal)
    const failure = failureOf(turn)
    if (failure) {
      // OpenAI's clients send a request that failed again by themselves, and without a key each would be a message more.
      if (isKept) reply.header('x-should-retry', 'false')
      return reply.code(failure.status).send(failure.body)
    }
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

    const chunks = toChunks(frame, events, wantsUsage, (error) => {
      if (!watcher.signal.aborted) log.error({ err: error }, 'sending a completion')
    })
    await sendFrames(reply, chunks, watcher)
  }

  /**
   * A reader who leaves, or may read no more, ends a turn that nobody else can come back to, as with OpenAI; a kept one goes on.
   */
  function watchLeaving(
    user: SignedIn,
    reply: FastifyReply,
    turnId: string,
    isKept: boolean
  ): AbortController {
    const watcher = new AbortController()
    const leave = () => {
      watcher.abort()
      // Where it cannot be stopped for once, it ends by itself.
      if (!isKept) stopTurn(user.id, turnId).catch(() => {})
    }
    const release = onSignedOut(user, leave)
    finished(reply.raw).catch(leave).finally(release)
    return watcher
  }
}

type Failure = ReturnType<typeof toTurnFailure>

const CUT_SHORT: Failure = toTurnFailure(new ReplyStopped())

/** A turn as the pieces of a completion. One that has no whole reply ends with the reason, and without `[DONE]`. */
async function* toChunks(
  frame: Frame,
  events: AsyncIterable<LoggedEvent[]>,
  wantsUsage: boolean,
  onError: (error: unknown) => void
): AsyncGenerator<string> {
  let usage: TurnUsage | null = null
  let failure = CUT_SHORT
  try {
    const toPiece = wantsUsage ? toChunkBeforeUsage : toChunk
    yield toFrame(toPiece(frame, { role: 'assistant', content: '', refusal: null }))
    for await (const some of events)
      for (const { type, data } of some) {
        if (type === 'text-delta') yield toFrame(toPiece(frame, { content: data.text }))
        else if (type === 'usage') usage = data
        else if (type === 'error') failure = toTurnFailure(data)
        else if (type === 'done' && data.status === 'completed') {
          yield toFrame(toPiece(frame, {}, toFinishReason(data.finishReason)))
          if (wantsUsage && usage) yield toFrame(toUsageChunk(frame, usage))
          return yield 'data: [DONE]\n\n'
        }
      }
  } catch (error) {
    onError(error)
    failure = toOpenAiError(error)
  }
  yield toFrame(failure.body)
}

function toFrame(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

/** Why a turn has no whole reply; null where it has. */
function failureOf({ status, error }: Turn): Failure | null {
  if (status === 'completed') return null
  return error ? toTurnFailure(error) : CUT_SHORT
}
