import { and, eq, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { ask, fixed } from '../db/statement.ts'
import { type LoggedEvent, type TurnEvent, toLogged } from './events.ts'
import type { Citation } from './schemas.ts'
import { turnEvents } from './tables.ts'

/** Events that are read at a time. */
const LOG_PAGE = 1_000
/** A log is kept for a day after its turn's end, whenever it is tidied away after that. */
const IS_KEPT = sql`coalesce(turns.finished_at > now() - interval '24 hours', true)`

/** Events that are in the log by their numbers are left as they are: they were stored, and the answer was lost. */
export async function appendEvents(
  tx: Tx,
  ownerId: string,
  turnId: string,
  firstId: number,
  events: TurnEvent[]
): Promise<void> {
  if (events.length === 0) return
  await ask(tx, append({ ownerId, turnId, firstId, events: JSON.stringify(events) }))
}

const append = fixed<{ ownerId: string; turnId: string; firstId: number; events: string }>(
  ({ ownerId, turnId, firstId, events }) => sql`
    INSERT INTO turn_events (owner_id, turn_id, id, type, data)
    SELECT ${ownerId}::uuid, ${turnId}::uuid, ${firstId}::bigint + place - 1, event ->> 'type', event -> 'data'
      FROM jsonb_array_elements(${events}::jsonb) WITH ORDINALITY AS given (event, place)
    ON CONFLICT DO NOTHING`
)

/**
 * The events of a turn's log after number `afterId`, the number of the last one there is, and whether the turn has ended:
 * one statement, so that a turn that has ended has all its events. undefined: there is no such turn.
 */
export async function readLog(
  tx: Tx,
  ownerId: string,
  turnId: string,
  afterId: number
): Promise<{ events: LoggedEvent[]; lastId: number; ended: boolean } | undefined> {
  const { rows } = await tx.execute<{
    ended: boolean
    last: string | null
    id: string | null
    event: TurnEvent
  }>(sql`
    SELECT turns.finished_at IS NOT NULL AS ended, log.id, jsonb_build_object('type', log.type, 'data', log.data) AS event,
           (SELECT max(id) FROM turn_events WHERE owner_id = ${ownerId} AND turn_id = ${turnId} AND ${IS_KEPT}) AS last
      FROM turns LEFT JOIN LATERAL (
        SELECT id, type, data FROM turn_events
         WHERE owner_id = ${ownerId} AND turn_id = ${turnId} AND id > ${afterId} ORDER BY id LIMIT ${LOG_PAGE}
      ) log ON ${IS_KEPT}
     WHERE turns.owner_id = ${ownerId} AND turns.id = ${turnId} ORDER BY log.id`)
  const [first] = rows
  return (
    first && {
      events: rows.flatMap(({ id, event }) => (id === null ? [] : [toLogged(event, Number(id))])),
      lastId: Number(first.last),
      ended: first.ended
    }
  )
}

/** The words and the number of the last event of a turn's log so far. */
export async function readWords(
  tx: Tx,
  ownerId: string,
  turnId: string
): Promise<{ text: string; citations: Citation[]; lastId: number }> {
  const [row] = await tx
    .select({
      text: sql<string>`coalesce(string_agg(${turnEvents.data} ->> 'text', '' ORDER BY ${turnEvents.id})
        FILTER (WHERE ${turnEvents.type} = 'text-delta'), '')`,
      citations: sql<Citation[]>`coalesce(jsonb_agg(${turnEvents.data} ORDER BY ${turnEvents.id})
        FILTER (WHERE ${turnEvents.type} = 'citation'), '[]')`,
      lastId: sql<number>`coalesce(max(${turnEvents.id}), 0)::int`
    })
    .from(turnEvents)
    .where(and(eq(turnEvents.ownerId, ownerId), eq(turnEvents.turnId, turnId)))
  return row ?? { text: '', citations: [], lastId: 0 }
}
