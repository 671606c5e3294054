import { sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import type { ForgottenWords } from './forgotten-words.ts'
import { countNaming, type Found, listPlaces, lookThrough, mapTexts, nameOf, type Place } from './places.ts'
import { findLogs } from './purge-traces.ts'
import type { WhatGoes } from './what-goes.ts'
import { withoutWhatStays } from './what-stays.ts'

/** Rows looked through and rows found, by place. */
export type Proof = Record<string, { looked: number; found: number }>

/** The proofs themselves name what is gone, and nothing else of it. */
const PROOFS = 'memory_purges'
/** These have been cleaned by what knows them; something here is something new, for the next try. */
const CLEANED = new Set([
  'memories.text',
  'messages.content',
  'memory_terms.term',
  'message_terms.term',
  'term_counts.term'
])

/**
 * Looks through every table for the words and for rows of these memories. What it finds it tries to take out, once;
 * what is there then is counted as found.
 */
export async function prove(tx: Tx, ownerId: string, going: WhatGoes): Promise<Proof> {
  const { ids, words } = going
  const proof: Proof = {}
  for (const everything of await listPlaces(tx, ownerId)) {
    const place = withoutWhatStays(everything, ownerId, going)
    let { looked, found } = await lookThrough(tx, place, words.isIn)
    const unclean = found.filter(({ column }) => !CLEANED.has(`${place.table}.${column}`))
    if (unclean.length > 0) {
      for (const one of unclean) await clean(tx, place, one, words)
      found = (await lookThrough(tx, place, words.isIn)).found
    }
    const named = place.table === PROOFS ? 0 : await countNaming(tx, everything, ids)
    proof[`${place.schema}.${place.table}`] = { looked, found: found.length + named }
  }
  const logs = await findLogs(tx, ownerId, going)
  proof['turn logs, put together'] = { looked: proof['public.turn_events']?.looked ?? 0, found: logs.length }
  return proof
}

export function isClean(proof: Proof): boolean {
  return Object.values(proof).every(({ found }) => found === 0)
}

/** A job that holds words goes; elsewhere the words do. */
async function clean(
  tx: Tx,
  place: Place,
  { column, type, value }: Found,
  words: ForgottenWords
): Promise<void> {
  const stored = (held: unknown) =>
    sql`${sql.param(type.startsWith('json') ? JSON.stringify(held) : held)}::${sql.raw(type)}`
  const holding = sql`${place.isOwners} AND ${sql.identifier(column)} = ${stored(value)}`
  if (place.schema === 'pgboss') {
    await tx.execute(sql`DELETE FROM ${nameOf(place)} WHERE ${holding}`)
  } else {
    const without = stored(mapTexts(value, words.takeOutOf))
    await tx.execute(sql`UPDATE ${nameOf(place)} SET ${sql.identifier(column)} = ${without} WHERE ${holding}`)
  }
}
