import type { Usage } from './model.ts'

export type CallKind = 'chat' | 'structured' | 'embedding'

/** Stands before each call of a provider; throws where it may not be made. */
export type BeforeCall = (model: string) => Promise<void>

/** Hears of what each call of a model took, once it is over; also of a failed one, where the provider told. */
export type OnUsage = (call: { model: string; kind: CallKind; usage: Usage }) => void

/** Where a provider does not tell. */
export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
