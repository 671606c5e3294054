import type { Prompt, PromptMessage } from './model.ts'

/** The messages as a language model reads them: the notes stand before the last words of the user, and apart from them. */
export function putNotes({ notes, messages }: Pick<Prompt, 'notes' | 'messages'>): PromptMessage[] {
  if (!notes) return messages
  const place = messages.findLastIndex(({ role }) => role === 'user')
  return messages.map((message, index) =>
    index === place ? { ...message, content: `${notes}\n\n${message.content}` } : message
  )
}
