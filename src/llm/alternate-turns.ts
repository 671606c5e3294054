import type { PromptMessage } from './model.ts'

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
