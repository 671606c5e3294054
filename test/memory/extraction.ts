import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { storeConversation } from '../../src/chat/import-store.ts'
import type { Database } from '../../src/db/client.ts'
import type { TestApp } from '../support/app.ts'
import { createOwner } from '../support/database.ts'

/** One conversation: what its owner said, and when. */
export interface Said {
  at: string
  messages: string[]
}

/** An owner who says things; each is learnt from when the test says so. */
export async function speaker(database: Database, house: TestApp) {
  const ownerId = await createOwner(database)
  return {
    ownerId,
    /** Stores what was said, and answers the ids of the messages. */
    async say({ at, messages }: Said): Promise<string[]> {
      const ids = messages.map(() => uuidv7())
      const said = messages.map((content, index) => ({
        role: 'user' as const,
        content,
        createdAt: new Date(Date.parse(at) + index * 60_000).toISOString()
      }))
      await database.inOwner(ownerId, (tx) =>
        storeConversation(tx, ownerId, { id: uuidv7(), title: 'talk', titledBy: 'words' }, said, ids)
      )
      return ids
    },
    learn: (messageIds: string[]) =>
      house.services.jobs['memory.extract']({ ownerId, messageIds }, new AbortController().signal),
    state: () => stateOf(database, ownerId)
  }
}

export interface MemoryLine {
  text: string
  status: string
  proofs: number
  successor: string | null
  sources: string[]
  history: string[]
}

export interface State {
  memories: MemoryLine[]
  conflicts: string[]
  unread: number
  terms: number
  jobs: number
}

/** All that memory holds of an owner, without what differs from run to run. */
async function stateOf({ pool }: Database, ownerId: string): Promise<State> {
  const { rows: memories } = await pool.query<MemoryLine>(
    `SELECT text, status, proof_count AS proofs,
            (SELECT text FROM memories s WHERE s.owner_id = m.owner_id AND s.id = m.superseded_by) AS successor,
            array(SELECT content FROM memory_sources s JOIN messages said ON said.owner_id = s.owner_id AND said.id = s.message_id
                   WHERE s.owner_id = m.owner_id AND s.memory_id = m.id ORDER BY said_at, content) AS sources,
            array(SELECT action FROM memory_history h WHERE h.owner_id = m.owner_id AND h.memory_id = m.id ORDER BY h.id) AS history
       FROM memories m WHERE owner_id = $1 ORDER BY text`,
    [ownerId]
  )
  const count = async (sql: string) => Number((await pool.query(sql, [ownerId])).rows[0].count)
  const { rows: conflicts } = await pool.query<{ reason: string }>(
    'SELECT reason FROM memory_conflicts WHERE owner_id = $1 ORDER BY reason',
    [ownerId]
  )
  return {
    memories,
    conflicts: conflicts.map(({ reason }) => reason),
    unread: await count('SELECT count(*) FROM messages WHERE owner_id = $1 AND extracted_at IS NULL'),
    terms: await count('SELECT count(*) FROM memory_terms WHERE owner_id = $1'),
    jobs: await count(
      `SELECT count(*) FROM pgboss.job WHERE name = 'memory.index' AND data ->> 'ownerId' = $1`
    )
  }
}

/**
 * Kills the worker at its statement number `at`, before it is sent or after it is done. A dead worker says nothing more,
 * and its server rolls back what it had open. Answers whether it came so far.
 */
export async function killedAt(
  { pool }: Database,
  at: number,
  when: 'before' | 'after',
  work: () => Promise<void>
): Promise<boolean> {
  let sent = 0
  let dead = false
  const restore: (() => void)[] = []
  const hear = (client: pg.PoolClient) => {
    const query = client.query
    const counted = async (...args: unknown[]) => {
      const text = typeof args[0] === 'string' ? args[0] : (args[0] as { text: string }).text
      const send = () => (query as (...all: unknown[]) => Promise<unknown>).apply(client, args)
      if (text === 'ROLLBACK') return send()
      if (dead) throw new Error('The worker is dead')
      if (++sent < at) return send()
      dead = true
      if (when === 'after') await send()
      throw new Error('The worker was killed')
    }
    client.query = counted as typeof client.query
    restore.push(() => {
      client.query = query
    })
  }
  pool.on('acquire', hear)
  try {
    await work()
  } catch (error) {
    if (!dead) throw error
  } finally {
    pool.off('acquire', hear)
    for (const undo of restore.toReversed()) undo()
  }
  return dead
}
