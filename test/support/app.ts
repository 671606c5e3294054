import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Database } from '../../src/db/client.ts'
import { createLlm } from '../../src/llm/create-llm.ts'
import { ModelUnknown } from '../../src/llm/errors.ts'
import type { ChatModel, Llm, ModelEvent, Prompt } from '../../src/llm/model.ts'
import { createServices, type Services } from '../../src/services.ts'
import { startWorker } from '../../src/worker.ts'

export interface TestAppOptions {
  /** What differs from offline mode. */
  llm?: Partial<Llm>
  now?: () => Date
  /** Settings that differ, by their names. */
  settings?: Record<string, string>
  /** Whether this process runs jobs; else they wait in their tables. */
  works?: boolean
  logger?: FastifyBaseLogger
  /** Whether a request may say which trace it belongs to. */
  trustsTraces?: boolean
}

export interface TestOwner {
  id: string
  accessToken: string
  /** For `inject` and `fetch` alike. */
  headers: { authorization: string }
}

export interface TestApp {
  app: FastifyInstance
  services: Services
  /** What failed where no request waited for it, such as a job. */
  failures: { error: unknown; doing: string }[]
  /** The address on a real socket, for what streams: asked twice, it is the same. */
  listen(): Promise<string>
  register(): Promise<TestOwner>
  /** Ends everything but the database, which is the caller's. */
  close(): Promise<void>
}

/** The house as `main.ts` builds it, on a database that others may share. */
export async function buildTestApp(
  database: Database,
  { llm, now, settings, works = false, logger, trustsTraces = false }: TestAppOptions = {}
): Promise<TestApp> {
  const offline = await createLlm({ chatModel: 'offline', embeddingDimensions: 512 })
  const config = loadConfig({ PAI_JWT_SECRET: 'a secret of the tests, long enough to pass', ...settings })
  const failures: TestApp['failures'] = []
  const onError = (error: unknown, doing: string) => void failures.push({ error, doing })
  const services = await createServices({
    config: { ...config, PAI_ROLE: works ? 'all' : 'api' },
    database,
    llm: { ...offline, offline: !llm?.chat, ...(llm?.chat && { chatModel: chooseFrom(llm.chat) }), ...llm },
    onError,
    ...(now && { now })
  })
  const app = buildApp(services, {
    rateLimit: null,
    loopback: true,
    trustsTraces,
    ...(logger && { logger })
  })
  await app.ready()
  if (works) await startWorker(services, onError)
  let address: Promise<string> | undefined
  let registered = 0

  return {
    app,
    services,
    failures,
    listen() {
      address ??= app.listen({ port: 0, host: '127.0.0.1' })
      return address
    },
    async register() {
      const email = `owner-${++registered}-${crypto.randomUUID()}@example.org`
      const response = await app.inject({
        method: 'POST',
        url: '/v1/auth/register',
        payload: { email, password: 'bees in Tromsø', name: 'Ada' }
      })
      if (response.statusCode !== 201) throw new Error(`Registering answered ${response.body}`)
      const { user, accessToken } = response.json()
      return { id: user.id, accessToken, headers: { authorization: `Bearer ${accessToken}` } }
    },
    async close() {
      await services.runner.close(0)
      await app.close()
      await services.queue.close(5_000)
      await services.usage.close()
      services.requestCounts?.close()
      await services.bus.close()
    }
  }
}

function chooseFrom(...models: ChatModel[]): Llm['chatModel'] {
  return (name) => {
    const chosen = models.find(({ id }) => id === name)
    if (!chosen) throw new ModelUnknown(name)
    return chosen
  }
}

/**
 * One step of a scripted reply: words, any other event, something to wait for (a test's gate), or an error to fail with.
 * `finish` follows by itself.
 */
export type ScriptedStep = string | ModelEvent | Promise<unknown> | Error

export interface ScriptedModel extends ChatModel {
  /** What it was asked, oldest first. */
  asked: Prompt[]
}

/** A model that says what it is told to, each time it is asked. */
export function scriptedModel(script: ScriptedStep[] | ((prompt: Prompt) => ScriptedStep[])): ScriptedModel {
  const asked: Prompt[] = []
  return {
    id: 'scripted:model',
    asked,
    async *stream(prompt, signal) {
      asked.push(prompt)
      const steps = typeof script === 'function' ? script(prompt) : script
      for (const step of steps) {
        signal.throwIfAborted()
        if (step instanceof Error) throw step
        if (step instanceof Promise) await untilAborted(step, signal)
        else yield typeof step === 'string' ? { type: 'text-delta', text: step } : step
      }
      signal.throwIfAborted()
      const last = steps.at(-1)
      if (typeof last === 'object' && 'type' in last && last.type === 'finish') return
      yield { type: 'finish', reason: 'stop', usage: { inputTokens: 5, outputTokens: 2, cachedTokens: 1 } }
    }
  }
}

/** Waits, but like a provider's request lets go at once when the turn is aborted. */
async function untilAborted(gate: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([gate, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
