import { sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { type CurrentProfile, currentProfile, readProfile } from './profile-store.ts'

/** What every prompt carries, whatever is asked. */
export interface Carried {
  name: string
  timezone: string
  /** The owner's own standing instructions. */
  instructions: string
  /** Who the owner is, in a few lines made from memories; empty where nothing is known. */
  aboutOwner: string
  /** The conversation in short, up to a message; null where it has not been summarised. */
  summary: { text: string; throughSequence: number } | null
}

/** Reads what a prompt carries, in one statement, since the person waits for it. */
export async function findCarried(
  tx: Tx,
  ownerId: string,
  conversationId: string
): Promise<Carried | undefined> {
  const { rows } = await tx.execute<Omit<Carried, 'aboutOwner'> & { profile: CurrentProfile | null }>(sql`
    SELECT name, timezone, instructions, ${currentProfile(ownerId)} AS profile,
           (SELECT json_build_object('text', text, 'throughSequence', through_sequence) FROM conversation_summaries
             WHERE owner_id = ${ownerId} AND conversation_id = ${conversationId}) AS summary
      FROM users WHERE id = ${ownerId}`)
  if (!rows[0]) return undefined
  const { profile, ...carried } = rows[0]
  return { ...carried, aboutOwner: readProfile(profile) }
}
