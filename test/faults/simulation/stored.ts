import type pg from 'pg'
import type { Acknowledged } from './client.ts'

/** Holds what is in the database against what people were told. */
export async function checkStored(
  pool: pg.Pool,
  ownerIds: string[],
  acknowledged: Acknowledged[],
  asked: Map<string, number>
): Promise<void> {
  const list = async (sql: string) => (await pool.query(sql, [ownerIds])).rows
  const messages = await list(
    `SELECT owner_id, conversation_id, sequence::int, role, content FROM messages
      WHERE owner_id = ANY($1::uuid[]) ORDER BY conversation_id, sequence`
  )
  const turns = await list(
    `SELECT turns.owner_id, turns.id, turns.status, asked.content AS text, reply.content AS reply,
            (SELECT jsonb_agg(jsonb_build_object('id', e.id, 'type', e.type, 'data', e.data) ORDER BY e.id)
               FROM turn_events e WHERE e.owner_id = turns.owner_id AND e.turn_id = turns.id) AS events
       FROM turns
       JOIN messages asked ON asked.owner_id = turns.owner_id AND asked.id = turns.user_message_id
       LEFT JOIN messages reply ON reply.owner_id = turns.owner_id AND reply.id = turns.reply_message_id
      WHERE turns.owner_id = ANY($1::uuid[])`
  )
  for (const { ownerId, text, turnId, events } of acknowledged) {
    const kept = messages.filter((row) => row.role === 'user' && row.content === text)
    expect(kept.length === 1 && kept[0].owner_id === ownerId, `"${text}" is there ${kept.length} times`)
    const turn = turns.find(({ id }) => id === turnId)
    expect(turn?.text === text && turn.owner_id === ownerId, `the turn of "${text}" is another`)
    checkLog(turn, events)
  }
  expect(turns.length === acknowledged.length, `${acknowledged.length} messages have ${turns.length} turns`)
  for (const [text, times] of asked) expect(times === 1, `the model was asked ${times} times about "${text}"`)
  for (const [index, { conversation_id, sequence }] of messages.entries()) {
    const before = messages[index - 1]
    const wanted = before?.conversation_id === conversation_id ? before.sequence + 1 : 1
    expect(sequence === wanted, `message ${sequence} stands where ${wanted} should`)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a row as it comes
function checkLog(turn: any, seen: Acknowledged['events']): void {
  const { id, status, reply, events } = turn
  const what = (text: string) => `turn ${id} (${status}): ${text}`
  expect(['completed', 'failed', 'stopped', 'interrupted'].includes(status), what('it has not ended'))
  expect(
    JSON.stringify(sorted(events)) === JSON.stringify(sorted(seen)),
    what('its log is not what was seen')
  )
  expect(
    seen.every((event, index) => event.id === index + 1),
    what('its log has gaps')
  )
  const ends = seen.filter(({ type }) => type === 'done')
  const last = seen.at(-1)
  expect(
    ends.length === 1 && last?.type === 'done' && last.data.status === status,
    what('its end is another')
  )
  const words = seen.map((event) => (event.type === 'text-delta' ? event.data.text : '')).join('')
  expect((reply ?? '') === words, what(`its reply is "${reply}", and read was "${words}"`))
}

/** jsonb has an order of its own. */
function sorted(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item) =>
      item && typeof item === 'object' && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
        : item
    )
  )
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
