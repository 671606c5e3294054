import { eq, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { profiles } from './tables.ts'

export type ProfileRow = typeof profiles.$inferSelect

/** A profile as it may be read now. */
export interface CurrentProfile {
  /** As it was written; null when a memory it was made from has changed since, or holds no more. */
  text: string | null
  memoryIds: string[]
  /** What those of its memories say that still hold, in its order. */
  lines: string[]
  builtAt: Date
}

/**
 * The profile, with what it may still say: forgetting, correcting and superseding show at once, not the night after. One
 * statement, because every prompt reads it.
 */
export async function findCurrentProfile(tx: Tx, ownerId: string): Promise<CurrentProfile | undefined> {
  const { rows } = await tx.execute<Record<keyof CurrentProfile, unknown>>(sql`
    SELECT CASE WHEN count(*) = count(fact.id) FILTER (WHERE fact.updated_at <= profile.built_at)
                THEN profile.text END AS text,
           coalesce(array_agg(fact.id ORDER BY place) FILTER (WHERE fact.id IS NOT NULL), '{}') AS "memoryIds",
           coalesce(array_agg(fact.text ORDER BY place) FILTER (WHERE fact.id IS NOT NULL), '{}') AS lines,
           profile.built_at AS "builtAt"
      FROM profiles profile
      CROSS JOIN unnest(profile.memory_ids) WITH ORDINALITY AS made (id, place)
      LEFT JOIN memories fact ON fact.owner_id = ${ownerId} AND fact.id = made.id AND fact.forgotten_at IS NULL
            AND fact.status = 'active' AND coalesce(fact.valid_to > now(), true)
     WHERE profile.owner_id = ${ownerId} GROUP BY profile.text, profile.built_at`)
  const found = rows[0] as (Omit<CurrentProfile, 'builtAt'> & { builtAt: string }) | undefined
  return found && { ...found, builtAt: new Date(found.builtAt) }
}

export async function findProfile(tx: Tx, ownerId: string): Promise<ProfileRow | undefined> {
  const [row] = await tx.select().from(profiles).where(eq(profiles.ownerId, ownerId)).for('update')
  return row
}

/** Keeps what it said before, for undo. */
export async function saveProfile(tx: Tx, ownerId: string, text: string, memoryIds: string[]): Promise<void> {
  await tx
    .insert(profiles)
    .values({ ownerId, text, memoryIds })
    .onConflictDoUpdate({
      target: profiles.ownerId,
      set: {
        text,
        memoryIds,
        previousText: profiles.text,
        previousMemoryIds: profiles.memoryIds,
        builtAt: sql`now()`
      }
    })
}

/** What the profile said before it was made from these memories; nothing where it has been made again since. */
export async function undoProfile(tx: Tx, ownerId: string, madeFrom: string[]): Promise<void> {
  const row = await findProfile(tx, ownerId)
  if (!row || row.memoryIds.join() !== madeFrom.join()) return
  if (row.previousText === null) await tx.delete(profiles).where(eq(profiles.ownerId, ownerId))
  else {
    await tx
      .update(profiles)
      .set({
        text: row.previousText,
        memoryIds: row.previousMemoryIds ?? [],
        previousText: null,
        previousMemoryIds: null
      })
      .where(eq(profiles.ownerId, ownerId))
  }
}
