import { createBreaker } from './breaker.ts'
import { ModelGone, ModelUnknown } from './errors.ts'
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

/** So many names are told of where a model is missed. */
const NAMES_TOLD = 10
const NOTHING_BUT_WORDS = { images: false, tools: false, structured: false }

/** Every model that may be chosen here, by its names. */
export function createCatalogue(
  settings: CatalogueSettings
): Pick<Llm, 'chat' | 'structured' | 'chatModel' | 'inPlaceOf' | 'models'> {
  const { providers, chat, fallbacks, aliases, defaultProvider } = settings
  const listed = new Map([chat, ...fallbacks, ...settings.others].map((name) => [idOf(name), name]))
  const bare = new Map<string, Guarded<ChatModel>>()
  const ready = new Map<string, ChatModel>()

  function isNearby({ provider }: ModelName): boolean {
    return provider === OFFLINE || (providers.get(provider)?.nearby ?? false)
  }

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

  /** A model with those that stand in for it; `staysNearby`: only those that are in house as it is. */
  function modelOf(name: ModelName, staysNearby: boolean): ChatModel {
    const id = idOf(name)
    const key = `${id} ${staysNearby}`
    const known = ready.get(key)
    if (known) return known
    const inItsPlace = id === OFFLINE ? [] : fallbacks.filter((other) => idOf(other) !== id)
    const allowed = staysNearby ? inItsPlace.filter(isNearby) : inItsPlace
    const made = createChatModel([bareModel(name), ...allowed.map(bareModel)])
    ready.set(key, made)
    return made
  }

  /** For the deployment's own model the fallbacks are its operator's to choose. Who picks another that is in house means it. */
  function listedModel(name: ModelName): ChatModel {
    return modelOf(name, idOf(name) !== idOf(chat) && isNearby(name))
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
      nearby: isNearby(name),
      ...(bareModel(name).model.abilities ?? NOTHING_BUT_WORDS)
    }
  }

  return {
    chat: listedModel(chat),
    structured: structuredModel(),
    chatModel(text) {
      const id = aliases.get(text) ?? text
      const name = listed.get(id) ?? listed.get(`${defaultProvider}:${id}`)
      if (!name) throw new ModelUnknown(text)
      return listedModel(name)
    },
    inPlaceOf(gone) {
      if (isNearby(chat)) return modelOf(chat, true)
      if (gone.startsWith(`${chat.provider}:`)) return listedModel(chat)
      throw new ModelGone(gone, idOf(chat), [...listed.keys()].slice(0, NAMES_TOLD).join(', '))
    },
    models: () => [...listed].map(describe)
  }
}
