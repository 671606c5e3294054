import { sql } from 'drizzle-orm'
import type { Notice } from './bus.ts'
import type { Database, Tx } from './client.ts'
import { fixed } from './statement.ts'

/** The functions that may look across owners, all of them. They are defined in the migrations. */

export async function hasAccounts(tx: Tx): Promise<boolean> {
  const { rows } = await tx.execute<{ found: boolean }>(sql`SELECT system.has_accounts() AS found`)
  return rows[0]?.found ?? false
}

export async function findSignIn(
  tx: Tx,
  email: string
): Promise<{ id: string; passwordHash: string } | undefined> {
  const { rows } = await tx.execute<{ id: string; passwordHash: string }>(
    sql`SELECT id, password_hash AS "passwordHash" FROM system.find_sign_in(${email})`
  )
  return rows[0]
}

export async function findRefreshTokenOwner(tx: Tx, hash: Buffer): Promise<string | undefined> {
  const { rows } = await tx.execute<{ owner: string | null }>(
    sql`SELECT system.find_refresh_token_owner(${hash}) AS owner`
  )
  return rows[0]?.owner ?? undefined
}

export interface FoundApiKey extends Record<string, unknown> {
  ownerId: string
  id: string
  scopes: string[]
  /** As PostgreSQL writes it: a raw statement's columns are not mapped. */
  expiresAt: string | null
  role: 'admin' | 'member'
}

export async function findApiKey(tx: Tx, hash: Buffer): Promise<FoundApiKey | undefined> {
  const { rows } = await tx.execute<FoundApiKey>(
    sql`SELECT owner_id AS "ownerId", id, scopes, expires_at AS "expiresAt", role FROM system.find_api_key(${hash})`
  )
  return rows[0]
}

export async function findInvitation(
  tx: Tx,
  hash: Buffer
): Promise<{ ownerId: string; id: string } | undefined> {
  const { rows } = await tx.execute<{ ownerId: string; id: string }>(
    sql`SELECT owner_id AS "ownerId", id FROM system.find_invitation(${hash})`
  )
  return rows[0]
}

/** Unfinished turns whose runner stopped renewing its lease; with `evenLeased`, all of them. */
export async function findAbandonedTurns(
  tx: Tx,
  evenLeased: boolean,
  atMost: number
): Promise<{ ownerId: string; id: string }[]> {
  const { rows } = await tx.execute<{ ownerId: string; id: string }>(
    sql`SELECT owner_id AS "ownerId", id FROM system.find_abandoned_turns(${evenLeased}, ${atMost})`
  )
  return rows
}

/** Owners by id, after one of them, with their time zones: for the nightly jobs. */
export async function listOwners(
  tx: Tx,
  after: string | null,
  atMost: number
): Promise<{ id: string; timezone: string }[]> {
  const { rows } = await tx.execute<{ id: string; timezone: string }>(
    sql`SELECT id, timezone FROM system.list_owners(${after}::uuid, ${atMost})`
  )
  return rows
}

/** The embedding models that somebody's vectors are of, or are being built of. */
export async function listVectorModels(tx: Tx): Promise<string[]> {
  const { rows } = await tx.execute<{ model: string }>(sql`SELECT model FROM system.list_vector_models()`)
  return rows.map(({ model }) => model)
}

/** Forgotten memories that can be purged by now, those that wait longest first. */
export async function findDuePurges(
  tx: Tx,
  dueAt: Date,
  atMost: number
): Promise<{ ownerId: string; id: string }[]> {
  const { rows } = await tx.execute<{ ownerId: string; id: string }>(
    sql`SELECT owner_id AS "ownerId", id FROM system.find_due_purges(${dueAt}, ${atMost})`
  )
  return rows
}

/** So many rows go in one transaction: what has gathered on a machine that was off must not take longer than a statement may. */
const EXPIRED_AT_ONCE = 10_000

/**
 * Some of the turn logs and stored answers past their 24 hours, and of the temporary chats that were left a day ago. Answers whether
 * there may be more.
 */
export async function deleteExpired(tx: Tx, atMost = EXPIRED_AT_ONCE): Promise<boolean> {
  const { rows } = await tx.execute<{ more: boolean }>(sql`SELECT system.delete_expired(${atMost}) AS more`)
  return rows[0]?.more ?? false
}

/** What a runner has to add to the logs of its turns: each part's events take the numbers from `firstId` on. */
export interface LogPart {
  ownerId: string
  turnId: string
  firstId: number
  events: { type: string; data: unknown }[]
}

/**
 * Adds to the logs of turns that are still the runner's, and notifies in the same statement. Answers which turns those
 * are, and of each whether that was written: a turn that somebody has locked is brought again. The rest are another's.
 */
export async function appendTurnEvents(
  database: Pick<Database, 'firstInSystem'>,
  runnerId: string,
  parts: LogPart[],
  notices: Notice[]
): Promise<Map<string, boolean>> {
  const batch = parts.map(({ ownerId, turnId, firstId, events }) => ({
    owner_id: ownerId,
    turn_id: turnId,
    first_id: firstId,
    events
  }))
  const rows = await database.firstInSystem(
    append({
      runnerId,
      batch: JSON.stringify(batch),
      channel: notices[0]?.channel ?? null,
      payloads: notices.map(({ payload }) => payload)
    })
  )
  return new Map(rows.map(({ id, isStored }) => [id, isStored]))
}

const append = fixed<
  { runnerId: string; batch: string; channel: string | null; payloads: string[] },
  { id: string; isStored: boolean }
>(
  ({ runnerId, batch, channel, payloads }) =>
    sql`SELECT turn_id AS id, is_stored AS "isStored", told FROM (
          SELECT count(pg_notify(${channel}, payload)::text) AS told FROM unnest(${payloads}::text[]) AS payload
        ) AS telling CROSS JOIN system.append_to_logs(${runnerId}::uuid, ${batch}::jsonb)`
)

/**
 * Keeps these of a runner's turns for it, but for one that somebody has locked; answers those it still has, and whether their owner
 * wants them stopped.
 */
export async function renewLeases(
  database: Pick<Database, 'firstInSystem'>,
  runnerId: string,
  turnIds: string[]
): Promise<Map<string, { stopRequested: boolean }>> {
  const rows = await database.firstInSystem(renew({ runnerId, turnIds }))
  return new Map(rows.map(({ id, stopRequested }) => [id, { stopRequested }]))
}

const renew = fixed<{ runnerId: string; turnIds: string[] }, { id: string; stopRequested: boolean }>(
  ({ runnerId, turnIds }) =>
    sql`SELECT turn_id AS id, stop_requested AS "stopRequested" FROM system.keep_leases(${runnerId}::uuid, ${turnIds}::uuid[])`
)

/** Sessions that ended in the last `seconds`. */
export async function listRevokedSessions(tx: Tx, seconds: number): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(
    sql`SELECT id FROM system.list_revoked_sessions(now() - make_interval(secs => ${seconds}))`
  )
  return rows.map(({ id }) => id)
}

/** Adds what this process has counted in the minute that runs; answers what all processes have, by key. */
export async function countRequests(tx: Tx, counted: Record<string, number>): Promise<Map<string, number>> {
  const { rows } = await tx.execute<{ key: string; count: number }>(
    sql`SELECT key, count FROM system.count_requests(${JSON.stringify(counted)}::jsonb)`
  )
  return new Map(rows.map(({ key, count }) => [key, count]))
}
