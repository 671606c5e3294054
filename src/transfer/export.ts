import type { Database, Tx } from '../db/client.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import * as store from './export-store.ts'
import type { Archive, ArchivedMessage } from './schemas.ts'

/** Read and sent at a time: an export of any size needs no more memory than this. */
const ROWS_AT_ONCE = 200

/** By so much of a message it is known again. */
const BEGINNING = 60

/** Of an account that is removed while it is exported. */
const UNKNOWN: Archive['account'] = {
  name: '',
  timezone: 'UTC',
  locale: 'en',
  instructions: '',
  memoryPaused: false
}

export interface Exporting {
  database: Database
  /** What the owner's profile says now, without what is forgotten or no longer true. */
  readCurrentProfile: (tx: Tx, ownerId: string) => Promise<Archive['profile']>
  hiding: Hiding
  now: () => Date
}

/** All of an owner's own, piece by piece. */
export interface Pieces {
  head: Pick<Archive, 'account' | 'profile' | 'exportedAt'>
  conversations(): AsyncGenerator<store.ConversationHead>
  /** With the bytes of their images, or only with what these are called. */
  messagesOf(conversationId: string, withImages: boolean): AsyncGenerator<ArchivedMessage>
  memories(): AsyncGenerator<Archive['memories'][number]>
  conflicts(): AsyncGenerator<Archive['conflicts'][number]>
}

export async function gatherPieces(
  { database, readCurrentProfile, hiding, now }: Exporting,
  ownerId: string
): Promise<Pieces> {
  const [account = UNKNOWN, profile] = await database.readInOwner(ownerId, async (tx) => [
    await store.loadAccount(tx, ownerId),
    await readCurrentProfile(tx, ownerId)
  ])

  async function* pages<Row extends { id: string }>(
    list: (tx: Tx, ownerId: string, after: string | null, limit: number) => Promise<Row[]>
  ): AsyncGenerator<Row> {
    for (let after: string | null = null; ; ) {
      const from: string | null = after
      const rows: Row[] = await database.readInOwner(ownerId, (tx) => list(tx, ownerId, from, ROWS_AT_ONCE))
      yield* rows
      if (rows.length < ROWS_AT_ONCE) return
      after = rows.at(-1)?.id ?? null
    }
  }

  const imagesOf = (messageId: string, withData: boolean) =>
    database.readInOwner(ownerId, (tx) => store.listImages(tx, ownerId, messageId, withData))

  return {
    head: {
      exportedAt: now().toISOString(),
      account,
      profile
    },
    conversations: () =>
      pages(async (tx, ...page) =>
        (await hiding.titles(tx, ownerId, store.listConversations(tx, ...page))).map(store.toHead)
      ),
    memories: () => pages((...page) => store.listMemories(hiding, ...page)),
    conflicts: () => pages(store.listConflicts),
    async *messagesOf(conversationId, withImages) {
      for (let after = 0; ; ) {
        const from = after
        const rows = await database.readInOwner(ownerId, (tx) =>
          hiding.messages(tx, ownerId, store.listMessages(tx, ownerId, conversationId, from, ROWS_AT_ONCE))
        )
        for (const row of rows) {
          const message = store.toArchived(row)
          if (!row.hasImages) yield message
          // A message at a time: its images may be as large as everything else together.
          else yield { ...message, attachments: await imagesOf(message.id, withImages) }
        }
        if (rows.length < ROWS_AT_ONCE) return
        after = rows.at(-1)?.sequence ?? after
      }
    }
  }
}

/** The archive as JSON text, a piece at a time. */
export async function* exportJson(pieces: Pieces): AsyncGenerator<string> {
  const head = { format: 'pai-export', version: 1, ...pieces.head }
  yield `${JSON.stringify(head).slice(0, -1)},\n"conversations":[`
  let between = '\n'
  for await (const conversation of pieces.conversations()) {
    yield `${between}${JSON.stringify(conversation).slice(0, -1)},"messages":[`
    yield* toJsonList(pieces.messagesOf(conversation.id, true))
    yield ']}'
    between = ',\n'
  }
  yield '],\n"memories":['
  yield* toJsonList(pieces.memories())
  yield '],\n"conflicts":['
  yield* toJsonList(pieces.conflicts())
  yield ']}\n'
}

/** The items of a JSON list, a piece at a time. */
export async function* toJsonList(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let between = '\n'
  for await (const item of items) {
    yield between + JSON.stringify(item)
    between = ',\n'
  }
}

/** The same to be read by people. */
export async function* exportMarkdown(pieces: Pieces): AsyncGenerator<string> {
  const { exportedAt, account, profile } = pieces.head
  yield `# What PAI knows\n\nExported on ${day(exportedAt)}${account.name ? ` for ${inline(account.name)}` : ''}.\n`
  if (profile?.text) yield `\n## Profile\n\n${profile.text}\n`
  yield '\n## Memories\n'
  for await (const memory of pieces.memories()) {
    const { text, category, status, validFrom, validTo, sources } = memory
    const held = [validFrom && `from ${day(validFrom)}`, validTo && `until ${day(validTo)}`].filter(Boolean)
    yield `\n- ${inline(text)} (${[inline(category), status, ...held].join(', ')})\n`
    for (const { quote, saidAt } of sources) yield `  > ${inline(quote)} (${day(saidAt)})\n`
  }
  yield '\n## Conversations\n'
  for await (const { id, title, createdAt } of pieces.conversations()) {
    yield `\n### ${inline(title) || 'Untitled'} (${day(createdAt)})\n`
    yield* renderMessages(pieces.messagesOf(id, false), account.name)
  }
}

/** Messages in the order they came, with a word where one does not follow the one above it. */
export async function* renderMessages(
  messages: AsyncIterable<ArchivedMessage>,
  ownName: string
): AsyncGenerator<string> {
  const beginnings = new Map<string | null, string>()
  let above: string | null = null
  for await (const message of messages) {
    const { id, parentId, role, name, content, createdAt, attachments: images = [] } = message
    const who = name ?? (role === 'user' ? ownName || 'You' : role === 'assistant' ? 'PAI' : 'System')
    const answered = parentId === null ? 'Begun anew' : `In answer to “${beginnings.get(parentId) ?? ''}”`
    const branch = parentId === above ? '' : `\n*${answered}:*\n`
    const shown = images.map((image) => `\n[image: ${inline(image.name ?? image.mediaType)}]\n`).join('')
    yield `${branch}\n**${inline(who)}** (${createdAt.slice(0, 16).replace('T', ' ')}):\n\n${content}\n${shown}`
    beginnings.set(id, inline(content.slice(0, BEGINNING)).toWellFormed())
    above = id
  }
}

function day(instant: string): string {
  return instant.slice(0, 10)
}

export function inline(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
