import { setImmediate as nextTick } from 'node:timers/promises'
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { allSettledOrThrow, type Tx } from '../../db/client.ts'
import { ask, fixed } from '../../db/statement.ts'
import { type WeightedTerm, weighTerms } from '../../search/bm25.ts'
import { nameTerm, nameTerms } from './entities.ts'

/** About how many terms a message has, with its share of its neighbours'. */
const PIVOT_LENGTH = 40
/** How much the words around a message count as its own, by distance. "In Oslo" says little without what was asked. */
const BEFORE = [0.3, 0.25]
const AFTER = [0.2, 0.15]
/** An answer is found by its question, so the words of a question just before it count more … */
const ANSWERED = 0.7
/** … and the question itself, which holds the words but not the answer, counts less. */
const ASKING = 0.75
const QUESTION = /[?？؟]\s*$/
/** What is read of a message, and of each of its neighbours: the rest of a pasted page says little about it. */
const MAX_CHARACTERS = 8_000
const MAX_NEIGHBOUR_CHARACTERS = 1_500
/** Everything else in the process waits while words are taken apart: about two milliseconds for so many characters. */
const CHARACTERS_PER_TICK = 16_000
const ROWS_AT_ONCE = 10_000

export type IndexMessages = (tx: Tx, ownerId: string, messageIds: string[]) => Promise<void>

interface TermOfMessage extends WeightedTerm {
  id: string
}

interface MessageInContext extends Record<string, unknown> {
  id: string
  name: string | null
  content: string
  /** The contents of the two before it, nearest first, and of the two after it. */
  before: (string | null)[]
  after: (string | null)[]
}

/** Makes messages findable by their words and a little of their neighbours', in the transaction that stores them. */
export const indexMessages: IndexMessages = async (tx, ownerId, messageIds) => {
  if (messageIds.length === 0) return
  const rows = await ask(tx, inContext({ ownerId, messageIds }))
  const ids = rows.map(({ id }) => id)
  const terms: TermOfMessage[] = []
  let characters = 0
  for (const row of rows) {
    for (const weighed of weighMessage(row)) terms.push({ ...weighed, id: row.id })
    characters += charactersOf(row)
    if (characters < CHARACTERS_PER_TICK) continue
    await nextTick()
    characters = 0
  }
  // Not waited for before the first rows are sent: statements run in the order in which they are.
  const removed = ask(tx, removeTerms({ ownerId, ids }))
  for (let start = 0; start < terms.length; start += ROWS_AT_ONCE) {
    await allSettledOrThrow([removed, insertTerms(tx, ownerId, terms.slice(start, start + ROWS_AT_ONCE))])
  }
  await removed
}

async function insertTerms(tx: Tx, ownerId: string, terms: TermOfMessage[]): Promise<void> {
  const column = (name: keyof TermOfMessage) => terms.map((term) => term[name])
  await ask(tx, addTerms({ ownerId, terms: column('term'), ids: column('id'), weights: column('weight') }))
}

const inContext = fixed<{ ownerId: string; messageIds: string[] }, MessageInContext>(
  ({ ownerId, messageIds }) => sql`
    SELECT said.id, said.name, left(said.content, ${MAX_CHARACTERS}::int) AS content,
           array[${beginning('before1')}, ${beginning('before2')}] AS before,
           array[${beginning('after1')}, ${beginning('after2')}] AS after
      FROM messages said
      ${neighbour(ownerId, 'before1', -1)} ${neighbour(ownerId, 'before2', -2)}
      ${neighbour(ownerId, 'after1', 1)} ${neighbour(ownerId, 'after2', 2)}
     WHERE said.owner_id = ${ownerId} AND said.id = ANY(${messageIds}::uuid[]) AND NOT ${isHidden(ownerId)}`
)

const removeTerms = fixed<{ ownerId: string; ids: string[] }>(
  ({ ownerId, ids }) =>
    sql`DELETE FROM message_terms WHERE owner_id = ${ownerId} AND id = ANY(${ids}::uuid[])`
)

const addTerms = fixed<{ ownerId: string; terms: unknown[]; ids: unknown[]; weights: unknown[] }>(
  ({ ownerId, terms, ids, weights }) => sql`
    INSERT INTO message_terms (owner_id, term, id, weight)
    SELECT ${ownerId}::uuid, * FROM unnest(${terms}::text[], ${ids}::uuid[], ${weights}::real[])`
)

/** Whether a message, `said`, was hidden with a memory that is forgotten and not purged yet. */
export function isHidden(ownerId: string | Placeholder): SQL {
  return sql`EXISTS (SELECT FROM memories fact
    JOIN memory_history entry ON entry.owner_id = ${ownerId} AND entry.memory_id = fact.id
     AND entry.action = 'forgotten' AND entry.undone_at IS NULL
   WHERE fact.owner_id = ${ownerId} AND fact.purge_at IS NOT NULL
     AND entry.before -> 'taken' -> 'messageIds' ? said.id::text)`
}

/**
 * Indexes the messages just before these once more, now that what follows them is known. These themselves were indexed
 * together, and know of each other.
 */
export async function indexMessagesBefore(tx: Tx, ownerId: string, messageIds: string[]): Promise<void> {
  const rows = await ask(tx, justBefore({ ownerId, messageIds }))
  const ids = rows.map(({ id }) => id)
  await indexMessages(tx, ownerId, ids)
}

const justBefore = fixed<{ ownerId: string; messageIds: string[] }, { id: string }>(
  ({ ownerId, messageIds }) => sql`
    SELECT DISTINCT earlier.id FROM messages said
      JOIN conversations ON conversations.owner_id = ${ownerId} AND conversations.id = said.conversation_id
       AND NOT conversations.temporary
      JOIN messages earlier ON earlier.owner_id = ${ownerId} AND earlier.conversation_id = said.conversation_id
       AND earlier.sequence BETWEEN said.sequence - ${AFTER.length}::int AND said.sequence - 1
       AND earlier.id <> ALL(${messageIds}::uuid[])
     WHERE said.owner_id = ${ownerId} AND said.id = ANY(${messageIds}::uuid[])`
)

function beginning(alias: string): SQL {
  return sql`left(${sql.identifier(alias)}.content, ${MAX_NEIGHBOUR_CHARACTERS}::int)`
}

function charactersOf({ content, before, after }: MessageInContext): number {
  return [content, ...before, ...after].reduce((sum, text) => sum + (text?.length ?? 0), 0)
}

function neighbour(ownerId: Placeholder, alias: string, distance: number): SQL {
  const name = sql.identifier(alias)
  return sql`LEFT JOIN messages ${name} ON ${name}.owner_id = ${ownerId}
    AND ${name}.conversation_id = said.conversation_id AND ${name}.sequence = said.sequence + ${distance}::int`
}

function weighMessage({ name, content, before, after }: MessageInContext): WeightedTerm[] {
  const [nearest = 0, ...further] = BEFORE
  const shares = [QUESTION.test(before[0] ?? '') ? ANSWERED : nearest, ...further]
  const parts = [
    { text: name ?? '', share: 1 },
    { text: content, share: 1 },
    ...before.map((text, index) => ({ text: text ?? '', share: shares[index] ?? 0 })),
    ...after.map((text, index) => ({ text: text ?? '', share: AFTER[index] ?? 0 }))
  ]
  const weighed = weighTerms(parts, PIVOT_LENGTH)
  const asking = QUESTION.test(content) ? ASKING : 1
  return [
    ...weighed.map(({ term, weight }) => ({ term, weight: weight * asking })),
    ...new Set([...nameTerm(name ?? ''), ...nameTerms(content)]).values().map((term) => ({ term, weight: 1 }))
  ]
}
