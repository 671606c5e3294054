import { APIError } from 'openai'
import { tokensOf } from '../search/pack.ts'
import { ModelRefused, ModelTimeout } from './errors.ts'
import { estimateUsage, requestTokens, usageOr, wasLeft } from './estimate-usage.ts'
import { readOpenAiUsage } from './fold-openai-chunks.ts'
import { mapOpenAiError } from './map-openai-error.ts'
import type { StructuredModel, StructuredRequest } from './model.ts'
import { createClient, modelId, type OpenAiSettings } from './openai-server.ts'
import { describeSchema, parseAnswer } from './read-answer.ts'
import { MODEL_TIMEOUTS, withinTime } from './silence.ts'

export function createOpenAiStructuredModel(settings: OpenAiSettings): StructuredModel {
  const { model, timeouts = MODEL_TIMEOUTS, onUsage } = settings
  const client = createClient(settings)
  const id = modelId(settings)
  let knowsSchemas = true

  async function ask(request: StructuredRequest, withSchema: boolean, signal: AbortSignal) {
    const completion = await client.chat.completions.create(
      {
        model,
        messages: [
          { role: 'system', content: withSchema ? request.system.toWellFormed() : describeSchema(request) },
          { role: 'user', content: request.user.toWellFormed() }
        ],
        response_format: withSchema
          ? { type: 'json_schema', json_schema: { name: request.name, schema: request.schema, strict: true } }
          : { type: 'json_object' }
      },
      { signal, timeout: timeouts.answerMs }
    )
    const choice = completion.choices[0]
    const usage = usageOr(readOpenAiUsage(completion.usage), () =>
      estimateUsage(requestTokens(request), tokensOf(choice?.message.content ?? ''))
    )
    onUsage?.({ model: id, kind: 'structured', usage })
    if (choice?.message.refusal || choice?.finish_reason === 'content_filter') throw new ModelRefused(id)
    return { value: parseAnswer(choice?.message.content ?? '', id), usage }
  }

  async function askAsBestItCan(request: StructuredRequest, signal: AbortSignal) {
    if (!knowsSchemas) return ask(request, false, signal)
    try {
      return await ask(request, true, signal)
    } catch (error) {
      if (!(error instanceof APIError && error.status === 400)) throw error
      const answer = await ask(request, false, signal)
      // Only now is it known that the schema was the fault and not the request.
      knowsSchemas = false
      return answer
    }
  }

  return {
    id,
    async complete(request, signal) {
      signal.throwIfAborted()
      const onTooLong = () => new ModelTimeout(id)
      try {
        return await withinTime(timeouts.answerMs, signal, onTooLong, (signal) =>
          askAsBestItCan(request, signal)
        )
      } catch (error) {
        const failure = mapOpenAiError(error, id)
        if (wasLeft(failure, signal)) {
          const usage = estimateUsage(requestTokens(request), 0)
          onUsage?.({ model: id, kind: 'structured', usage })
        }
        signal.throwIfAborted()
        throw failure
      }
    }
  }
}
