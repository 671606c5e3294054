import type {
  ContentBlock,
  ImageFormat,
  Message,
  SystemContentBlock,
  Tool,
  ToolConfiguration,
  ToolInputSchema
} from '@aws-sdk/client-bedrock-runtime'
import { LEFT_OUT } from './alternate-turns.ts'
import type { Prompt, PromptImage, PromptMessage, PromptTool } from './model.ts'
import { readArguments } from './openai-messages.ts'
import { putNotes } from './put-notes.ts'

type Json = ToolInputSchema.JsonMember['json']

const CACHE_POINT = { cachePoint: { type: 'default' as const } }

/**
 * A prompt as the Converse API has it: turns of user and assistant, none twice in a row, no text that is blank. `caches`: what
 * the next prompt begins with is kept, which is all that stands before the last turn.
 */
export function toConverseMessages(
  prompt: Prompt,
  caches = false
): {
  system?: SystemContentBlock[]
  messages: Message[]
} {
  const { system } = prompt
  const turns: { role: 'user' | 'assistant'; content: ContentBlock[] }[] = []
  for (const message of putNotes(prompt)) {
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const content = toContent(message)
    const last = turns.at(-1)
    if (content.length === 0) continue
    if (last?.role === role) last.content.push(...content)
    else turns.push({ role, content })
  }
  if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', content: [{ text: LEFT_OUT }] })
  if (caches) turns.at(-2)?.content.push(CACHE_POINT)
  const instructions = [{ text: system.toWellFormed() }, ...(caches ? [CACHE_POINT] : [])]
  return { ...(system.trim() && { system: instructions }), messages: turns }
}

/** A conversation that holds calls must name its tools, so that none are left out. */
export function toConverseTools({ tools = [] }: Prompt): { toolConfig?: ToolConfiguration } {
  return tools.length > 0 ? { toolConfig: { tools: tools.map(toTool) } } : {}
}

export function toTool({ name, description, schema }: PromptTool): Tool {
  return { toolSpec: { name, description: description || name, inputSchema: { json: schema as Json } } }
}

function toContent(message: PromptMessage): ContentBlock[] {
  const content = message.content.toWellFormed()
  const text = content.trim() ? [{ text: content }] : []
  if (message.role === 'tool') {
    const status = message.isError ? ('error' as const) : ('success' as const)
    return [{ toolResult: { toolUseId: message.callId, content: [{ text: content || ' ' }], status } }]
  }
  if (message.role === 'assistant') {
    const calls = (message.toolCalls ?? []).map(({ callId, name, arguments: written }) => ({
      toolUse: { toolUseId: callId, name, input: readArguments(written) as Json }
    }))
    return [...text, ...calls]
  }
  return [...(message.images ?? []).map(toImage), ...text]
}

function toImage({ mediaType, data }: PromptImage): ContentBlock {
  const format = mediaType.replace(/^image\//, '').replace(/^jpg$/, 'jpeg') as ImageFormat
  return { image: { format, source: { bytes: data } } }
}
