import type { Database, Tx } from '../db/client.ts'
import * as store from './export-store.ts'
import type { Archive } from './schemas.ts'

/** Read and sent at a time: an export of any size needs no more memory than this. */
const ROWS_AT_ONCE = 200

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
  now: () => Date
}

/** All of an owner's own, piece by piece. */
export interface Pieces {
  head: Pick<Archive, 'account' | 'profile' | 'exportedAt'>
  conversations(): AsyncGenerator<store.ConversationHead>
  messagesOf(conversationId: string): AsyncGenerator<Archive['conversations'][number]['messages'][number]>
  memories(): AsyncGenerator<Archive['memories'][number]>
  conflicts(): AsyncGenerator<Archive['conflicts'][number]>
}

export async function gatherPieces(
  { database, readCurrentProfile, now }: Exporting,
  ownerId: string
): Promise<Pieces> {
  const [account = UNKNOWN, profile] = await database.readInOwner(ownerId, async (tx) => [
    await store.loadAccount(tx, ownerId),
    await readCurrentProfile(tx, ownerId)
  ])

  async function* pages<Row extends { id: string }>(
    list: (
      tx: Parameters<typeof store.listMemories>[0],
      ownerId: string,
      after: string | null,
      limit: number
    ) => Promise<Row[]>
  ): AsyncGenerator<Row> {
    for (let after: string | null = null; ; ) {
      const from: string | null = after
      const rows: Row[] = await database.readInOwner(ownerId, (tx) => list(tx, ownerId, from, ROWS_AT_ONCE))
      yield* rows
      if (rows.length < ROWS_AT_ONCE) return
      after = rows.at(-1)?.id ?? null
    }
  }

  return {
    head: {
      exportedAt: now().toISOString(),
      account,
      profile
    },
    conversations: () => pages(store.listConversations),
    memories: () => pages(store.listMemories),
    conflicts: () => pages(store.listConflicts),
    async *messagesOf(conversationId) {
      for (let after = 0; ; ) {
        const from = after
        const rows = await database.readInOwner(ownerId, (tx) =>
          store.listMessages(tx, ownerId, conversationId, from, ROWS_AT_ONCE)
        )
        for (const { message } of rows) yield message
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
    yield* list(pieces.messagesOf(conversation.id))
    yield ']}'
    between = ',\n'
  }
  yield '],\n"memories":['
  yield* list(pieces.memories())
  yield '],\n"conflicts":['
  yield* list(pieces.conflicts())
  yield ']}\n'
}

async function* list(items: AsyncIterable<unknown>): AsyncGenerator<string> {
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
    for await (const { role, name, content, createdAt: at } of pieces.messagesOf(id)) {
      const who = name ?? (role === 'user' ? account.name || 'You' : role === 'assistant' ? 'PAI' : 'System')
      yield `\n**${inline(who)}** (${at.slice(0, 16).replace('T', ' ')}):\n\n${content}\n`
    }
  }
}

function day(instant: string): string {
  return instant.slice(0, 10)
}

function inline(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
