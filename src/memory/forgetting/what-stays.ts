import { type SQL, sql } from 'drizzle-orm'
import pg from 'pg'
import type { Place } from './places.ts'
import type { WhatGoes } from './what-goes.ts'

/**
 * Whether a message was said after something was hidden: then the owner told it again. A reply is as old as its turn, which
 * may have read it before. `message` is the alias of its row.
 */
export function isSaidSince(ownerId: string, hiddenAt: Date | null, message: string): SQL {
  if (!hiddenAt) return sql`false`
  const [owner, since] = [literal(ownerId), literal(hiddenAt.toISOString())]
  return sql.raw(`(${message}.created_at > ${since} AND NOT EXISTS (SELECT FROM turns
    WHERE turns.owner_id = ${owner} AND turns.reply_message_id = ${message}.id AND turns.created_at <= ${since}))`)
}

/** The moment that `isSaidSince` compares, of a message. */
export function saidAtOf(ownerId: string): SQL<Date> {
  return sql<Date>`least(messages.created_at, (SELECT min(turns.created_at) FROM turns
    WHERE turns.owner_id = ${ownerId} AND turns.reply_message_id = messages.id))`
}

/** A place without the rows that may hold the words: those of what stays, and of what was told since. */
export function withoutWhatStays(place: Place, ownerId: string, { stays, hiddenAt }: WhatGoes): Place {
  if (!hiddenAt || place.schema !== 'public') return place
  const [owner, since] = [literal(ownerId), literal(hiddenAt.toISOString())]
  const isKept = `owner_id = ${owner} AND (created_at > ${since} OR id = ANY(${literal(`{${stays}}`)}::uuid[]))`
  const kept = `(SELECT id FROM memories WHERE ${isKept})`
  const isSince = isSaidSince(ownerId, hiddenAt, 'said')
  const said = sql`(SELECT said.id FROM messages said WHERE said.owner_id = ${sql.raw(owner)} AND ${isSince})`
  const staying: Record<string, SQL> = {
    memories: sql.raw(isKept),
    memory_terms: sql.raw(`id IN ${kept}`),
    memory_history: sql.raw(`memory_id IN ${kept}`),
    memory_sources: sql`${sql.raw(`memory_id IN ${kept}`)} OR message_id IS NOT NULL AND message_id IN ${said}`,
    messages: isSaidSince(ownerId, hiddenAt, 'messages'),
    message_terms: sql`id IN ${said}`,
    term_counts: sql`term IN (
      SELECT term FROM memory_terms WHERE owner_id = ${sql.raw(owner)} AND ${sql.raw(`id IN ${kept}`)}
      UNION ALL SELECT term FROM message_terms WHERE owner_id = ${sql.raw(owner)} AND id IN ${said})`,
    turns: sql.raw(`created_at > ${since}`),
    turn_events: sql.raw(
      `turn_id IN (SELECT id FROM turns WHERE owner_id = ${owner} AND created_at > ${since})`
    ),
    conversations: sql.raw(`created_at > ${since}`),
    conversation_summaries: sql.raw(`built_at > ${since}`),
    profiles: sql.raw(`built_at > ${since}`)
  }
  const stay = staying[place.table]
  return stay ? { ...place, isOwners: sql`${place.isOwners} AND NOT coalesce(${stay}, false)` } : place
}

/** Written out: a cursor is declared by a statement that takes no parameters. */
function literal(value: string): string {
  return pg.escapeLiteral(value)
}
