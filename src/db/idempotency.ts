import { createHash } from 'node:crypto'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Tx } from './client.ts'
import { IdempotencyKeyReused } from './errors.ts'
import { idempotencyKeys } from './idempotency-table.ts'

export interface IdempotentCall {
  ownerId: string
  /** The `Idempotency-Key` header; undefined: the call is made as often as it arrives. */
  key: string | undefined
  /** What the key stands for, such as `POST /v1/memories`, and the body it came with. */
  call: string
  body: unknown
  /**
   * Set where the key is not the caller's own but made from what it asks, since it tells only how often it has tried: whether
   * this is another try. A first one is always made, and another finds the last one of some minutes.
   */
  isRetry?: boolean | undefined
}

/** A client that tries again by itself has given up by then. */
const RETRIED_WITHIN = sql`interval '15 minutes'`

/**
 * Makes a thing once for its key. `work` and the record of its answer share the caller's transaction, so both are there
 * or neither; a second request with the key waits on the record's row, then gets the first one's answer. The answer must
 * be JSON.
 */
export async function once<Answer>(
  tx: Tx,
  request: IdempotentCall,
  work: () => Promise<Answer>
): Promise<Answer> {
  const { ownerId, key } = request
  if (key === undefined) return work()
  const known = await claim<Answer>(tx, request, null)
  if (known) return known.answer
  const response = await work()
  await tx
    .update(idempotencyKeys)
    .set({ response })
    .where(and(eq(idempotencyKeys.ownerId, ownerId), eq(idempotencyKeys.key, key)))
  return response
}

/**
 * Takes the key for this transaction, with an answer that is known before the work. Answers null when the key is the
 * caller's now, and what it stands for when somebody had it first.
 */
export async function claim<Answer>(
  tx: Tx,
  request: IdempotentCall,
  answer: Answer | null
): Promise<{ answer: Answer } | null> {
  const claim = toClaim(request, answer)
  if (!claim) return null
  const { rows } = await tx.execute(claiming({ ownerId: request.ownerId, ...claim }))
  return rows.length > 0 ? null : { answer: await findAnswer<Answer>(tx, request) }
}

/** A key as it is stored, with what it stands for and is answered by. */
export interface Claim extends Record<string, unknown> {
  key: string
  requestHash: Buffer
  response: string
  /** null: the key stands for one request, for as long as it is kept. */
  isRetry: boolean | null
}

/** null where the call has no key, and is made as often as it arrives. */
export function toClaim({ key, ...request }: IdempotentCall, answer: unknown): Claim | null {
  return key === undefined
    ? null
    : {
        key,
        requestHash: hashOf({ key, ...request }),
        response: JSON.stringify(answer),
        isRetry: request.isRetry ?? null
      }
}

/**
 * Taking a key as a part of a statement that goes on with the work, to save a round trip: it answers one row when the key is
 * the caller's now, and none when somebody had it first, whose answer `findAnswer` then has.
 */
export function claiming({ ownerId, key, requestHash, response, isRetry }: ClaimParts): SQL {
  return sql`INSERT INTO idempotency_keys AS known (owner_id, key, request_hash, response)
    VALUES (${ownerId}, ${key}, ${requestHash}, ${response}::jsonb) ON CONFLICT (owner_id, key) DO UPDATE
      SET request_hash = excluded.request_hash, response = excluded.response, created_at = excluded.created_at
      WHERE NOT ${isRetry}::boolean OR (${isRetry}::boolean AND known.created_at < now() - ${RETRIED_WITHIN}) RETURNING 1`
}

/** Values, or the places of values that come later. */
type ClaimParts = Record<'ownerId' | 'key' | 'requestHash' | 'response' | 'isRetry', unknown>

/** What a key that was taken before stands for; refuses one that came with another request. */
export async function findAnswer<Answer>(tx: Tx, request: IdempotentCall): Promise<Answer> {
  const { ownerId, key = '' } = request
  const [known] = await tx
    .select({ requestHash: idempotencyKeys.requestHash, response: idempotencyKeys.response })
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.ownerId, ownerId), eq(idempotencyKeys.key, key)))
  if (!known?.requestHash.equals(hashOf(request))) throw new IdempotencyKeyReused()
  return known.response as Answer
}

/** The answer a key has had, where it has: asked ahead of work that a retry need not wait for again. */
export async function findEarlierAnswer<Answer>(tx: Tx, request: IdempotentCall): Promise<Answer | null> {
  const { ownerId, key = '' } = request
  const [known] = await tx
    .select({ key: idempotencyKeys.key })
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.ownerId, ownerId), eq(idempotencyKeys.key, key)))
  return known ? findAnswer<Answer>(tx, request) : null
}

function hashOf({ call, body }: IdempotentCall): Buffer {
  return createHash('sha256').update(call).update('\0').update(canonical(body)).digest()
}

/** The same body in another order of fields is the same request. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item
  )
}
