import type { Prompt, PromptMessage } from './model.ts'

/** Stands for what was left out before the first message: a conversation has to begin with its user. */
export const LEFT_OUT = '…'

/**
 * The same messages as turns of user and assistant, none twice in a row and the user's first: the chat templates of Gemma,
 * Mistral and others know nothing else, and a server refuses the whole conversation for it. A message that got no reply is
 * enough to have two of the user's.
 */
export function alternateTurns(messages: PromptMessage[]): PromptMessage[] {
  const turns: PromptMessage[] = []
  for (const message of messages) {
    const last = turns.at(-1)
    const joined = last && join(last, message)
    if (joined) turns[turns.length - 1] = joined
    else turns.push(message)
  }
  return turns[0]?.role === 'assistant' ? [{ role: 'user', content: LEFT_OUT }, ...turns] : turns
}

/** How Gemma's and older templates of Mistral refuse a message of the system's. */
const NO_SYSTEM =
  /system role|not support 'system'|only (?:the )?user and assistant roles|roles must alternate/i

/** Whether a server refused a prompt because its model knows no instructions apart from what its user says. */
export function refusesSystem(error: unknown): boolean {
  const { status, message } = error as { status?: unknown; message?: unknown }
  return (status === 400 || status === 500) && typeof message === 'string' && NO_SYSTEM.test(message)
}

/** The same for such a model: the instructions stand before the first words of the user. */
export function foldSystem({ system, messages }: Pick<Prompt, 'system' | 'messages'>) {
  const first = system ? [{ role: 'user' as const, content: system }] : []
  return { system: '', messages: alternateTurns([...first, ...messages]) }
}

/** Two messages as one, where both are of the user, or both of the assistant in words alone. */
function join(one: PromptMessage, next: PromptMessage): PromptMessage | null {
  const content = [one.content, next.content].filter(Boolean).join('\n\n')
  if (one.role === 'user' && next.role === 'user') {
    const images = [...(one.images ?? []), ...(next.images ?? [])]
    return { role: 'user', content, ...(images.length > 0 && { images }) }
  }
  const inWords = (message: PromptMessage) => message.role === 'assistant' && !message.toolCalls?.length
  return inWords(one) && inWords(next) ? { role: 'assistant', content } : null
}
