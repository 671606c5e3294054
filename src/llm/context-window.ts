import { fetchWithinLimits } from './limit-body.ts'
import { isOpenAi } from './openai-address.ts'
import type { OpenAiSettings } from './openai-server.ts'

/** A turn waits for the answer, and does without it after this long. */
const ASK_MS = 1_000
/** A server may be started anew with another window. */
const KEPT_MS = { found: 600_000, missing: 300_000 }
/** How servers name it in their lists: vLLM and SGLang, Groq, OpenRouter and Together, Mistral. */
const LISTED_AS = ['max_model_len', 'context_window', 'context_length', 'max_context_length']

export type FindWindow = (signal: AbortSignal) => Promise<number | null>

/**
 * How many tokens a model at a compatible server reads and writes at once: what the settings say, or else the server. OpenAI
 * itself is not asked, since its list does not tell.
 */
export function createFindWindow(settings: OpenAiSettings): FindWindow | undefined {
  const { baseUrl, contextTokens } = settings
  if (contextTokens !== undefined) return async () => contextTokens
  if (baseUrl === undefined || isOpenAi(baseUrl)) return undefined
  const server = { ...settings, baseUrl }
  let known: Promise<number | null> | undefined
  let until = 0

  function ask(): Promise<number | null> {
    until = Number.POSITIVE_INFINITY
    const answer = askServer(server).then((window) => {
      until = performance.now() + (window === null ? KEPT_MS.missing : KEPT_MS.found)
      return window
    })
    // Only the first one waits: what was known before is good enough until the server has told again.
    if (known) answer.then(() => (known = answer)).catch(() => {})
    return answer
  }

  return async function findWindow(signal) {
    signal.throwIfAborted()
    if (!known) known = ask()
    else if (until < performance.now()) ask()
    return known
  }
}

/** null where it does not tell. */
async function askServer({
  baseUrl,
  apiKey,
  model
}: OpenAiSettings & { baseUrl: string }): Promise<number | null> {
  const signal = AbortSignal.timeout(ASK_MS)
  const base = baseUrl.replace(/\/+$/, '')
  const root = base.replace(/\/v1$/, '')
  async function read(url: string, body?: object): Promise<unknown> {
    const response = await fetchWithinLimits(url, {
      signal,
      headers: { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { method: 'POST', body: JSON.stringify(body) })
    }).catch(() => null)
    return response?.ok ? response.json().catch(() => null) : null
  }

  const listed = entryOf(await read(`${base}/models`), 'data', model)
  const told = LISTED_AS.map((name) => asWindow(listed[name])).find((window) => window !== null)
  if (told) return told
  // Ollama's list does not tell. What a model has while it is loaded counts; it may be made to read more than that.
  const running = asWindow(entryOf(await read(`${root}/api/ps`), 'models', model).context_length)
  return running ?? readParameter(await read(`${root}/api/show`, { model }))
}

/** One model of a list; Ollama gives those without a tag the tag `latest`. */
function entryOf(list: unknown, name: string, model: string): Record<string, unknown> {
  const entries = asRecord(list)[name]
  const found = (Array.isArray(entries) ? entries.map(asRecord) : []).find(({ id, name, model: also }) =>
    [id, name, also].some((known) => known === model || known === `${model}:latest`)
  )
  return found ?? {}
}

/** What a Modelfile sets; the `context_length` beside it is only the most that the model was trained for. */
function readParameter(shown: unknown): number | null {
  const { parameters } = asRecord(shown)
  const [, value] = /^num_ctx\s+(\d+)/m.exec(typeof parameters === 'string' ? parameters : '') ?? []
  return asWindow(Number(value))
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function asWindow(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : null
}
