import { APIError } from 'openai'
import { tokensOf } from '../search/pack.ts'
import { foldSystem, refusesSystem } from './alternate-turns.ts'
import { ModelRefused, ModelTimeout } from './errors.ts'
import { estimateUsage, requestTokens, usageOr, wasLeft } from './estimate-usage.ts'
import { readOpenAiUsage } from './fold-openai-chunks.ts'
import { mapOpenAiError } from './map-openai-error.ts'
import type { StructuredModel, StructuredRequest, Usage } from './model.ts'
import { toOpenAiMessages } from './openai-messages.ts'
import { createClient, modelId, type OpenAiSettings } from './openai-server.ts'
import { describeSchema, parseAnswer } from './read-answer.ts'
import { MODEL_TIMEOUTS, withinTime } from './silence.ts'
import { tellOnce } from './usage-meter.ts'

interface Call {
  request: StructuredRequest
  signal: AbortSignal
  /** Hears of what it took. */
  tell: (usage: Usage) => void
}

export function createOpenAiStructuredModel(settings: OpenAiSettings): StructuredModel {
  const { model, timeouts = MODEL_TIMEOUTS, onUsage } = settings
  const client = createClient(settings)
  const id = modelId(settings)
  let knowsSchemas = true
  let takesSystem = true

  function toMessages(system: string, user: string) {
    const apart = { system, messages: [{ role: 'user' as const, content: user }] }
    return toOpenAiMessages(takesSystem ? apart : foldSystem(apart))
  }

  async function ask({ request, signal, tell }: Call, withSchema: boolean) {
    const completion = await client.chat.completions.create(
      {
        model,
        messages: toMessages(withSchema ? request.system : describeSchema(request), request.user),
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
    tell(usage)
    if (choice?.message.refusal || choice?.finish_reason === 'content_filter') throw new ModelRefused(id)
    return { value: parseAnswer(choice?.message.content ?? '', id), usage }
  }

  async function askAsBestItCan(call: Call): Promise<{ value: unknown; usage: Usage }> {
    if (!knowsSchemas) return ask(call, false)
    try {
      return await ask(call, true)
    } catch (error) {
      if (takesSystem && refusesSystem(error)) {
        takesSystem = false
        return askAsBestItCan(call)
      }
      if (!(error instanceof APIError && error.status === 400)) throw error
      const answer = await ask(call, false)
      // Only now is it known that the schema was the fault and not the request.
      knowsSchemas = false
      return answer
    }
  }

  return {
    id,
    async complete(request, signal) {
      signal.throwIfAborted()
      const tell = tellOnce(onUsage, id, 'structured')
      const onTooLong = () => new ModelTimeout(id)
      try {
        return await withinTime(timeouts.answerMs, signal, onTooLong, (signal) =>
          askAsBestItCan({ request, signal, tell })
        )
      } catch (error) {
        const failure = mapOpenAiError(error, id)
        if (wasLeft(failure, signal)) tell(estimateUsage(requestTokens(request), 0))
        signal.throwIfAborted()
        throw failure
      }
    }
  }
}
