import { and, eq, isNotNull } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import { memories, memorySources } from '../tables.ts'
import { createForgottenWords, takeOut } from './forgotten-words.ts'

interface Said {
  role: 'user' | 'assistant' | 'system'
  content: string
}

/** Messages as a prompt may hold them: without the words of what is forgotten and waits to be purged. */
export type HideForgotten = (tx: Tx, ownerId: string) => Promise<<M extends Said>(messages: M[]) => M[]>

/** Nearly always nothing waits, and then nothing is changed. */
export const hideForgotten: HideForgotten = async (tx, ownerId) => {
  const rows = await tx
    .select({ id: memories.id, text: memories.text, quote: memorySources.quote })
    .from(memories)
    .leftJoin(memorySources, and(eq(memorySources.ownerId, ownerId), eq(memorySources.memoryId, memories.id)))
    .where(and(eq(memories.ownerId, ownerId), isNotNull(memories.purgeAt)))
  if (rows.length === 0) return (messages) => messages
  const byMemory = [...Map.groupBy(rows, ({ id }) => id).values()]
  const facts = byMemory.map((said) => ({
    text: said[0]?.text ?? '',
    quotes: said.flatMap(({ quote }) => quote ?? [])
  }))
  const words = createForgottenWords(facts)
  return (messages) =>
    messages.map((message) => {
      const content = words.takeOutOf(message.content)
      const repeats = message.role === 'assistant' ? words.repeatsIn(content, []) : []
      return { ...message, content: takeOut(content, repeats).text }
    })
}
