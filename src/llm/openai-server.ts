import OpenAI from 'openai'
import { fetchWithinLimits } from './limit-body.ts'
import { OPENAI_BASE_URL } from './openai-address.ts'
import type { ModelTimeouts } from './silence.ts'
import type { OnUsage } from './usage-meter.ts'

/** A model at OpenAI, or at any server that speaks the same API. */
export interface OpenAiSettings {
  apiKey: string
  /** Any server that speaks the same API. */
  baseUrl?: string
  model: string
  /** Who answers, for the model's id. */
  provider?: string
  /** Whether the model sees images, where its name does not tell. */
  images?: boolean
  /** How many tokens the model reads and writes together, where its server does not tell. */
  contextTokens?: number
  timeouts?: ModelTimeouts
  onUsage?: OnUsage | undefined
}

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>

/** Everything the SDK would read from the environment is given here: its log level could print prompts. */
export function createClient({ apiKey, baseUrl }: OpenAiSettings, fetch: Fetch = fetchWithinLimits): OpenAI {
  return new OpenAI({
    apiKey,
    baseURL: baseUrl ?? OPENAI_BASE_URL,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: 'off',
    // Trying again is the guard's business, which knows the other models.
    maxRetries: 0,
    fetch: fetchForSdk(fetch)
  })
}

/** The SDK reads an error from `error` only; older vLLM and FastAPI servers put it at the top. */
function fetchForSdk(fetch: Fetch): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init)
    if (response.ok) return response
    const text = await response.text()
    return new Response(nestError(text), { status: response.status, headers: response.headers })
  }
}

function nestError(text: string): string {
  try {
    const body: unknown = JSON.parse(text)
    const isNested = typeof body === 'object' && body !== null && 'error' in body
    return isNested ? text : JSON.stringify({ error: body })
  } catch {
    return text
  }
}

export function modelId({ provider = 'openai', model }: OpenAiSettings): string {
  return `${provider}:${model}`
}
