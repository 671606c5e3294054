import { and, desc, eq, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import type { Cursor } from '../http/cursor.ts'
import { memories } from '../memory/tables.ts'
import { memoryClusterMembers, memoryClusters } from './tables.ts'

export type ClusterRow = typeof memoryClusters.$inferSelect

export interface Cluster {
  id: string
  topic: string
  memoryIds: string[]
}

/** Rows of one INSERT. */
const ROWS_AT_ONCE = 1_000

/** All clusters, with their members. */
export async function listWithMembers(tx: Tx, ownerId: string): Promise<Cluster[]> {
  const { rows } = await tx.execute<Cluster & Record<string, unknown>>(sql`
    SELECT cluster.id, cluster.topic, array_agg(member.memory_id ORDER BY member.memory_id) AS "memoryIds"
      FROM memory_clusters cluster
      JOIN memory_cluster_members member ON member.owner_id = ${ownerId} AND member.cluster_id = cluster.id
     WHERE cluster.owner_id = ${ownerId} GROUP BY cluster.id, cluster.topic ORDER BY cluster.id`)
  return rows
}

/** Puts these in the place of all there were; members that are gone or forgotten meanwhile are left out. */
export async function replaceClusters(tx: Tx, ownerId: string, clusters: Cluster[]): Promise<void> {
  const ids = clusters.flatMap(({ memoryIds }) => memoryIds)
  const rows = ids.length
    ? await tx
        .select({ id: memories.id })
        .from(memories)
        .where(and(eq(memories.ownerId, ownerId), inArray(memories.id, ids), isNull(memories.forgottenAt)))
        .orderBy(memories.id)
        .for('share')
    : []
  const there = new Set(rows.map(({ id }) => id))
  const kept = clusters
    .map((cluster) => ({ ...cluster, memoryIds: cluster.memoryIds.filter((id) => there.has(id)) }))
    .filter(({ memoryIds }) => memoryIds.length > 1)
  await tx.delete(memoryClusters).where(eq(memoryClusters.ownerId, ownerId))
  if (kept.length === 0) return
  await tx
    .insert(memoryClusters)
    .values(kept.map(({ id, topic, memoryIds }) => ({ ownerId, id, topic, size: memoryIds.length })))
  const members = kept.flatMap(({ id, memoryIds }) =>
    memoryIds.map((memoryId) => ({ ownerId, memoryId, clusterId: id }))
  )
  for (let start = 0; start < members.length; start += ROWS_AT_ONCE) {
    await tx.insert(memoryClusterMembers).values(members.slice(start, start + ROWS_AT_ONCE))
  }
}

/** Puts topics back, but for those of which a memory is gone since: what they are about may have been forgotten. */
export async function restoreClusters(tx: Tx, ownerId: string, clusters: Cluster[]): Promise<void> {
  const ids = clusters.flatMap(({ memoryIds }) => memoryIds)
  const rows = await tx
    .select({ id: memories.id })
    .from(memories)
    .where(and(eq(memories.ownerId, ownerId), inArray(memories.id, ids), isNull(memories.forgottenAt)))
  const there = new Set(rows.map(({ id }) => id))
  await replaceClusters(
    tx,
    ownerId,
    clusters.filter(({ memoryIds }) => memoryIds.every((id) => there.has(id)))
  )
}

/** Newest first, one row more than `limit`. */
export function listClusters(tx: Tx, ownerId: string, limit: number, after?: Cursor): Promise<ClusterRow[]> {
  const { updatedAt, id } = memoryClusters
  const isAfter = after && or(lt(updatedAt, after.at), and(eq(updatedAt, after.at), lt(id, after.id)))
  return tx
    .select()
    .from(memoryClusters)
    .where(and(eq(memoryClusters.ownerId, ownerId), isAfter))
    .orderBy(desc(updatedAt), desc(id))
    .limit(limit + 1)
}
