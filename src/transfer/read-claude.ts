import { FileInvalid } from './errors.ts'
import { type IdOf, toInstant } from './moments-and-ids.ts'
import type { ArchivedConversation, ArchivedMessage } from './schemas.ts'

const ROLES = new Map<unknown, 'user' | 'assistant'>([
  ['human', 'user'],
  ['assistant', 'assistant']
])

/** Claude's `conversations.json`: messages one after the other. */
export function* readClaude(file: unknown[], idOf: IdOf): Generator<ArchivedConversation> {
  for (const entry of file) {
    const { uuid, name, created_at, updated_at, chat_messages } = entry as Record<string, unknown>
    if (typeof uuid !== 'string' || !Array.isArray(chat_messages)) throw new FileInvalid('Claude')
    const begun = toInstant(created_at)
    const messages: ArchivedMessage[] = []
    for (const [index, said] of chat_messages.entries()) {
      const message = toMessage(said, idOf(`${uuid} ${said?.uuid ?? index}`), messages.at(-1), begun)
      if (message) messages.push(message)
    }
    const [first] = messages
    if (!first) continue
    yield {
      id: idOf(uuid),
      title: typeof name === 'string' ? name.slice(0, 200).toWellFormed() : '',
      memoryPaused: false,
      createdAt: begun ?? first.createdAt,
      updatedAt: toInstant(updated_at) ?? messages.at(-1)?.createdAt ?? first.createdAt,
      messages
    }
  }
}

function toMessage(
  said: unknown,
  id: string,
  before: ArchivedMessage | undefined,
  begun: string | null
): ArchivedMessage | null {
  if (typeof said !== 'object' || said === null) throw new FileInvalid('Claude')
  const { sender, text, content, created_at } = said as Record<string, unknown>
  const role = ROLES.get(sender)
  const words = typeof text === 'string' && text.trim() !== '' ? text : joinBlocks(content)
  const createdAt = toInstant(created_at) ?? before?.createdAt ?? begun
  if (!role || words.trim() === '' || createdAt === null) return null
  return { id, parentId: before?.id ?? null, role, name: null, content: words, model: null, createdAt }
}

/** Newer exports hold a message in blocks, of which those of text are what was said. */
function joinBlocks(content: unknown): string {
  if (!Array.isArray(content)) return ''
  return content
    .filter((block) => block?.type === 'text' && typeof block.text === 'string')
    .map((block) => block.text)
    .join('\n')
}
