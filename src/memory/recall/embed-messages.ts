import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import { messages } from '../../chat/tables.ts'
import type { Tx } from '../../db/client.ts'
import type { Embedder } from '../../llm/model.ts'
import { isHidden } from './index-messages.ts'
import { messageVectors } from './tables.ts'

/** Embedding models read a few thousand tokens; what matters about a longer text stands early. */
const MAX_CHARACTERS = 8_000
/** How much the meaning of the messages around one counts as its own: "in Oslo" says little without what was asked. */
const BEFORE = 0.3
const AFTER = 0.2

/** A message and its neighbours, as far as they are embedded. */
export interface MessageInContext extends Record<string, unknown> {
  id: string
  text: string
  before: string | null
  after: string | null
}

export type EmbeddedMessage = MessageInContext & { embedding: number[] }

/** Messages of one conversation in their order. */
export function inContext(said: { id: string; content: string }[]): MessageInContext[] {
  const texts = said.map(({ content }) => content.slice(0, MAX_CHARACTERS))
  return said.map(({ id }, index) => ({
    id,
    text: texts[index] ?? '',
    before: texts[index - 1] ?? null,
    after: texts[index + 1] ?? null
  }))
}

/** Those of these messages that have no vector of this model yet. */
export function findUnembeddedMessages(
  tx: Tx,
  ownerId: string,
  model: string,
  ids: string[]
): Promise<MessageInContext[]> {
  return readInContext(tx, ownerId, ids, sql`AND NOT ${isEmbedded(ownerId, model)}`)
}

/** The messages just before these, whose vectors were made before it was known what follows. */
export function findEmbeddedBefore(
  tx: Tx,
  ownerId: string,
  model: string,
  ids: string[]
): Promise<MessageInContext[]> {
  return readInContext(
    tx,
    ownerId,
    sql`(SELECT array_agg(earlier.id) FROM messages later
           JOIN messages earlier ON earlier.owner_id = ${ownerId} AND earlier.conversation_id = later.conversation_id
            AND earlier.sequence = later.sequence - 1
          WHERE later.owner_id = ${ownerId} AND later.id = ANY(${sql.param(ids)}::uuid[])
            AND earlier.id <> ALL(${sql.param(ids)}::uuid[]))`,
    sql`AND ${isEmbedded(ownerId, model)}`
  )
}

function isEmbedded(ownerId: string, model: string): SQL {
  return sql`EXISTS (SELECT FROM message_vectors v
    WHERE v.owner_id = ${ownerId} AND v.id = said.id AND v.model = ${model})`
}

async function readInContext(
  tx: Tx,
  ownerId: string,
  ids: string[] | SQL,
  also: SQL = sql``
): Promise<MessageInContext[]> {
  const { rows } = await tx.execute<MessageInContext>(sql`
    SELECT said.id, left(said.content, ${MAX_CHARACTERS}::int) AS text,
           left(previous.content, ${MAX_CHARACTERS}::int) AS before, left(next.content, ${MAX_CHARACTERS}::int) AS after
      FROM messages said
      LEFT JOIN messages previous ON previous.owner_id = ${ownerId}
       AND previous.conversation_id = said.conversation_id AND previous.sequence = said.sequence - 1
      LEFT JOIN messages next ON next.owner_id = ${ownerId}
       AND next.conversation_id = said.conversation_id AND next.sequence = said.sequence + 1
     WHERE said.owner_id = ${ownerId}
       AND said.id = ANY(${Array.isArray(ids) ? sql.param(ids) : ids}::uuid[]) AND NOT ${isHidden(ownerId)} ${also}`)
  return rows.map(clip)
}

/** PostgreSQL counts characters, and a string here UTF-16 units. */
function clip({ id, text, before, after }: MessageInContext): MessageInContext {
  const cut = (words: string | null) => words?.slice(0, MAX_CHARACTERS) ?? null
  return { id, text: cut(text) ?? '', before: cut(before), after: cut(after) }
}

/** A vector for each message, with a little of its neighbours' meaning where the embedder knows any. */
export async function embedMessages(
  embedder: Embedder,
  said: MessageInContext[],
  signal: AbortSignal
): Promise<EmbeddedMessage[]> {
  const wanted = said.flatMap(({ text, before, after }) =>
    embedder.semantic ? [text, before, after] : [text]
  )
  const texts = [...new Set(wanted.filter((text) => text !== null))]
  if (texts.length === 0) return []
  const vectors = await embedder.embed(
    texts.map((text) => text.toWellFormed()),
    signal
  )
  const byText = new Map(texts.map((text, index) => [text, vectors[index] ?? []]))
  const vectorOf = (text: string | null) => (text === null ? undefined : byText.get(text))
  return said.map((message) => {
    const own = vectorOf(message.text) ?? []
    if (!embedder.semantic) return { ...message, embedding: own }
    return { ...message, embedding: mix(own, vectorOf(message.before), vectorOf(message.after)) }
  })
}

function mix(own: number[], before: number[] | undefined, after: number[] | undefined): number[] {
  const sum = own.map(
    (value, place) => value + BEFORE * (before?.[place] ?? 0) + AFTER * (after?.[place] ?? 0)
  )
  const length = Math.hypot(...sum)
  return length === 0 ? own : sum.map((value) => value / length)
}

export async function saveMessageVectors(
  tx: Tx,
  ownerId: string,
  model: string,
  embedded: EmbeddedMessage[]
): Promise<void> {
  if (embedded.length === 0) return
  const ids = embedded.map(({ id }) => id)
  // Hidden or redacted while its vector was made, a message must not be found by it. The lock keeps it from being changed between
  // this look and the commit.
  await tx
    .select({ id: messages.id })
    .from(messages)
    .where(and(eq(messages.ownerId, ownerId), inArray(messages.id, ids)))
    .for('share')
  const now = new Map((await readInContext(tx, ownerId, ids)).map((row) => [row.id, row]))
  const current = embedded.filter(({ id, text, before }) => {
    const row = now.get(id)
    return row?.text === text && row.before === before
  })
  if (current.length === 0) return
  await tx
    .insert(messageVectors)
    .values(current.map(({ id, embedding }) => ({ ownerId, id, model, embedding })))
    .onConflictDoUpdate({
      target: [messageVectors.ownerId, messageVectors.id, messageVectors.model],
      set: { embedding: sql`excluded.embedding` }
    })
}
