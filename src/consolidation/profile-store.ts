import { eq, type Placeholder, type SQL, sql } from 'drizzle-orm'
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
  builtAt: string
}

/**
 * The profile, with what it may still say, as a value of a statement: forgetting, correcting and superseding show at once,
 * not the night after.
 */
export function currentProfile(ownerId: string | Placeholder): SQL {
  return sql`(
    SELECT json_build_object(
             'text', CASE WHEN count(*) = count(fact.id) FILTER (WHERE fact.updated_at <= profile.built_at)
                          THEN profile.text END,
             'memoryIds', coalesce(json_agg(fact.id ORDER BY place) FILTER (WHERE fact.id IS NOT NULL), '[]'),
             'lines', coalesce(json_agg(fact.text ORDER BY place) FILTER (WHERE fact.id IS NOT NULL), '[]'),
             'builtAt', profile.built_at)
      FROM profiles profile
      CROSS JOIN unnest(profile.memory_ids) WITH ORDINALITY AS made (id, place)
      LEFT JOIN memories fact ON fact.owner_id = ${ownerId} AND fact.id = made.id AND fact.forgotten_at IS NULL
            AND fact.status = 'active' AND coalesce(fact.valid_to > now(), true)
     WHERE profile.owner_id = ${ownerId} GROUP BY profile.text, profile.built_at)`
}

export async function findCurrentProfile(tx: Tx, ownerId: string): Promise<CurrentProfile | null> {
  const { rows } = await tx.execute<{ profile: CurrentProfile | null }>(
    sql`SELECT ${currentProfile(ownerId)} AS profile`
  )
  return rows[0]?.profile ?? null
}

/** What a profile says now. */
export function readProfile(profile: CurrentProfile | null): string {
  return profile ? (profile.text ?? renderLines(profile.lines)) : ''
}

/** The same with what it was made from; null where there is none. */
export async function readCurrentProfile(
  tx: Tx,
  ownerId: string
): Promise<{ text: string; memoryIds: string[]; builtAt: string } | null> {
  const profile = await findCurrentProfile(tx, ownerId)
  if (!profile) return null
  const { memoryIds, builtAt } = profile
  return { text: readProfile(profile), memoryIds, builtAt: new Date(builtAt).toISOString() }
}

/** Memories as the lines of a profile. */
export function renderLines(lines: string[]): string {
  return lines.map((line) => `- ${line.replace(/\s+/g, ' ')}`).join('\n')
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

/**
 * What the profile said before it was made from these memories; nothing where it has been made again since. It is as old
 * as it was, so that what has changed since then is read from the memories and not from its words.
 */
export async function undoProfile(
  tx: Tx,
  ownerId: string,
  madeFrom: string[],
  builtAt: string | undefined
): Promise<void> {
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
        previousMemoryIds: null,
        // Of a run that did not write it down, none of the words are trusted.
        builtAt: new Date(builtAt ?? 0)
      })
      .where(eq(profiles.ownerId, ownerId))
  }
}
