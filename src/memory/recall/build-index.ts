import { sql } from 'drizzle-orm'
import type { Database, Tx } from '../../db/client.ts'
import { buildVectorIndex, indexName, MOST_ROW_DIMENSIONS, type VectorKind } from '../../db/vector-index.ts'
import type { JobHandlers } from '../../jobs/jobs.ts'
import type { Queue } from '../../jobs/queue.ts'
import type { Embedder } from '../../llm/model.ts'
import { LARGE_OWNER } from './search-settings.ts'

/** From about here it counts that an owner's vectors lie all over the table. */
const SCATTERED = 1_000
const KINDS: VectorKind[] = ['memory', 'message']

export type CheckSize = (
  tx: Tx,
  ownerId: string,
  embedder: Pick<Embedder, 'id' | 'dimensions'>
) => Promise<void>

/** Has the indexes built that an owner needs who grows large: asked wherever vectors are added. */
export function createCheckSize(
  { kind: database }: Pick<Database, 'kind'>,
  queue: Pick<Queue, 'enqueue'>
): CheckSize {
  const asked = new Set<string>()
  return async function checkSize(tx, ownerId, { id: model, dimensions }) {
    const isAsked = (kind: VectorKind) => asked.has(indexName({ kind, model, dimensions, ownerId }))
    if (database === 'embedded' || KINDS.every(isAsked)) return
    const { rows } = await tx.execute<{ kind: VectorKind; count: number }>(sql`
      SELECT kind, count FROM term_counts WHERE owner_id = ${ownerId} AND term = '' AND count >= ${SCATTERED}`)
    for (const { kind, count } of rows) {
      const wanted = [
        ...(dimensions <= MOST_ROW_DIMENSIONS ? [{ kind, model, dimensions, rows: true }] : []),
        ...(count >= LARGE_OWNER ? [{ kind, model, dimensions, ownerId }] : [])
      ]
      for (const index of wanted) {
        if (asked.has(indexName(index))) continue
        // Before the commit: should it fail, the next start asks again.
        asked.add(indexName(index))
        await queue.enqueue(tx, 'memory.build-vector-index', index)
      }
    }
  }
}

export function createBuildIndex(
  database: Database,
  migrationUrl: string | undefined
): JobHandlers['memory.build-vector-index'] {
  return async function buildIndex(index) {
    await buildVectorIndex(database, migrationUrl, index)
  }
}
