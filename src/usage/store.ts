import { type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import type { GroupBy, UsageSums } from './schemas.ts'

export interface StoredCall {
  /** Made before it is stored, so that storing it again doubles nothing. */
  id: string
  conversationId: string | null
  purpose: string
  model: string
  inputTokens: number
  cachedTokens: number
  outputTokens: number
  costNanos: number | null
  /** Whether the tokens are an estimate: the provider told none. */
  estimated: boolean
  createdAt: string
}

/** Adds calls, and what they cost to their months. Those that are there already count once; answers how many were not. */
export async function saveCalls(tx: Tx, ownerId: string, calls: StoredCall[]): Promise<number> {
  const { rows } = await tx.execute<{ added: number }>(sql`
    WITH given AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(calls)}::jsonb) AS given (
        id uuid, "conversationId" uuid, purpose text, model text, "inputTokens" integer, "cachedTokens" integer,
        "outputTokens" integer, estimated boolean, "costNanos" bigint, "createdAt" timestamptz)
    ), added AS (
      INSERT INTO model_calls (owner_id, id, conversation_id, purpose, model, input_tokens, cached_tokens, output_tokens,
                               estimated, cost_nanos, created_at)
      SELECT ${ownerId}::uuid, given.id,
             -- One that was deleted meanwhile is no reason to lose what it cost.
             (SELECT c.id FROM conversations c WHERE c.owner_id = ${ownerId} AND c.id = given."conversationId"),
             purpose, model, "inputTokens", "cachedTokens", "outputTokens", estimated, "costNanos", "createdAt"
        FROM given ON CONFLICT DO NOTHING
      RETURNING cost_nanos, created_at
    ), summed AS (
      INSERT INTO monthly_costs AS known (owner_id, month, cost_nanos)
      SELECT ${ownerId}::uuid, date_trunc('month', created_at AT TIME ZONE 'UTC')::date, sum(cost_nanos)::bigint
        FROM added WHERE cost_nanos > 0 GROUP BY 2
      ON CONFLICT (owner_id, month) DO UPDATE SET cost_nanos = known.cost_nanos + excluded.cost_nanos
    )
    SELECT count(*)::int AS added FROM added`)
  return rows[0]?.added ?? 0
}

/** What an owner has spent in a month, and may spend by the own wish. */
export async function readStanding(
  tx: Tx,
  ownerId: string,
  month: string
): Promise<{ month: string; spentNanos: number; ownNanos: number | null }> {
  const { rows } = await tx.execute<{ spent: string | null; own: string | null }>(sql`
    SELECT (SELECT cost_nanos FROM monthly_costs WHERE owner_id = ${ownerId} AND month = ${month}) AS spent,
           (SELECT monthly_budget_cents::bigint * 10000000 FROM users WHERE id = ${ownerId}) AS own`)
  const { spent = null, own = null } = rows[0] ?? {}
  return { month, spentNanos: Number(spent ?? 0), ownNanos: own === null ? null : Number(own) }
}

const KEYS: Record<GroupBy, SQL> = {
  day: sql`to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  model: sql`model`,
  purpose: sql`purpose`,
  conversation: sql`coalesce(conversation_id::text, '')`
}
const SUMS = sql`count(*) AS calls, coalesce(sum(input_tokens), 0) AS "inputTokens",
  coalesce(sum(cached_tokens), 0) AS "cachedTokens", coalesce(sum(output_tokens), 0) AS "outputTokens",
  coalesce(sum(cost_nanos), 0) / 1e9 AS "costUsd", count(*) FILTER (WHERE cost_nanos IS NULL) AS "unpricedCalls",
  count(*) FILTER (WHERE estimated) AS "estimatedCalls"`

/** Sums are bigint or numeric, which come as text. */
type SumsRow = Record<keyof UsageSums, string>

export interface UsageRange {
  from: Date
  to: Date
}

export async function sumUsage(tx: Tx, ownerId: string, range: UsageRange): Promise<UsageSums> {
  const { rows } = await tx.execute<SumsRow>(
    sql`SELECT ${SUMS} FROM model_calls WHERE ${isWithin(ownerId, range)}`
  )
  return toSums(rows[0] as SumsRow)
}

/** Sums by day, model, purpose or conversation, the last key first; one more than `limit`. */
export async function groupUsage(
  tx: Tx,
  ownerId: string,
  range: UsageRange,
  groupBy: GroupBy,
  limit: number,
  after?: string
): Promise<({ key: string } & UsageSums)[]> {
  const { rows } = await tx.execute<{ key: string } & SumsRow>(sql`
    SELECT ${KEYS[groupBy]} COLLATE "C" AS key, ${SUMS} FROM model_calls WHERE ${isWithin(ownerId, range)}
     ${after === undefined ? sql`` : sql`AND ${KEYS[groupBy]} COLLATE "C" < ${after}`}
     GROUP BY 1 ORDER BY 1 DESC LIMIT ${limit + 1}`)
  return rows.map(({ key, ...row }) => ({ key, ...toSums(row) }))
}

function isWithin(ownerId: string, { from, to }: UsageRange): SQL {
  return sql`owner_id = ${ownerId} AND created_at >= ${from} AND created_at < ${to}`
}

function toSums({
  calls,
  inputTokens,
  cachedTokens,
  outputTokens,
  costUsd,
  unpricedCalls,
  estimatedCalls
}: SumsRow): UsageSums {
  return {
    calls: Number(calls),
    inputTokens: Number(inputTokens),
    cachedTokens: Number(cachedTokens),
    outputTokens: Number(outputTokens),
    costUsd: Number(costUsd),
    unpricedCalls: Number(unpricedCalls),
    estimatedCalls: Number(estimatedCalls)
  }
}
