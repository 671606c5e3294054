import { sql } from 'drizzle-orm'
import type { Database, Tx } from '../../db/client.ts'
import { buildVectorIndex, type VectorKind } from '../../db/vector-index.ts'
import type { JobHandlers } from '../../jobs/jobs.ts'
import type { Queue } from '../../jobs/queue.ts'
import type { Embedder } from '../../llm/model.ts'
import { LARGE_OWNER } from './search-settings.ts'

const KINDS: VectorKind[] = ['memory', 'message']

export type CheckSize = (
  tx: Tx,
  ownerId: string,
  embedder: Pick<Embedder, 'id' | 'dimensions'>
) => Promise<void>

/** Has the index of a model built when the first owner grows large: asked wherever vectors are added. */
export function createCheckSize(
  { kind: database }: Pick<Database, 'kind'>,
  queue: Pick<Queue, 'enqueue'>
): CheckSize {
  const asked = new Set<string>()
  return async function checkSize(tx, ownerId, { id: model, dimensions }) {
    if (database === 'embedded' || KINDS.every((kind) => asked.has(`${kind} ${model}`))) return
    const { rows } = await tx.execute<{ kind: VectorKind }>(sql`
      SELECT kind FROM term_counts WHERE owner_id = ${ownerId} AND term = '' AND count >= ${LARGE_OWNER}`)
    for (const { kind } of rows) {
      if (asked.has(`${kind} ${model}`)) continue
      // Before the commit: should it fail, the next start asks again.
      asked.add(`${kind} ${model}`)
      await queue.enqueue(tx, 'memory.build-vector-index', { kind, model, dimensions })
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
