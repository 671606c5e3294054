import type { Turn } from '../chat/schemas.ts'
import type { FinishReason } from '../llm/model.ts'

type OpenAiFinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

const REASONS: Partial<Record<FinishReason, OpenAiFinishReason>> = {
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter'
}

/** Why a reply ended, in OpenAI's words; a model that said nothing of it has stopped. */
export function toFinishReason(reason: FinishReason | null | undefined): OpenAiFinishReason {
  return (reason && REASONS[reason]) || 'stop'
}

/** The parts that every answer to one request has in common. */
export interface Frame {
  id: string
  created: number
  model: string
}

/** A whole reply, as OpenAI's API has it. */
export function toCompletion({ id, created, model }: Frame, { message, usage, finishReason }: Turn): object {
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: message?.content ?? '', refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: toFinishReason(finishReason)
      }
    ],
    usage: toUsage(usage)
  }
}

/** A piece of a reply. */
export function toChunk(
  { id, created, model }: Frame,
  delta: object,
  finishReason: OpenAiFinishReason | null = null
): object {
  return {
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }]
  }
}

/** The same where usage was asked for, which the last piece brings: each before it says that it does not. */
export function toChunkBeforeUsage(...piece: Parameters<typeof toChunk>): object {
  return { ...toChunk(...piece), usage: null }
}

/** The last piece where usage was asked for. */
export function toUsageChunk({ id, created, model }: Frame, usage: Turn['usage']): object {
  return { id, object: 'chat.completion.chunk', created, model, choices: [], usage: toUsage(usage) }
}

function toUsage({ inputTokens, outputTokens, cachedTokens }: Turn['usage']): object {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens }
  }
}
