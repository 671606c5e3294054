import Value from 'typebox/value'
import { FileInvalid, FileUnknown } from './errors.ts'
import { idIn, toInstant } from './moments-and-ids.ts'
import { readChatgpt } from './read-chatgpt.ts'
import { readClaude } from './read-claude.ts'
import { Archive, type ArchivedConversation, ConversationFile, type ImportReport } from './schemas.ts'

/** What an import holds, wherever it comes from. */
export interface Imported {
  source: ImportReport['source']
  conversations: ArchivedConversation[]
  /** Memories and the rest, where the file is PAI's own. */
  archive: Archive | null
}

/** Knows a file by its shape, and reads it. Throws where it is none of those that are known, or is broken. */
export function readFile(file: unknown): Imported {
  if (!Array.isArray(file)) return readOwn(file)
  const first: unknown = file[0]
  if (typeof first !== 'object' || first === null) throw new FileUnknown()
  // Read to the end before anything is stored: what is broken somewhere is refused as a whole.
  const entries = file.map((entry: unknown) => (typeof entry === 'object' && entry !== null ? entry : {}))
  if ('mapping' in first) {
    return { source: 'chatgpt', conversations: [...readChatgpt(entries, idIn('chatgpt'))], archive: null }
  }
  if ('chat_messages' in first) {
    return { source: 'claude', conversations: [...readClaude(entries, idIn('claude'))], archive: null }
  }
  throw new FileUnknown()
}

/** All of an owner's, or one conversation. */
function readOwn(file: unknown): Imported {
  const format = typeof file === 'object' && file !== null && 'format' in file ? file.format : null
  if (format === 'pai-conversation') {
    if (!Value.Check(ConversationFile, file)) throw new FileInvalid('PAI')
    const conversations = [file.conversation]
    if (!areMoments(momentsOf(conversations))) throw new FileInvalid('PAI')
    return { source: 'pai', conversations, archive: null }
  }
  if (format !== 'pai-export') throw new FileUnknown()
  if (!Value.Check(Archive, file) || !hasDates(file)) throw new FileInvalid('PAI')
  return { source: 'pai', conversations: file.conversations, archive: file }
}

type Moment = string | null | undefined

function momentsOf(conversations: ArchivedConversation[]): Moment[] {
  return conversations.flatMap(({ createdAt, updatedAt, archivedAt, messages }) => [
    createdAt,
    updatedAt,
    archivedAt,
    ...messages.map((message) => message.createdAt)
  ])
}

function areMoments(moments: Moment[]): boolean {
  return moments.every((moment) => (moment ?? null) === null || toInstant(moment) !== null)
}

function hasDates({ conversations, memories, conflicts, profile }: Archive): boolean {
  const moments = [
    profile?.builtAt ?? null,
    ...momentsOf(conversations),
    ...memories.flatMap(({ createdAt, validFrom, validTo, closedAt, sources, history }) => [
      createdAt,
      validFrom,
      validTo,
      closedAt,
      ...sources.map(({ saidAt }) => saidAt),
      ...history.flatMap((entry) => [entry.createdAt, entry.undoneAt])
    ]),
    ...conflicts.flatMap(({ createdAt, resolvedAt }) => [createdAt, resolvedAt])
  ]
  return areMoments(moments)
}
