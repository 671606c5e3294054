import { analyzeAll, isTelling, weighTermsOf } from './telling.ts'

export interface Clusterable {
  id: string
  text: string
}

/** Fewer memories than this are no topic. */
const LEAST_MEMBERS = 2
const MOST_CLUSTERS = 60
/** A word in more of them than this tells nothing apart. */
const MOST_SHARE = 0.5
const SMALL = 8

/**
 * Groups memories around the words they share. Each round takes the word that tells most of what is left, with everything
 * that holds it; what shares no telling word with anything stays out.
 */
export async function groupByWords<Item extends Clusterable>(items: Item[]): Promise<Item[][]> {
  const analyzed = await analyzeAll(items.map(({ text }) => text))
  const weights = weighTermsOf(analyzed)
  const holders = new Map<string, Set<Item>>()
  for (const [index, item] of items.entries()) {
    for (const term of analyzed[index] ?? []) {
      if (!isTelling(term)) continue
      const held = holders.get(term) ?? new Set()
      holders.set(term, held.add(item))
    }
  }
  const most = items.length < SMALL ? items.length : items.length * MOST_SHARE
  for (const [term, held] of holders) {
    if (held.size < LEAST_MEMBERS || held.size > most) holders.delete(term)
  }
  const groups: Item[][] = []
  while (groups.length < MOST_CLUSTERS) {
    const best = pickBest(holders, weights)
    if (!best) break
    const members = [...best]
    groups.push(members)
    for (const [term, held] of holders) {
      for (const member of members) held.delete(member)
      if (held.size < LEAST_MEMBERS) holders.delete(term)
    }
  }
  return groups
}

function pickBest<Item>(
  holders: Map<string, Set<Item>>,
  weights: Map<string, number>
): Set<Item> | undefined {
  let best: { term: string; worth: number; held: Set<Item> } | undefined
  for (const [term, held] of holders) {
    const worth = held.size * (weights.get(term) ?? 0)
    // Of equals the first in the alphabet, so that the same memories make the same groups.
    if (!best || worth > best.worth || (worth === best.worth && term < best.term))
      best = { term, worth, held }
  }
  return best && new Set(best.held)
}
