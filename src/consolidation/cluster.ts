import { v7 as uuidv7 } from 'uuid'
import { type Cluster, listWithMembers, replaceClusters } from './cluster-store.ts'
import type { ConsolidateDeps, Run } from './consolidate.ts'
import { groupByVectors } from './group-by-vectors.ts'
import { groupByWords } from './group-by-words.ts'
import { isOtherModel, listCurrent, listVectors, type MemoryRow } from './memory-store.ts'
import { nameTopics } from './name-topics.ts'
import { forgetTopicsBefore } from './store.ts'

const MAX_MEMORIES = 5_000
/** Comparing meanings takes a thousand times longer than comparing words. */
const MAX_VECTORS = 2_000
/** A topic that keeps most of its memories is the same topic still. */
const SAME_TOPIC = 0.5
/** And this much alike, it keeps its name. */
const SAME_NAME = 0.8

/** Groups what is known by topics with a name: by meaning where the embedder knows meaning, else by shared words. */
export async function cluster({ model, embedderOf }: ConsolidateDeps, run: Run): Promise<void> {
  const { ownerId, signal } = run
  const embedder = await embedderOf(ownerId)
  // Where the model of the owner's vectors cannot be had, topics would be made of the few that another has by now.
  const isOther = await run.read((tx) => isOtherModel(tx, ownerId, embedder.id))
  if (embedder.semantic && isOther) return
  const [memories, vectors, before] = await run.read(async (tx) => {
    const rows = await listCurrent(tx, ownerId, run.now, embedder.semantic ? MAX_VECTORS : MAX_MEMORIES)
    const ids = rows.map(({ id }) => id)
    return [
      rows,
      embedder.semantic ? await listVectors(tx, ownerId, embedder.id, ids) : new Map<string, number[]>(),
      await listWithMembers(tx, ownerId)
    ]
  })
  const points = memories.flatMap((item) => {
    const vector = vectors.get(item.id)
    return vector ? [{ item, vector }] : []
  })
  const groups = embedder.semantic ? await groupByVectors(points, signal) : await groupByWords(memories)
  const matched = match(groups, before)
  const unnamed = matched.filter(({ topic }) => topic === '')
  const names = await nameTopics(
    model,
    unnamed.map(({ group }) => group.map(({ text }) => text)),
    signal
  )
  for (const [index, cluster] of unnamed.entries()) cluster.topic = names[index] ?? ''
  const clusters = matched.map(({ id, topic, group }) => ({
    id,
    topic,
    memoryIds: group.map((row) => row.id)
  }))
  if (isSame(clusters, before)) return
  await run.write(async (tx, report) => {
    await forgetTopicsBefore(tx, ownerId)
    report.before = { ...report.before, topics: before }
    await replaceClusters(tx, ownerId, clusters)
    const memoryIds = clusters.flatMap((cluster) => cluster.memoryIds)
    const topics = clusters.length === 1 ? '1 topic' : `${clusters.length} topics`
    return [
      { action: 'clustered', text: `${memoryIds.length} memories are sorted into ${topics}.`, memoryIds: [] }
    ]
  })
}

/** Gives a group the id of the cluster it was before, and its name where hardly anything has changed. */
function match(groups: MemoryRow[][], before: Cluster[]) {
  const left = new Map(before.map((cluster) => [cluster, new Set(cluster.memoryIds)]))
  return groups.map((group) => {
    const ids = new Set(group.map(({ id }) => id))
    let best: { cluster: Cluster; likeness: number } | undefined
    for (const [cluster, members] of left) {
      const shared = ids.intersection(members).size
      const likeness = shared / (ids.size + members.size - shared)
      if (likeness >= SAME_TOPIC && likeness > (best?.likeness ?? 0)) best = { cluster, likeness }
    }
    if (best) left.delete(best.cluster)
    const topic = best && best.likeness >= SAME_NAME ? best.cluster.topic : ''
    return { id: best?.cluster.id ?? uuidv7(), topic, group }
  })
}

function isSame(clusters: Cluster[], before: Cluster[]): boolean {
  const shape = (list: Cluster[]) =>
    JSON.stringify(list.map(({ id, topic, memoryIds }) => [id, topic, memoryIds.toSorted()]).sort())
  return shape(clusters) === shape(before)
}
