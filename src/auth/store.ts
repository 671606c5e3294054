import { and, desc, eq, gt, isNull, lt, or, sql } from 'drizzle-orm'
import { brokenConstraint, type Tx } from '../db/client.ts'
import { fixed } from '../db/statement.ts'
import { listOwners } from '../db/system.ts'
import { EmailTaken } from './errors.ts'
import type { Account, Profile, ProfileChanges, Role, Scope } from './schemas.ts'
import { apiKeys, invitations, users } from './tables.ts'

// All times are the database's: nodes whose clocks differ agree on them.
const NOW = sql`now()`
/** Held while accounts come and go, so that who is first and who is last is certain. Any number nobody else uses. */
const ACCOUNTS_LOCK = 7_214_002

const ACCOUNT = { id: users.id, email: users.email, name: users.name, role: users.role }
const PROFILE = {
  ...ACCOUNT,
  timezone: users.timezone,
  locale: users.locale,
  instructions: users.instructions,
  memoryPaused: users.memoryPaused,
  monthlyBudget: sql<number | null>`${users.monthlyBudgetCents} / 100.0::float8`
}
const KEY = {
  id: apiKeys.id,
  name: apiKeys.name,
  prefix: apiKeys.prefix,
  scopes: apiKeys.scopes,
  expiresAt: apiKeys.expiresAt,
  lastUsedAt: apiKeys.lastUsedAt,
  createdAt: apiKeys.createdAt
}
const INVITATION = {
  id: invitations.id,
  expiresAt: invitations.expiresAt,
  usedAt: invitations.usedAt,
  createdAt: invitations.createdAt
}

// Accounts

export async function lockAccounts(tx: Tx): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${ACCOUNTS_LOCK})`)
}

/** Makes `ownerId` the owner for the rest of the transaction: registering uses one owner's invitation for another's account. */
export async function actAs(tx: Tx, ownerId: string): Promise<void> {
  await tx.execute(sql`SELECT set_config('pai.owner_id', ${ownerId}, true)`)
}

export async function createAccount(
  tx: Tx,
  ownerId: string,
  values: { email: string; name: string; role: Role; passwordHash: string }
): Promise<Account> {
  try {
    const [row] = await tx
      .insert(users)
      .values({ id: ownerId, ...values })
      .returning(ACCOUNT)
    return row as Account
  } catch (error) {
    throw brokenConstraint(error) === 'users_email' ? new EmailTaken({ cause: error }) : error
  }
}

export async function findAccount(tx: Tx, ownerId: string): Promise<Account | undefined> {
  const [row] = await tx.select(ACCOUNT).from(users).where(eq(users.id, ownerId))
  return row
}

/** Asked by every client when it opens, and by many while they are open. */
export const profileOf = fixed<{ ownerId: string }, Profile>(
  ({ ownerId }) => sql`
    SELECT id, email, name, role, timezone, locale, instructions, memory_paused AS "memoryPaused",
           monthly_budget_cents / 100.0::float8 AS "monthlyBudget" FROM users WHERE id = ${ownerId}`
)

export async function saveProfile(
  tx: Tx,
  ownerId: string,
  { monthlyBudget, ...changes }: ProfileChanges
): Promise<Profile | undefined> {
  const monthlyBudgetCents =
    typeof monthlyBudget === 'number' ? Math.round(monthlyBudget * 100) : monthlyBudget
  const set = { ...changes, ...(monthlyBudgetCents !== undefined && { monthlyBudgetCents }) }
  const [row] = await tx.update(users).set(set).where(eq(users.id, ownerId)).returning(PROFILE)
  return row
}

export async function findPasswordHash(tx: Tx, ownerId: string): Promise<string | undefined> {
  const [row] = await tx.select({ hash: users.passwordHash }).from(users).where(eq(users.id, ownerId))
  return row?.hash
}

/** Puts `next` in the place of `known`, unless the password has changed meanwhile. */
export async function replacePasswordHash(
  tx: Tx,
  ownerId: string,
  known: string,
  next: string
): Promise<void> {
  await tx
    .update(users)
    .set({ passwordHash: next })
    .where(and(eq(users.id, ownerId), eq(users.passwordHash, known)))
}

export async function hasOtherAccounts(tx: Tx): Promise<boolean> {
  return (await listOwners(tx, null, 2)).length === 2
}

export async function removeAccount(tx: Tx, ownerId: string): Promise<void> {
  // Everything else the owner has goes with the account, by its foreign keys.
  await tx.delete(users).where(eq(users.id, ownerId))
}

// API keys

export type ApiKeyRow = Pick<typeof apiKeys.$inferSelect, keyof typeof KEY>

export async function createApiKey(
  tx: Tx,
  ownerId: string,
  values: {
    id: string
    name: string
    prefix: string
    keyHash: Buffer
    scopes: Scope[]
    expiresAt: Date | null
  }
): Promise<ApiKeyRow> {
  const [row] = await tx
    .insert(apiKeys)
    .values({ ownerId, ...values })
    .returning(KEY)
  return row as ApiKeyRow
}

/** Newest first, one row more than `limit`. */
export function listApiKeys(tx: Tx, ownerId: string, limit: number, after?: string): Promise<ApiKeyRow[]> {
  return tx
    .select(KEY)
    .from(apiKeys)
    .where(and(eq(apiKeys.ownerId, ownerId), after ? lt(apiKeys.id, after) : undefined))
    .orderBy(desc(apiKeys.id))
    .limit(limit + 1)
}

/** Answers whether there was one. */
export async function removeApiKey(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const { rowCount } = await tx.delete(apiKeys).where(isApiKey(ownerId, id))
  return rowCount === 1
}

/** Those of an owner's sessions and keys that are no more, or revoked. */
export async function findEnded(tx: Tx, ownerId: string, ids: string[]): Promise<string[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    SELECT DISTINCT held.id FROM unnest(${sql.param(ids)}::uuid[]) AS held (id)
     WHERE NOT EXISTS (SELECT FROM api_keys WHERE owner_id = ${ownerId} AND id = held.id)
       AND NOT EXISTS (SELECT FROM sessions WHERE owner_id = ${ownerId} AND id = held.id AND revoked_at IS NULL)`)
  return rows.map(({ id }) => id)
}

export async function touchApiKey(tx: Tx, ownerId: string, id: string): Promise<void> {
  const isDue = or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, sql`now() - interval '1 minute'`))
  await tx
    .update(apiKeys)
    .set({ lastUsedAt: NOW })
    .where(and(isApiKey(ownerId, id), isDue))
}

// Invitations

export type InvitationRow = Pick<typeof invitations.$inferSelect, keyof typeof INVITATION>

export async function createInvitation(
  tx: Tx,
  ownerId: string,
  values: { id: string; codeHash: Buffer; expiresInHours: number }
): Promise<InvitationRow> {
  const { expiresInHours, ...rest } = values
  const expiresAt = sql`now() + make_interval(hours => ${expiresInHours})`
  const [row] = await tx
    .insert(invitations)
    .values({ ownerId, ...rest, expiresAt })
    .returning(INVITATION)
  return row as InvitationRow
}

/** Newest first, one row more than `limit`. */
export function listInvitations(
  tx: Tx,
  ownerId: string,
  limit: number,
  after?: string
): Promise<InvitationRow[]> {
  return tx
    .select(INVITATION)
    .from(invitations)
    .where(and(eq(invitations.ownerId, ownerId), after ? lt(invitations.id, after) : undefined))
    .orderBy(desc(invitations.id))
    .limit(limit + 1)
}

/** Answers false when it is used, expired or gone: of two who use it at once, the second waits and gets that. */
export async function spendInvitation(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const { rowCount } = await tx
    .update(invitations)
    .set({ usedAt: NOW })
    .where(and(isInvitation(ownerId, id), isNull(invitations.usedAt), gt(invitations.expiresAt, NOW)))
  return rowCount === 1
}

/** Answers whether there was one. */
export async function removeInvitation(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const { rowCount } = await tx.delete(invitations).where(isInvitation(ownerId, id))
  return rowCount === 1
}

const isApiKey = (ownerId: string, id: string) => and(eq(apiKeys.ownerId, ownerId), eq(apiKeys.id, id))
const isInvitation = (ownerId: string, id: string) =>
  and(eq(invitations.ownerId, ownerId), eq(invitations.id, id))
