import { tokensOf } from '../search/pack.ts'
import { codeOf } from './errors.ts'
import type { Prompt, PromptMessage, StructuredRequest, Usage } from './model.ts'

/** About what a large image takes of a model that sees. */
export const IMAGE_TOKENS = 1_000

/** What a call took, as far as its words tell: for where its provider does not. */
export function estimateUsage(inputTokens: number, outputTokens: number): Usage {
  return { inputTokens, outputTokens, cachedTokens: 0, estimated: true }
}

/** What the provider told, or else the estimate: a provider that tells of nothing at all has not counted. */
export function usageOr(told: Usage | null, estimate: () => Usage): Usage {
  return told && told.inputTokens + told.outputTokens > 0 ? told : estimate()
}

/** Whether a call that failed was left while its provider may have been at work: one that refuses takes nothing. */
export function wasLeft(failure: unknown, signal: AbortSignal): boolean {
  return signal.aborted || codeOf(failure) === 'PAI_MODEL_TIMEOUT'
}

export function promptTokens({ system, messages, notes = '', tools = [] }: Prompt): number {
  return (
    tokensOf(system) +
    tokensOf(notes) +
    sum(messages.map(messageTokens)) +
    (tools.length > 0 ? tokensOf(JSON.stringify(tools)) : 0)
  )
}

export function requestTokens({ system, user, schema }: StructuredRequest): number {
  return tokensOf(system) + tokensOf(user) + tokensOf(JSON.stringify(schema))
}

function messageTokens(message: PromptMessage): number {
  const images = message.role === 'user' ? (message.images ?? []) : []
  const calls = message.role === 'assistant' ? (message.toolCalls ?? []) : []
  const said = tokensOf(message.content) + sum(calls.map(({ arguments: text }) => tokensOf(text)))
  return said + images.length * IMAGE_TOKENS
}

export function textsTokens(texts: string[]): number {
  return sum(texts.map(tokensOf))
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
