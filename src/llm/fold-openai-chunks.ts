import { mapOpenAiFinishReason } from './map-openai-finish-reason.ts'
import type { FinishReason, ModelEvent, ToolCall, Usage } from './model.ts'

/** A reply as it arrives in chunks of the chat completions wire format. */
export interface OpenAiReply {
  /** Takes one chunk in and gives the words it brings. */
  add(chunk: unknown): ModelEvent[]
  /** null until the server has said why the reply ended. */
  readonly finishReason: FinishReason | null
  /** The whole tool calls, then the finish. */
  end(): ModelEvent[]
}

/** Trusts nothing about a chunk's shape: compatible servers leave fields out and fill in others. */
export function createOpenAiReply(): OpenAiReply {
  const calls: Array<ToolCall & { index: unknown }> = []
  let finishReason: FinishReason | null = null
  let usage: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }

  function addToolCall(part: Record<string, unknown>): void {
    const id = asText(part.id)
    const name = asText(asRecord(part.function).name)
    const known = findCall(part.index, id)
    const call = known ?? { index: part.index, callId: id || `call_${calls.length}`, name: '', arguments: '' }
    if (!known) calls.push(call)
    if (!call.name) call.name = name
    call.arguments += asText(asRecord(part.function).arguments)
  }

  /** Some servers give every call index 0, or none: a new id is a new call, and no id continues the last. */
  function findCall(index: unknown, id: string) {
    const sameIndex = calls.filter((call) => call.index === index)
    return id ? sameIndex.find((call) => call.callId === id) : sameIndex.at(-1)
  }

  return {
    get finishReason() {
      return finishReason
    },
    add(chunk) {
      const { choices, usage: counted } = asRecord(chunk)
      if (counted) usage = readOpenAiUsage(counted)
      const choice = asRecord(Array.isArray(choices) ? choices[0] : undefined)
      const delta = asRecord(choice.delta)
      const events: ModelEvent[] = []
      const reasoning = asText(delta.reasoning_content) || asText(delta.reasoning)
      if (reasoning) events.push({ type: 'reasoning-delta', text: reasoning })
      const text = asText(delta.content) || asText(delta.refusal)
      if (text) events.push({ type: 'text-delta', text })
      if (Array.isArray(delta.tool_calls)) delta.tool_calls.map(asRecord).forEach(addToolCall)
      if (choice.finish_reason) finishReason = mapOpenAiFinishReason(choice.finish_reason)
      return events
    },
    end() {
      const events: ModelEvent[] = calls.map(({ index: _, ...call }) => ({ type: 'tool-call', call }))
      events.push({ type: 'finish', reason: finishReason ?? 'other', usage })
      return events
    }
  }
}

export function readOpenAiUsage(value: unknown): Usage {
  const usage = asRecord(value)
  return {
    inputTokens: asCount(usage.prompt_tokens),
    outputTokens: asCount(usage.completion_tokens),
    cachedTokens: asCount(asRecord(usage.prompt_tokens_details).cached_tokens)
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function asCount(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.trunc(value) : 0
}
