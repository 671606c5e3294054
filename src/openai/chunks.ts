import type { Turn } from '../chat/schemas.ts'

/** The parts that every answer to one request has in common. */
export interface Frame {
  id: string
  created: number
  model: string
}

/** A whole reply, as OpenAI's API has it. */
export function toCompletion({ id, created, model }: Frame, { message, usage }: Turn): object {
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
        finish_reason: 'stop'
      }
    ],
    usage: toUsage(usage)
  }
}

/** A piece of a reply. */
export function toChunk(
  { id, created, model }: Frame,
  delta: object,
  finishReason: 'stop' | null = null
): object {
  return {
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }]
  }
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
