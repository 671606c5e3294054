import type { ConverseCommandInput, ConverseCommandOutput } from '@aws-sdk/client-bedrock-runtime'
import { tokensOf } from '../search/pack.ts'
import type { Bedrock } from './bedrock.ts'
import { toTool } from './bedrock-messages.ts'
import { codeOf, ModelRefused, ModelTimeout, ModelUnreadable } from './errors.ts'
import { estimateUsage, requestTokens, usageOr, wasLeft } from './estimate-usage.ts'
import { mapStopReason, readConverseUsage } from './fold-converse-events.ts'
import { mapBedrockError } from './map-bedrock-error.ts'
import type { StructuredModel, StructuredRequest, Usage } from './model.ts'
import { describeSchema, parseAnswer } from './read-answer.ts'
import { MODEL_TIMEOUTS, withinTime } from './silence.ts'
import { tellOnce } from './usage-meter.ts'

interface Call {
  request: StructuredRequest
  signal: AbortSignal
  /** Hears of what it took. */
  tell: (usage: Usage) => void
}

/** Holds a model to a shape by the one tool it must call; one that cannot be made to is told in words. */
export function createBedrockStructuredModel(bedrock: Bedrock, model: string): StructuredModel {
  const { timeouts = MODEL_TIMEOUTS, onUsage } = bedrock
  const id = `bedrock:${model}`
  let takesOrders = true

  async function ask({ request, signal, tell }: Call, withTool: boolean) {
    const { sdk, client } = await bedrock.open()
    const input: ConverseCommandInput = {
      modelId: model,
      system: [{ text: withTool ? request.system.toWellFormed() : describeSchema(request) }],
      messages: [{ role: 'user', content: [{ text: request.user.toWellFormed() }] }],
      ...(withTool && { toolConfig: toForcedTool(request) })
    }
    const answer = await client.send(new sdk.ConverseCommand(input), { abortSignal: signal })
    const usage = usageOr(readConverseUsage(answer.usage), () =>
      estimateUsage(requestTokens(request), tokensOf(JSON.stringify(answer.output?.message?.content ?? '')))
    )
    tell(usage)
    return { value: readValue(answer), usage }
  }

  function readValue({ output, stopReason }: ConverseCommandOutput): unknown {
    if (mapStopReason(stopReason) === 'content-filter') throw new ModelRefused(id)
    const content = output?.message?.content ?? []
    const called = content.find(({ toolUse }) => toolUse)?.toolUse?.input
    if (called !== undefined) return called
    const text = content.map((block) => block.text ?? '').join('')
    if (!text) throw new ModelUnreadable(id)
    return parseAnswer(text, id)
  }

  async function askAsBestItCan(call: Call) {
    if (!takesOrders) return ask(call, false)
    try {
      return await ask(call, true)
    } catch (error) {
      const refused = error instanceof Error && error.name === 'ValidationException'
      if (!refused || codeOf(mapBedrockError(error, id)) !== 'PAI_MODEL_REFUSED') throw error
      const answer = await ask(call, false)
      // Only now is it known that the tool was the fault and not the request.
      takesOrders = false
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
        const failure = mapBedrockError(error, id)
        if (wasLeft(failure, signal)) tell(estimateUsage(requestTokens(request), 0))
        signal.throwIfAborted()
        throw failure
      }
    }
  }
}

function toForcedTool({ name, schema }: StructuredRequest) {
  return {
    tools: [toTool({ name, description: 'Takes the answer.', schema })],
    toolChoice: { tool: { name } }
  }
}
