import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import type { Rig } from '../rig.ts'

/** What every owner says: told twice, changed, taken back and contradicted, so that reconciling has all its work. */
const SAID = [
  'My sister Ada keeps bees in Tromsø.',
  'I live in Oslo.',
  'My blood group is A positive.',
  'I like dark coffee.',
  'My brother Bob breeds goats.',
  'I moved to Bergen.',
  'My blood group is B negative.',
  'My sister Ada keeps bees in Tromsø.',
  'I no longer like dark coffee.',
  'I play the cello.'
]
const FORGOTTEN = 'keeps bees'
/** A kill comes this long after its job was seen to be under way, at most. */
const KILL_WITHIN_MS = { 'memory.extract': 150, 'memory.purge': 60 }
type Killed = keyof typeof KILL_WITHIN_MS
/** A dead worker's job runs again within half a minute; one that was killed several times waits longer. */
const DONE_WITHIN_MS = 150_000
const QUICK_ROUNDS = 10
/** A busy machine plays fewer of the quick rounds, never none: this long for each half of them. */
const QUICK_MS = 30_000
/** A worker looks for jobs that have become due every five seconds. */
const BEGINS_WITHIN_MS = 8_000

interface Owner {
  id: string
  key: string
}

/**
 * M1: a worker is killed in the middle of extraction and reconciling, then in the middle of forgetting. In the end every
 * owner's memory is what that of an owner is whose worker nobody killed.
 */
export const killMemory: FaultProgram = {
  id: 'M1',
  title: 'a worker dies while it learns, reconciles or forgets',
  databases: ['postgres'],
  rounds: { quick: QUICK_ROUNDS, full: 100 },
  needs: 'half a core',
  async run(rig, rounds, tally) {
    const offline = { ...rig.settings, PAI_CHAT_MODEL: 'offline' }
    const api = await rig.startNode({ ...offline, PAI_ROLE: 'api' })
    const pool = new pg.Pool({ connectionString: rig.postgres?.url, max: 2 })
    rig.whenOver(() => pool.end())
    const house = { rig, api, pool, settings: { ...offline, PAI_ROLE: 'worker' }, tally }
    const learning = Math.ceil(rounds / 2)
    const owners: Owner[] = []

    const longest = rounds > QUICK_ROUNDS ? Number.POSITIVE_INFINITY : QUICK_MS
    let began = performance.now()
    let met = 0
    for (let round = 0; round < learning && (round === 0 || performance.now() - began < longest); round++) {
      const owner = await join(house)
      owners.push(owner)
      if (await killDuring(house, 'memory.extract', () => tell(house, owner))) met++
      tally.played++
    }
    if (met === 0) tally.broken.push('no kill met a message that was being learnt from')
    const calm = await join(house)
    await finish(house, () => tell(house, calm))
    await compare(house, calm, owners, 'learnt')

    met = 0
    began = performance.now()
    const forgetful: Owner[] = []
    for (const owner of owners.slice(0, rounds - learning)) {
      if (forgetful.length > 0 && performance.now() - began > longest) break
      forgetful.push(owner)
      if (await killDuring(house, 'memory.purge', () => forget(house, owner))) met++
      tally.played++
    }
    if (met === 0) tally.broken.push('no kill met a memory that was being forgotten')
    await finish(house, () => forget(house, calm))
    await compare(house, calm, forgetful, 'forgotten')
  }
}

interface House {
  rig: Rig
  api: PaiProcess
  pool: pg.Pool
  /** Of a worker. */
  settings: Record<string, string>
  tally: Tally
}

async function join({ rig, api, pool }: House): Promise<Owner> {
  const email = `${crypto.randomUUID()}@example.org`
  const key = await rig.keyFor(api, await rig.register(api, email))
  const { rows } = await pool.query('SELECT id FROM users WHERE email = $1', [email])
  return { id: rows[0].id, key }
}

async function ask({ api }: House, { key }: Owner, method: string, path: string, body?: object) {
  const response = await fetch(`${api.url}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) })
  })
  if (!response.ok) throw new Error(`${path} answered ${response.status} ${await response.text()}`)
}

async function tell(house: House, owner: Owner): Promise<void> {
  const messages = SAID.map((content, index) => ({
    role: 'user',
    content,
    createdAt: new Date(Date.UTC(2025, 2, 1 + index)).toISOString()
  }))
  await ask(house, owner, 'POST', '/conversations/import', { messages, extract: true })
  house.tally.acknowledged++
}

/** Forgets a memory, and lets the ten minutes go by in which that can be undone. */
async function forget(house: House, owner: Owner): Promise<void> {
  const { rows } = await house.pool.query(
    'SELECT id FROM memories WHERE owner_id = $1 AND text LIKE $2 ORDER BY id LIMIT 1',
    [owner.id, `%${FORGOTTEN}%`]
  )
  if (rows.length === 0) return void house.tally.broken.push('there is nothing to forget')
  await ask(house, owner, 'DELETE', `/memories/${rows[0].id}`)
  house.tally.acknowledged++
  await house.pool.query(
    `UPDATE memories SET purge_at = now() - interval '1 second' WHERE owner_id = $1 AND purge_at IS NOT NULL`,
    [owner.id]
  )
  await house.pool.query(
    `UPDATE pgboss.job SET start_after = now() - interval '1 second' WHERE name = 'memory.purge' AND data ->> 'ownerId' = $1`,
    [owner.id]
  )
}

/** A worker is killed in the middle of work that it was given. Answers whether it was still at it. */
async function killDuring(house: House, name: Killed, give: () => Promise<void>): Promise<boolean> {
  const { rig, pool, settings } = house
  const { rows } = await pool.query<{ now: Date }>('SELECT now()')
  const since = rows[0]?.now ?? new Date()
  const worker = await rig.startNode(settings)
  const given = give()
  const began = performance.now()
  while (!(await isActive(pool, name, since)) && performance.now() - began < BEGINS_WITHIN_MS) await wait(2)
  await wait(rig.random(KILL_WITHIN_MS[name]))
  await worker.kill()
  await given
  return isActive(pool, name, since)
}

/** Whether a job that began since then is under way, or was when its worker died. */
async function isActive(pool: pg.Pool, name: Killed, since: Date): Promise<boolean> {
  const { rows } = await pool.query(
    `SELECT FROM pgboss.job WHERE name = $1 AND state = 'active' AND started_on > $2 LIMIT 1`,
    [name, since]
  )
  return rows.length > 0
}

/** A worker that nobody kills does what is left, and what comes besides. */
async function finish(house: House, besides: () => Promise<void>): Promise<void> {
  const { rig, pool, settings, tally } = house
  const worker = await rig.startNode(settings)
  await besides()
  const began = performance.now()
  for (;;) {
    const { rows } = await pool.query<{ left: number; failed: number }>(
      `SELECT count(*) FILTER (WHERE state < 'completed')::int AS left,
              count(*) FILTER (WHERE state = 'failed')::int AS failed
         FROM pgboss.job WHERE name IN ('memory.extract', 'memory.index', 'memory.purge')`
    )
    const [{ left, failed } = { left: 0, failed: 0 }] = rows
    if (failed > 0) tally.broken.push(`${failed} jobs were given up`)
    if (left === 0 || failed > 0) break
    if (performance.now() - began > DONE_WITHIN_MS) {
      tally.broken.push(`${left} jobs were not done after ${DONE_WITHIN_MS / 1_000} s`)
      break
    }
    await wait(100)
  }
  tally.recoveredMs.push(performance.now() - began)
  await worker.stop()
}

async function compare({ pool, tally }: House, calm: Owner, owners: Owner[], what: string): Promise<void> {
  const wanted = await stateOf(pool, calm.id)
  if (wanted.memories.length < 5) tally.broken.push(`hardly anything was ${what} at all`)
  for (const { id } of owners) {
    const state = await stateOf(pool, id)
    if (isDeepStrictEqual(state, wanted)) continue
    const texts = ({ memories }: typeof state) => memories.map((row) => row.line).sort()
    tally.doubled += Math.max(0, texts(state).length - texts(wanted).length)
    tally.broken.push(`${what} otherwise: ${JSON.stringify(state)} and not ${JSON.stringify(wanted)}`)
  }
}

/** All that memory holds of an owner, without what differs between any two: ids and moments. */
async function stateOf(pool: pg.Pool, ownerId: string) {
  const list = async (sql: string) => (await pool.query<{ line: string }>(sql, [ownerId])).rows
  return {
    memories: await list(
      `SELECT concat_ws(' | ', text, status, proof_count, forgotten_at IS NULL,
                (SELECT text FROM memories s WHERE s.owner_id = m.owner_id AND s.id = m.superseded_by),
                (SELECT count(*) FROM memory_sources s WHERE s.owner_id = m.owner_id AND s.memory_id = m.id),
                (SELECT string_agg(action, ' ' ORDER BY h.id) FROM memory_history h
                  WHERE h.owner_id = m.owner_id AND h.memory_id = m.id)) AS line
         FROM memories m WHERE owner_id = $1 ORDER BY line`
    ),
    messages: await list(
      `SELECT concat_ws(' | ', content, extracted_at IS NULL) AS line FROM messages WHERE owner_id = $1 ORDER BY sequence`
    ),
    conflicts: await list(
      `SELECT concat_ws(' | ', reason, resolved_at IS NULL) AS line FROM memory_conflicts WHERE owner_id = $1 ORDER BY line`
    ),
    rows: await list(
      `SELECT concat_ws(' | ', (SELECT count(*) FROM memory_terms WHERE owner_id = $1),
                (SELECT count(*) FROM memory_vectors WHERE owner_id = $1),
                (SELECT count(*) FROM message_terms WHERE owner_id = $1),
                (SELECT count(*) FROM message_vectors WHERE owner_id = $1),
                (SELECT count(*) FROM memory_purges WHERE owner_id = $1)) AS line`
    )
  }
}
