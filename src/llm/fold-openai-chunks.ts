import { mapOpenAiFinishReason } from './map-openai-finish-reason.ts'
import type { FinishReason, ModelEvent, ToolCall, Usage } from './model.ts'
import { createThoughtSplitter } from './split-thoughts.ts'
import type { ArrivingReply } from './stream-reply.ts'
import { NO_USAGE } from './usage-meter.ts'

/** So many, a call counts by itself: one may have no arguments, and there may be calls without end. */
export const CALL_CHARACTERS = 100

/** A reply in chunks of the chat completions format. Trusts nothing about a chunk's shape: compatible servers leave fields out and fill in others. */
export function createOpenAiReply({ splitsThoughts = false } = {}): ArrivingReply<unknown> {
  const thoughts = createThoughtSplitter()
  const calls: Array<ToolCall & { index: unknown }> = []
  let finishReason: FinishReason | null = null
  let usage: Usage | null = null
  let held = 0

  function addToolCall(part: Record<string, unknown>): void {
    const id = asText(part.id)
    const name = asText(asRecord(part.function).name)
    const known = findCall(part.index, id, name)
    const call = known ?? { index: part.index, callId: id || `call_${calls.length}`, name: '', arguments: '' }
    if (!known) calls.push(call)
    if (!call.name) call.name = name
    const more = asArguments(asRecord(part.function).arguments)
    call.arguments += more
    held += more.length + (known ? 0 : CALL_CHARACTERS + id.length + name.length)
  }

  /**
   * Some servers give every call index 0, or none, and some give no ids: a new id is a new call, and so is a name after
   * arguments that are whole; anything else continues the last.
   */
  function findCall(index: unknown, id: string, name: string) {
    const sameIndex = calls.filter((call) => call.index === index)
    if (id) return sameIndex.find((call) => call.callId === id)
    const last = sameIndex.at(-1)
    return last && name && isWhole(last.arguments) ? undefined : last
  }

  return {
    get finishReason() {
      return finishReason
    },
    get usage() {
      return usage
    },
    get held() {
      return held
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
      if (text && splitsThoughts) events.push(...thoughts.add(text))
      else if (text) events.push({ type: 'text-delta', text })
      const parts = Array.isArray(delta.tool_calls) ? delta.tool_calls.map(asRecord) : []
      parts.forEach(addToolCall)
      if (choice.finish_reason) finishReason = mapOpenAiFinishReason(choice.finish_reason)
      return {
        events,
        isProgress: events.length + parts.length + text.length > 0 || Boolean(choice.finish_reason)
      }
    },
    end() {
      const events = thoughts.rest()
      for (const { index: _, ...call } of calls) events.push({ type: 'tool-call', call })
      // Some servers end a reply that calls with a plain stop.
      const reason = calls.length > 0 && finishReason === 'stop' ? 'tool-calls' : (finishReason ?? 'other')
      events.push({ type: 'finish', reason, usage: usage ?? NO_USAGE })
      return events
    }
  }
}

export function readOpenAiUsage(value: unknown): Usage {
  const usage = asRecord(value)
  const reasoningTokens = asCount(asRecord(usage.completion_tokens_details).reasoning_tokens)
  return {
    inputTokens: asCount(usage.prompt_tokens),
    outputTokens: asCount(usage.completion_tokens),
    cachedTokens: asCount(asRecord(usage.prompt_tokens_details).cached_tokens),
    ...(reasoningTokens > 0 && { reasoningTokens })
  }
}

function isWhole(json: string): boolean {
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Some servers send them parsed. */
function asArguments(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : asText(value)
}

function asCount(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.trunc(value) : 0
}
