import type { Usage } from './model.ts'

export type CallKind = 'chat' | 'structured' | 'embedding'

/** Stands before each call of a provider; throws where it may not be made. */
export type BeforeCall = (model: string) => Promise<void>

/** Hears of what each call of a model took, once it is over; also of a failed one, where the provider told. */
export type OnUsage = (call: { model: string; kind: CallKind; usage: Usage }) => void

/** Tells of one call, once: a call that is left after its answer has come was paid for already. */
export function tellOnce(
  onUsage: OnUsage | undefined,
  model: string,
  kind: CallKind
): (usage: Usage) => void {
  let told = false
  return (usage) => {
    if (!told) onUsage?.({ model, kind, usage })
    told = true
  }
}

/** Where a provider does not tell. */
export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
