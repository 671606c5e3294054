import { beginSpan, isTracing, type Span, traced } from '../telemetry/traced.ts'
import type { BatchEmbedder } from './embed-in-batches.ts'
import type { ChatModel, FinishReason, StructuredModel, Usage } from './model.ts'

interface Maker {
  chat(model: string): ChatModel
  structured(model: string): StructuredModel
  embedder(model: string, dimensions: number): BatchEmbedder | null
}

/** Has every call of a provider's models be a span, named as OpenTelemetry names calls of generative models. */
export function traceCalls<Provider extends Maker>(name: string, provider: Provider): Provider {
  if (!isTracing()) return provider
  const call = (operation: string, model: string) => ({
    name: `${operation} ${model}`,
    kind: 'client' as const,
    facts: {
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': name === 'bedrock' ? 'aws.bedrock' : name,
      'gen_ai.request.model': model
    }
  })
  return {
    ...provider,
    chat(model) {
      const made = provider.chat(model)
      return {
        ...made,
        stream: (prompt, signal) => traceStream(call('chat', model), made.stream(prompt, signal), signal)
      }
    },
    structured(model) {
      const made = provider.structured(model)
      return {
        ...made,
        complete: (request, signal) =>
          traced(call('chat', model), async (span) => {
            const answer = await made.complete(request, signal)
            noteUsage(span, answer.usage)
            return answer
          })
      }
    },
    embedder(model, dimensions) {
      const made = provider.embedder(model, dimensions)
      return (
        made && {
          ...made,
          embedBatch: (texts, signal) =>
            traced(call('embeddings', model), async (span) => {
              const answer = await made.embedBatch(texts, signal)
              span.note({ 'gen_ai.usage.input_tokens': answer.inputTokens })
              return answer
            })
        }
      )
    }
  }
}

async function* traceStream(
  work: Parameters<typeof beginSpan>[0],
  events: ReturnType<ChatModel['stream']>,
  signal: AbortSignal
): ReturnType<ChatModel['stream']> & AsyncGenerator {
  const span = beginSpan(work)
  const began = performance.now()
  let isSilent = true
  let failure: unknown
  try {
    for await (const event of events) {
      if (isSilent) span.note({ 'gen_ai.response.time_to_first_chunk': (performance.now() - began) / 1_000 })
      isSilent = false
      if (event.type === 'finish') noteEnd(span, event)
      yield event
    }
  } catch (error) {
    // Who leaves early has not been failed.
    if (!signal.aborted) failure = error
    throw error
  } finally {
    span.end(failure)
  }
}

function noteEnd(span: Span, { reason, usage }: { reason: FinishReason; usage: Usage }): void {
  span.note({ 'gen_ai.response.finish_reasons': [reason] })
  noteUsage(span, usage)
}

function noteUsage(span: Span, { inputTokens, outputTokens, cachedTokens }: Usage): void {
  span.note({
    'gen_ai.usage.input_tokens': inputTokens,
    'gen_ai.usage.output_tokens': outputTokens,
    'gen_ai.usage.cache_read.input_tokens': cachedTokens
  })
}
