import { inline, type Pieces, renderMessages, toJsonList } from './export.ts'
import type { ConversationHead } from './export-store.ts'

const MAX_NAME = 60

/** One conversation with all its branches and images, as JSON text that an import takes. */
export async function* exportConversationJson(
  pieces: Pieces,
  head: ConversationHead
): AsyncGenerator<string> {
  const { exportedAt } = pieces.head
  yield `${JSON.stringify({ format: 'pai-conversation', version: 1, exportedAt }).slice(0, -1)},\n"conversation":`
  yield `${JSON.stringify(head).slice(0, -1)},"messages":[`
  yield* toJsonList(pieces.messagesOf(head.id, true))
  yield ']}}\n'
}

/** The same to be read by people. */
export async function* exportConversationMarkdown(
  pieces: Pieces,
  { id, title, createdAt }: ConversationHead
): AsyncGenerator<string> {
  yield `# ${inline(title) || 'Untitled'}\n\n${createdAt.slice(0, 10)}\n`
  yield* renderMessages(pieces.messagesOf(id, false), pieces.head.account.name)
}

/** What a file of it is called: its title, as far as every system takes it, and the day. */
export function nameOfExport({ title }: ConversationHead, exportedAt: string, extension: string): string {
  const words = title.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
  const name = words
    .slice(0, MAX_NAME)
    .toWellFormed()
    .replaceAll('\ufffd', '')
    .replace(/^-+|-+$/g, '')
  return `${name || 'conversation'}-${exportedAt.slice(0, 10)}.${extension}`
}
