import { sql } from 'drizzle-orm'
import type { Tx } from '../../db/client.ts'
import type { IndexedKind } from './candidates.ts'

/** Up to about here an owner's vectors are read one by one in less time than an index takes. */
export const LARGE_OWNER = 10_000
/** A name that more than this share of the messages carries tells nothing apart. */
const COMMON_SHARE = 0.2

/** What a search must know of its owner before it can be put. */
export interface SearchSettings {
  /** The model whose vectors are searched; null where there are none yet. */
  model: string | null
  /** The one that is being built beside it. */
  nextModel: string | null
  /** Of which kinds there are very many. */
  large: IndexedKind[]
  timeZone: string
  /** Of the names asked for, those that are all over the owner's messages, such as a speaker's. */
  commonNames: string[]
}

export async function readSearchSettings(tx: Tx, ownerId: string, names: string[]): Promise<SearchSettings> {
  const { rows } = await tx.execute<SearchSettings & Record<string, unknown>>(sql`
    SELECT coalesce(models.model,
             (SELECT model FROM memory_vectors WHERE owner_id = ${ownerId} LIMIT 1),
             (SELECT model FROM message_vectors WHERE owner_id = ${ownerId} LIMIT 1)) AS model,
           models.next_model AS "nextModel", users.timezone AS "timeZone",
           ARRAY(SELECT kind FROM term_counts
                  WHERE owner_id = ${ownerId} AND kind IN ('memory', 'message') AND term = ''
                    AND count >= ${LARGE_OWNER}::int) AS large,
           ARRAY(SELECT named.term FROM term_counts named
                  JOIN term_counts total ON total.owner_id = ${ownerId} AND total.kind = 'message' AND total.term = ''
                 WHERE named.owner_id = ${ownerId} AND named.kind = 'message'
                   AND named.term = ANY(${sql.param(names)}::text[])
                   AND named.count > ${COMMON_SHARE}::float8 * total.count) AS "commonNames"
      FROM users LEFT JOIN vector_models models ON models.owner_id = ${ownerId} WHERE users.id = ${ownerId}`)
  // Of an account that was removed meanwhile.
  return rows[0] ?? { model: null, nextModel: null, large: [], timeZone: 'UTC', commonNames: [] }
}
