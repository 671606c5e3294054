export const OFFLINE = 'offline'

/** Who serves a model, and its name there. */
export interface ModelName {
  provider: string
  model: string
}

export const OFFLINE_NAME: ModelName = { provider: OFFLINE, model: '' }

/**
 * Reads "provider:model". A model's own name may hold colons, so that what stands before the first one counts only where
 * it is a provider's; else the whole is a model of the default provider, or nobody's.
 */
export function readName(
  text: string,
  providers: Set<string>,
  defaultProvider: string | null
): ModelName | null {
  if (text === OFFLINE) return OFFLINE_NAME
  const colon = text.indexOf(':')
  const prefix = text.slice(0, colon)
  if (colon > 0 && providers.has(prefix)) return { provider: prefix, model: text.slice(colon + 1) }
  return defaultProvider ? { provider: defaultProvider, model: text } : null
}

export function idOf({ provider, model }: ModelName): string {
  return provider === OFFLINE ? OFFLINE : `${provider}:${model}`
}
