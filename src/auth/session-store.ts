import { and, eq, gt, isNull, lt, notExists, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Tx } from '../db/client.ts'
import { refreshTokens, sessions } from './tables.ts'

// All times are the database's: nodes whose clocks differ agree on them.
const NOW = sql`now()`
/** A session lasts as long as it is renewed this often. */
export const REFRESH_TOKEN_DAYS = 30

export async function createSession(tx: Tx, ownerId: string): Promise<string> {
  const id = uuidv7()
  await tx.insert(sessions).values({ ownerId, id })
  return id
}

export async function isLiveSession(tx: Tx, ownerId: string, id: string): Promise<boolean> {
  const live = await tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(isSession(ownerId, id), isNull(sessions.revokedAt)))
  return live.length > 0
}

export async function revokeSession(tx: Tx, ownerId: string, id: string): Promise<void> {
  await tx
    .update(sessions)
    .set({ revokedAt: NOW })
    .where(and(isSession(ownerId, id), isNull(sessions.revokedAt)))
}

/** Sessions nobody can renew any more, with their tokens. */
export async function removeEndedSessions(tx: Tx, ownerId: string): Promise<void> {
  const renewable = tx
    .select({ id: refreshTokens.id })
    .from(refreshTokens)
    .where(
      and(
        eq(refreshTokens.ownerId, ownerId),
        eq(refreshTokens.sessionId, sessions.id),
        gt(refreshTokens.expiresAt, NOW)
      )
    )
  await tx.delete(sessions).where(and(eq(sessions.ownerId, ownerId), notExists(renewable)))
}

export async function createRefreshToken(
  tx: Tx,
  ownerId: string,
  sessionId: string,
  tokenHash: Buffer
): Promise<void> {
  await tx.insert(refreshTokens).values({
    ownerId,
    id: uuidv7(),
    sessionId,
    tokenHash,
    expiresAt: sql`now() + make_interval(days => ${REFRESH_TOKEN_DAYS})`
  })
}

export interface RefreshTokenState {
  id: string
  sessionId: string
  /** The session and the token are both still good. */
  isLive: boolean
  isSpent: boolean
  /** Spent less than ten seconds ago. */
  isJustSpent: boolean
}

/** The token as it stands once every other transaction on it has ended: it and its session stay locked. */
export async function lockRefreshToken(
  tx: Tx,
  ownerId: string,
  tokenHash: Buffer
): Promise<RefreshTokenState | undefined> {
  const { id, sessionId, expiresAt, usedAt } = refreshTokens
  const [row] = await tx
    .select({
      id,
      sessionId,
      isLive: sql<boolean>`${sessions.revokedAt} IS NULL AND ${expiresAt} > now()`,
      isSpent: sql<boolean>`${usedAt} IS NOT NULL`,
      isJustSpent: sql<boolean>`coalesce(${usedAt} > now() - interval '10 seconds', false)`
    })
    .from(refreshTokens)
    .innerJoin(sessions, and(eq(sessions.ownerId, refreshTokens.ownerId), eq(sessions.id, sessionId)))
    .where(isRefreshToken(ownerId, tokenHash))
    .for('update')
  return row
}

export async function spendRefreshToken(tx: Tx, ownerId: string, id: string): Promise<void> {
  await tx
    .update(refreshTokens)
    .set({ usedAt: NOW })
    .where(and(eq(refreshTokens.ownerId, ownerId), eq(refreshTokens.id, id)))
}

export async function isUnspentRefreshToken(tx: Tx, ownerId: string, tokenHash: Buffer): Promise<boolean> {
  const unspent = await tx
    .select({ id: refreshTokens.id })
    .from(refreshTokens)
    .where(and(isRefreshToken(ownerId, tokenHash), isNull(refreshTokens.usedAt)))
  return unspent.length > 0
}

/** A token past its expiry is refused whether it is known or not, so a long session need not keep its history. */
export async function removeExpiredRefreshTokens(tx: Tx, ownerId: string): Promise<void> {
  await tx
    .delete(refreshTokens)
    .where(and(eq(refreshTokens.ownerId, ownerId), lt(refreshTokens.expiresAt, NOW)))
}

const isSession = (ownerId: string, id: string) => and(eq(sessions.ownerId, ownerId), eq(sessions.id, id))
const isRefreshToken = (ownerId: string, tokenHash: Buffer) =>
  and(eq(refreshTokens.ownerId, ownerId), eq(refreshTokens.tokenHash, tokenHash))
