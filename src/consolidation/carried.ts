import { sql } from 'drizzle-orm'
import type { Database, Tx } from '../db/client.ts'
import { ask, fixed } from '../db/statement.ts'
import { type CurrentProfile, currentProfile, readProfile } from './profile-store.ts'

/** What every prompt carries, whatever is asked. */
export interface Carried {
  name: string
  timezone: string
  /** The owner's own standing instructions. */
  instructions: string
  /** Who the owner is, in a few lines made from memories; empty where nothing is known. */
  aboutOwner: string
  /** The conversation in short, up to a message; null where it has not been summarised, or in another branch than this. */
  summary: { text: string; throughSequence: number } | null
}

/** A branch is followed this far up for the end of its summary: a night covers what is older. */
const MOST_AFTER = 1_000

/** Reads what the prompt that ends with a message carries, in one statement, since the person waits for it. */
export async function findCarried(
  tx: Tx,
  ownerId: string,
  conversationId: string,
  messageId: string
): Promise<Carried | undefined> {
  return toCarried(await ask(tx, carriedBy({ ownerId, conversationId, messageId })))
}

/** The same in a transaction of its own. */
export async function readCarried(
  database: Pick<Database, 'readOneInOwner'>,
  ownerId: string,
  conversationId: string,
  messageId: string
): Promise<Carried | undefined> {
  return toCarried(await database.readOneInOwner(ownerId, carriedBy({ ownerId, conversationId, messageId })))
}

type CarriedRow = Omit<Carried, 'aboutOwner'> & { profile: CurrentProfile | null }

const carriedBy = fixed<{ ownerId: string; conversationId: string; messageId: string }, CarriedRow>(
  ({ ownerId, conversationId, messageId }) => sql`
    SELECT name, timezone, instructions, ${currentProfile(ownerId)} AS profile,
           (SELECT json_build_object('text', text, 'throughSequence', through_sequence)
              FROM conversation_summaries summary
             WHERE owner_id = ${ownerId} AND conversation_id = ${conversationId} AND EXISTS (
               WITH RECURSIVE branch AS (
                 SELECT parent_id, sequence, 1 AS depth FROM messages WHERE owner_id = ${ownerId} AND id = ${messageId}
                 UNION ALL
                 SELECT parent.parent_id, parent.sequence, branch.depth + 1
                   FROM branch JOIN messages parent ON parent.owner_id = ${ownerId} AND parent.id = branch.parent_id
                  WHERE branch.sequence > summary.through_sequence AND branch.depth < ${MOST_AFTER}
               ) SELECT FROM branch WHERE branch.sequence = summary.through_sequence)) AS summary
      FROM users WHERE id = ${ownerId}`
)

function toCarried([row]: CarriedRow[]): Carried | undefined {
  if (!row) return undefined
  const { profile, ...carried } = row
  return { ...carried, aboutOwner: readProfile(profile) }
}
