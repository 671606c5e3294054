import type { BroughtAlong } from '../chat/start-turn.ts'
import { ParameterUnsupported } from './errors.ts'
import type { CompletionBody, OpenAiMessage } from './schemas.ts'

/** Read by PAI. */
const READ = ['model', 'messages', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens']
/**
 * Wishes about how a model writes, or marks for the provider's own books: the reply is an answer without them too, so they
 * are taken and not passed on.
 */
const BORNE = [
  'temperature',
  'top_p',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'reasoning_effort',
  'verbosity',
  'user',
  'metadata',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'service_tier',
  'parallel_tool_calls'
]
/** Taken with the value that says nothing else than what PAI does anyway. */
const ONLY: Record<string, (value: unknown) => boolean> = {
  n: (value) => value === 1,
  logprobs: (value) => value === false,
  store: (value) => value === false,
  tools: isEmpty,
  functions: isEmpty,
  tool_choice: (value) => value === 'none' || value === 'auto',
  function_call: (value) => value === 'none' || value === 'auto',
  stop: isEmpty,
  logit_bias: isEmpty,
  modalities: (value) => JSON.stringify(value) === '["text"]',
  response_format: (value) => (value as { type?: unknown }).type === 'text'
}

/** Refuses what would change the answer if it were not heeded, by the name of the field. */
export function refuseUnsupported(body: CompletionBody): void {
  for (const [name, value] of Object.entries(body)) {
    if (value === null || READ.includes(name) || BORNE.includes(name)) continue
    const isTaken = Object.hasOwn(ONLY, name) ? ONLY[name] : undefined
    if (!isTaken) throw refusal('Unrecognized request argument', name)
    if (!isTaken(value)) throw refusal('This value is not supported by PAI', name)
  }
}

/** What the messages say: instructions, and the conversation up to the owner's own words, which come last. */
export function readMessages(messages: OpenAiMessage[]): {
  said: BroughtAlong['said']
  instructions: string
} {
  const instructions: string[] = []
  const said: BroughtAlong['said'] = []
  for (const [index, { role, content }] of messages.entries()) {
    const text = readContent(content, `messages.${index}.content`)
    if (role === 'system' || role === 'developer') instructions.push(text)
    else if (role === 'user' || role === 'assistant') {
      if (text.trim()) said.push({ role, content: text })
    } else throw refusal(`Messages of the role ${role} are not supported by PAI`, `messages.${index}.role`)
  }
  if (said.at(-1)?.role !== 'user') {
    throw refusal('The last message must be the user’s, and say something', 'messages')
  }
  return { said, instructions: instructions.join('\n\n') }
}

function readContent(content: OpenAiMessage['content'], param: string): string {
  if (content === null || content === undefined) return ''
  if (typeof content === 'string') return content
  return content
    .map((part, index) => {
      if ('text' in part) return part.text
      throw refusal(`Parts of the type ${part.type} are not supported by PAI`, `${param}.${index}`)
    })
    .join('\n')
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** OpenAI's clients read the name of the field from the error itself. */
function refusal(reason: string, param: string): Error {
  return Object.assign(new ParameterUnsupported(reason, param), { param })
}
