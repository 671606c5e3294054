import type { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import { createBedrockChatModel } from './bedrock-chat.ts'
import { createBedrockStructuredModel } from './bedrock-structured.ts'
import type { BedrockSettings, Provider } from './providers.ts'
import type { ModelTimeouts } from './silence.ts'
import { createTitanEmbedder, isTitan } from './titan-embedder.ts'
import type { OnUsage } from './usage-meter.ts'

const CONNECT_MS = 10_000
/** Each stream holds one, and a further call would wait for it. */
const MAX_SOCKETS = 2_000

type Sdk = typeof import('@aws-sdk/client-bedrock-runtime')

/** What every call to Bedrock goes through. */
export interface Bedrock {
  open(): Promise<{ sdk: Sdk; client: BedrockRuntimeClient }>
  timeouts?: ModelTimeouts
  onUsage?: OnUsage
}

/** The models of AWS Bedrock in one region; credentials come from AWS' own chain. */
export function createBedrockModels({
  region,
  endpoint,
  ...rest
}: BedrockSettings & Omit<Bedrock, 'open'>): Pick<Provider, 'chat' | 'structured' | 'embedder'> {
  let opened: ReturnType<Bedrock['open']> | undefined

  // The SDK takes long to load: its first call waits for it, and no start does.
  async function load(): ReturnType<Bedrock['open']> {
    const [sdk, { NodeHttpHandler }] = await Promise.all([
      import('@aws-sdk/client-bedrock-runtime'),
      import('@smithy/node-http-handler')
    ])
    const client = new sdk.BedrockRuntimeClient({
      region,
      ...(endpoint && { endpoint }),
      // The SDK's own choice here, HTTP/2, does not notice a connection that breaks in the middle of a stream.
      requestHandler: new NodeHttpHandler({
        connectionTimeout: CONNECT_MS,
        httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
        httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS }
      }),
      // Trying again is the guard's business, which knows the other models.
      maxAttempts: 1
    })
    return { sdk, client }
  }

  const bedrock: Bedrock = {
    open() {
      // What could not be loaded is tried again by the next call.
      opened ??= load().catch((error) => {
        opened = undefined
        throw error
      })
      return opened
    },
    ...rest
  }
  return {
    chat: (model) => createBedrockChatModel(bedrock, model),
    structured: (model) => createBedrockStructuredModel(bedrock, model),
    embedder: (model, dimensions) => (isTitan(model) ? createTitanEmbedder(bedrock, model, dimensions) : null)
  }
}
