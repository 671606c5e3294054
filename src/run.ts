import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import type { Config } from './config.ts'
import type { EmbeddedThread } from './db/embedded-thread.ts'
import { openDatabase } from './db/open.ts'
import { AddressUnusable } from './http/errors.ts'
import { openLog } from './http/log.ts'
import { createLlm, describeLlm } from './llm/create-llm.ts'
import { modelTimeouts } from './llm/silence.ts'
import { createServices } from './services.ts'
import { startTelemetry } from './telemetry/start.ts'
import { meterCalls } from './usage/account.ts'
import { startWorker } from './worker.ts'

/** Turns and jobs may end by themselves for this long after a signal to stop. */
const GRACE_MS = 10_000
/** With the lease of 15 seconds, a turn whose runner died is ended within half a minute. */
const SWEEP_MS = 15_000

/** Builds the house, opens it, and closes it in order when the process is told to stop. */
export async function run(config: Config, embedded: EmbeddedThread | null): Promise<void> {
  const telemetry = await startTelemetry(config, () =>
    log.warn('The collector of traces does not take them: they are dropped')
  )
  const log = openLog(config.LOG_LEVEL)
  const onError = (error: unknown, doing: string) => log.error({ err: error }, doing)
  const [database, llm] = await Promise.all([
    openDatabase(config, embedded),
    createLlm({ ...llmSettings(config), ...meterCalls((error) => onError(error, 'calling a model')) })
  ])
  const services = await createServices({ config, database, llm, onError })
  for (const warning of services.warnings) log.warn(warning)

  const servesApi = config.PAI_ROLE !== 'worker'
  const app = buildApp(services, {
    logger: log,
    rateLimit: config.PAI_RATE_LIMIT === 'off' ? null : config.PAI_RATE_LIMIT,
    loopback: config.loopback,
    trustedProxies: config.trustedProxies,
    trustsTraces: config.PAI_TRUST_TRACEPARENT === 'on'
  })
  if (database.kind === 'embedded') {
    // One that cannot be ended now is found again by the sweep; it must not keep the house shut.
    await services.chat.interruptAbandoned(true).catch((error) => onError(error, 'ending abandoned turns'))
  }
  if (config.PAI_ROLE !== 'api') await startWorker(services, onError)
  telemetry.tellMetrics({
    ...(servesApi && { ActiveStreams: () => services.runner.active }),
    ...(config.PAI_ROLE !== 'api' && { QueueAge: services.queueAge })
  })
  // Every process looks: whichever is left when a runner dies ends that runner's turns.
  const sweep = setInterval(() => {
    services.chat.interruptAbandoned(false).catch((error) => onError(error, 'ending abandoned turns'))
  }, SWEEP_MS)
  const address = servesApi ? await listen(app, config) : null

  console.log(`PAI answers with ${describeLlm(llm)}`)
  if (address) console.log(`PAI is ready: open ${address}`)
  else console.log('PAI is working on jobs')
  const token = await services.bootstrapToken()
  if (token)
    console.log(`The first account becomes the administrator. Register it with this invitation: ${token}`)

  let stopping = false
  async function stop(): Promise<void> {
    if (stopping) return
    stopping = true
    services.beginStopping()
    clearInterval(sweep)
    await services.runner.close(GRACE_MS)
    await app.close()
    await services.close(GRACE_MS)
    // Last, since jobs that end now are told of as well.
    await telemetry.close()
    process.exit(0)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  // The launcher is gone, however it ended: a server nobody sees must not hold the data folder.
  process.once('disconnect', stop)
  if (process.send && !process.connected) await stop()
}

async function listen(app: FastifyInstance, { PORT, HOST }: Config): Promise<string> {
  try {
    return await app.listen({ port: PORT, host: HOST })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new AddressUnusable(`Port ${PORT} is in use: stop what uses it, or choose another with PORT`)
    if (code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL')
      throw new AddressUnusable('HOST is no address of this machine')
    throw cause
  }
}

function llmSettings(config: Config): Parameters<typeof createLlm>[0] {
  return {
    ...(config.OPENAI_API_KEY ? { openAiApiKey: config.OPENAI_API_KEY } : {}),
    ...(config.OPENAI_BASE_URL ? { openAiBaseUrl: config.OPENAI_BASE_URL } : {}),
    ...(config.PAI_CHAT_MODEL ? { chatModel: config.PAI_CHAT_MODEL } : {}),
    ...(config.PAI_EMBEDDING_MODEL ? { embeddingModel: config.PAI_EMBEDDING_MODEL } : {}),
    embeddingDimensions: config.PAI_EMBEDDING_DIMENSIONS,
    ...(config.PAI_CONTEXT_TOKENS ? { contextTokens: config.PAI_CONTEXT_TOKENS } : {}),
    ...(config.fallbackModels ? { fallbackModels: config.fallbackModels } : {}),
    ...(config.models ? { models: config.models } : {}),
    ...(config.providers ? { servers: config.providers } : {}),
    ...(config.AWS_REGION ? { bedrock: bedrockSettings(config.AWS_REGION, config) } : {}),
    timeouts: modelTimeouts(config.PAI_FIRST_TOKEN_SECONDS * 1_000, config.PAI_BETWEEN_TOKENS_SECONDS * 1_000)
  }
}

function bedrockSettings(region: string, { PAI_BEDROCK_ENDPOINT }: Config) {
  return { region, ...(PAI_BEDROCK_ENDPOINT ? { endpoint: PAI_BEDROCK_ENDPOINT } : {}) }
}
