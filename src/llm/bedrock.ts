import type { Provider } from './providers.ts'

export function createBedrockModels(_settings: unknown): Pick<Provider, 'chat' | 'structured' | 'embedder'> {
  throw new Error('not yet')
}
