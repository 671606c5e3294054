import type OpenAI from 'openai'
import type { Prompt, PromptImage, PromptMessage, ToolCall } from './model.ts'

type WireMessage = OpenAI.ChatCompletionMessageParam

/** The instructions and messages of a prompt as the chat completions wire format has them. */
export function toOpenAiMessages({ system, messages }: Pick<Prompt, 'system' | 'messages'>): WireMessage[] {
  const turns = messages.map(toMessage)
  return system ? [{ role: 'system', content: system.toWellFormed() }, ...turns] : turns
}

export function toOpenAiTools({ tools = [] }: Prompt) {
  if (tools.length === 0) return {}
  return {
    tools: tools.map(({ name, description, schema: parameters }) => ({
      type: 'function' as const,
      function: { name, description, parameters }
    }))
  }
}

function toMessage(message: PromptMessage): WireMessage {
  const content = message.content.toWellFormed()
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.callId, content }
  if (message.role === 'assistant') {
    if (!message.toolCalls?.length) return { role: 'assistant', content }
    return { role: 'assistant', content: content || null, tool_calls: message.toolCalls.map(toToolCall) }
  }
  if (!message.images?.length) return { role: 'user', content }
  const text = content ? [{ type: 'text' as const, text: content }] : []
  return { role: 'user', content: [...text, ...message.images.map(toImage)] }
}

function toImage({ mediaType, data }: PromptImage) {
  const base64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
  return { type: 'image_url' as const, image_url: { url: `data:${mediaType};base64,${base64}` } }
}

function toToolCall({ callId, name, arguments: text }: ToolCall) {
  return { id: callId, type: 'function' as const, function: { name, arguments: toObjectText(text) } }
}

/** What a model wrote as arguments may be no JSON, and Ollama and vLLM refuse the whole conversation for it. */
function toObjectText(text: string): string {
  return JSON.stringify(readArguments(text))
}

/** The arguments of a call; none where they cannot be read. */
export function readArguments(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
