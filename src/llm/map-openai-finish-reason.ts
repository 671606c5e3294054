import type { FinishReason } from './model.ts'

const REASONS: Record<string, FinishReason> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter'
}

export function mapOpenAiFinishReason(reason: unknown): FinishReason {
  return typeof reason === 'string' && Object.hasOwn(REASONS, reason) ? (REASONS[reason] ?? 'other') : 'other'
}
