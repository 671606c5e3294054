import type { Usage } from './model.ts'

export type CallKind = 'chat' | 'structured' | 'embedding'

/** Hears of what each call of a model took, once it is over; also of a failed one, where the provider told. */
export type OnUsage = (call: { model: string; kind: CallKind; usage: Usage }) => void
