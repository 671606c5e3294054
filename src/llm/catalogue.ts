import { createBreaker } from './breaker.ts'
import { ModelUnknown } from './errors.ts'
import { createChatModel, createStructuredModel, type Guarded } from './fall-back.ts'
import { createGuard } from './guard.ts'
import type { ChatModel, Llm, ModelInfo, StructuredModel } from './model.ts'
import { idOf, type ModelName, OFFLINE } from './model-names.ts'
import { createOfflineModel } from './offline-model.ts'
import type { Provider } from './providers.ts'

export interface CatalogueSettings {
  providers: Map<string, Provider>
  /** The deployment's own. */
  chat: ModelName
  /** Who answers in its place, in this order, when it cannot. */
  fallbacks: ModelName[]
  /** What else may be chosen. */
  others: ModelName[]
  /** By the short name, the model's id. */
  aliases: Map<string, string>
  /** Whose models go by their bare name too. */
  defaultProvider: string | null
}

const NOTHING_BUT_WORDS = { images: false, tools: false, structured: false }

/** Every model that may be chosen here, by its names. */
export function createCatalogue(
  settings: CatalogueSettings
): Pick<Llm, 'chat' | 'structured' | 'chatModel' | 'models'> {
  const { providers, chat, fallbacks, aliases, defaultProvider } = settings
  const listed = new Map([chat, ...fallbacks, ...settings.others].map((name) => [idOf(name), name]))
  const bare = new Map<string, Guarded<ChatModel>>()
  const ready = new Map<string, ChatModel>()

  function bareModel(name: ModelName): Guarded<ChatModel> {
    const id = idOf(name)
    const known = bare.get(id)
    if (known) return known
    const provider = providers.get(name.provider)
    const made = provider
      ? { model: provider.chat(name.model), guard: provider.guard }
      : { model: createOfflineModel(), guard: createGuard(createBreaker()) }
    bare.set(id, made)
    return made
  }

  function modelOf(name: ModelName): ChatModel {
    const id = idOf(name)
    const known = ready.get(id)
    if (known) return known
    const inItsPlace = id === OFFLINE ? [] : fallbacks.filter((other) => idOf(other) !== id)
    const made = createChatModel([bareModel(name), ...inItsPlace.map(bareModel)])
    ready.set(id, made)
    return made
  }

  function structuredModel(): StructuredModel | null {
    if (chat.provider === OFFLINE) return null
    const able = [chat, ...fallbacks].flatMap((name) => {
      const provider = providers.get(name.provider)
      return provider ? [{ model: provider.structured(name.model), guard: provider.guard }] : []
    })
    const [first, ...others] = [...new Map(able.map((one) => [one.model.id, one])).values()]
    return first ? createStructuredModel([first, ...others]) : null
  }

  function describe([id, name]: [string, ModelName]): ModelInfo {
    return {
      id,
      aliases: [...aliases].filter(([, target]) => target === id).map(([alias]) => alias),
      offline: id === OFFLINE,
      ...(bareModel(name).model.abilities ?? NOTHING_BUT_WORDS)
    }
  }

  return {
    chat: modelOf(chat),
    structured: structuredModel(),
    chatModel(text) {
      const id = aliases.get(text) ?? text
      const name = listed.get(id) ?? listed.get(`${defaultProvider}:${id}`)
      if (!name) throw new ModelUnknown(text)
      return modelOf(name)
    },
    models: () => [...listed].map(describe)
  }
}
