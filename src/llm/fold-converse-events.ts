import type { ConverseStreamOutput, StopReason, TokenUsage } from '@aws-sdk/client-bedrock-runtime'
import { CALL_CHARACTERS } from './fold-openai-chunks.ts'
import type { FinishReason, ModelEvent, ToolCall, Usage } from './model.ts'
import type { ArrivingReply } from './stream-reply.ts'
import { NO_USAGE } from './usage-meter.ts'

/** A reply in the events of Bedrock's Converse API. */
export function createConverseReply(): ArrivingReply<ConverseStreamOutput> {
  const calls = new Map<number | undefined, ToolCall>()
  let finishReason: FinishReason | null = null
  let usage: Usage | null = null
  let held = 0

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
    add({ contentBlockStart, contentBlockDelta, messageStop, metadata }) {
      const begun = contentBlockStart?.start?.toolUse
      if (begun) {
        const { toolUseId: callId = '', name = '' } = begun
        calls.set(contentBlockStart.contentBlockIndex, { callId, name, arguments: '' })
        held += CALL_CHARACTERS + callId.length + name.length
      }
      const delta = contentBlockDelta?.delta
      const call = calls.get(contentBlockDelta?.contentBlockIndex)
      const more = delta?.toolUse?.input ?? ''
      if (call) call.arguments += more
      held += more.length
      if (messageStop) finishReason = mapStopReason(messageStop.stopReason)
      if (metadata) usage = readConverseUsage(metadata.usage)
      const events: ModelEvent[] = []
      if (delta?.reasoningContent?.text)
        events.push({ type: 'reasoning-delta', text: delta.reasoningContent.text })
      if (delta?.text) events.push({ type: 'text-delta', text: delta.text })
      return { events, isProgress: Boolean(begun || delta || messageStop || metadata) }
    },
    end() {
      const events: ModelEvent[] = [...calls.values()].map((call) => ({ type: 'tool-call', call }))
      events.push({
        type: 'finish',
        reason: finishReason ?? 'other',
        usage: usage ?? NO_USAGE
      })
      return events
    }
  }
}

const REASONS: Partial<Record<StopReason, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  guardrail_intervened: 'content-filter',
  content_filtered: 'content-filter'
}

export function mapStopReason(reason: StopReason | undefined): FinishReason {
  return (reason && REASONS[reason]) ?? 'other'
}

/** Bedrock counts what was read from its cache, and written to it, beside the input; elsewhere it is a part of it. */
export function readConverseUsage(usage: TokenUsage | undefined): Usage {
  const {
    inputTokens = 0,
    outputTokens = 0,
    cacheReadInputTokens = 0,
    cacheWriteInputTokens = 0
  } = usage ?? {}
  return {
    inputTokens: inputTokens + cacheReadInputTokens + cacheWriteInputTokens,
    outputTokens,
    cachedTokens: cacheReadInputTokens
  }
}
