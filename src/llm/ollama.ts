const PROBE_MS = 300
const MAX_OTHERS = 50
const EMBEDDING_NAME = /embed|minilm|mxbai|(?:^|[/-])(?:bge|gte|e5)(?:[-:]|$)/i
/** Families of models that only embed, whatever their name. */
const EMBEDDING_FAMILY = /bert/i

export interface FoundOllama {
  baseUrl: string
  chatModel: string
  /** Every other one that chats. */
  otherChatModels: string[]
  /** null where no model with vectors is installed. */
  embeddingModel: string | null
  /** The length of its vectors; null where Ollama does not tell. */
  embeddingDimensions: number | null
}

export type FetchLike = (url: string, init: RequestInit) => Promise<Response>

/** Looks for a local Ollama that can chat, for a moment only: start-up waits for the answer. */
export async function findOllama(
  fetchLike: FetchLike = fetch,
  url = 'http://127.0.0.1:11434'
): Promise<FoundOllama | null> {
  const signal = AbortSignal.timeout(PROBE_MS)
  try {
    const models = readModels(await getJson(await fetchLike(`${url}/api/tags`, { signal })))
    const [chatModel, ...others] = models.filter((model) => !isEmbeddingModel(model)).map(({ name }) => name)
    if (!chatModel) return null
    const embeddingModel = models.find(isEmbeddingModel)?.name ?? null
    const embeddingDimensions = embeddingModel ? await findDimensions(embeddingModel) : null
    const otherChatModels = others.slice(0, MAX_OTHERS)
    return { baseUrl: `${url}/v1`, chatModel, otherChatModels, embeddingModel, embeddingDimensions }
  } catch {
    return null
  }

  async function findDimensions(model: string): Promise<number | null> {
    try {
      const body = JSON.stringify({ model })
      const shown = await getJson(await fetchLike(`${url}/api/show`, { method: 'POST', body, signal }))
      const info = Object.entries((shown as { model_info?: Record<string, unknown> }).model_info ?? {})
      const length = info.find(([key]) => key.endsWith('.embedding_length'))?.[1]
      return typeof length === 'number' ? length : null
    } catch {
      return null
    }
  }
}

interface InstalledModel {
  name: string
  family: string
}

/** Models that Ollama passes on to a remote host are left out: nobody chose to send their words there. */
function readModels(value: unknown): InstalledModel[] {
  const { models } = value as {
    models: Array<{ name: string; remote_host?: string; details?: { family?: string } }>
  }
  return models
    .filter(({ name, remote_host }) => !remote_host && !/[-:]cloud$/.test(name))
    .map(({ name, details }) => ({ name, family: details?.family ?? '' }))
}

function isEmbeddingModel({ name, family }: InstalledModel): boolean {
  return EMBEDDING_NAME.test(name) || EMBEDDING_FAMILY.test(family)
}

async function getJson(response: Response): Promise<unknown> {
  if (!response.ok) throw new Error(`status ${response.status}`)
  return response.json()
}
