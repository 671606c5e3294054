import type { Imported } from './read-file.ts'
import type { Archive, ArchivedConversation, ArchivedMemory } from './schemas.ts'

/** What of a file is brought in together, in one transaction. */
export type Part =
  | { conversations: ArchivedConversation[] }
  | { memories: ArchivedMemory[] }
  /** Comes last: what joins memories to each other, and the profile. */
  | { joins: Joins }

export type Joins = Pick<Archive, 'conflicts' | 'profile'> & {
  memories: Pick<ArchivedMemory, 'id' | 'supersededBy' | 'dependsOn'>[]
}

/** About what a transaction of half a second holds. A memory comes with its sources, its history and its words. */
const MOST = { messages: 500, memories: 100, characters: 1_000_000 }

/** Cuts a file into parts, in the order in which they are to be brought in. A long conversation is in several. */
export function splitIntoParts({ conversations, archive }: Imported): Part[] {
  const pieces = conversations.flatMap(cutConversation)
  const parts: Part[] = inParts(pieces, MOST.messages, ({ messages }) => messages.length + 1).map((some) => ({
    conversations: some
  }))
  if (!archive) return parts
  for (const memories of inParts(archive.memories, MOST.memories, () => 1)) parts.push({ memories })
  const { conflicts, profile } = archive
  const memories = archive.memories
    .filter(({ supersededBy, dependsOn }) => supersededBy || dependsOn.length > 0)
    .map(({ id, supersededBy, dependsOn }) => ({ id, supersededBy, dependsOn }))
  if (memories.length + conflicts.length > 0 || profile)
    parts.push({ joins: { memories, conflicts, profile } })
  return parts
}

/** Whether the whole of a file is brought in while a request waits: then there is one part of each kind at most. */
export function isSmall(parts: Part[]): boolean {
  return new Set(parts.map((part) => Object.keys(part)[0])).size === parts.length
}

function cutConversation(conversation: ArchivedConversation): ArchivedConversation[] {
  const { messages } = conversation
  if (messages.length === 0) return [conversation]
  return inParts(messages, MOST.messages, () => 1).map((some) => ({ ...conversation, messages: some }))
}

/** Items in their order, as many together as may be: one at least. */
function inParts<Item>(items: Item[], most: number, countOf: (item: Item) => number): Item[][] {
  const parts: Item[][] = []
  let [count, characters] = [Number.POSITIVE_INFINITY, 0]
  for (const item of items) {
    const [adds, size] = [countOf(item), JSON.stringify(item).length]
    if (count + adds > most || characters + size > MOST.characters) {
      parts.push([])
      count = 0
      characters = 0
    }
    parts.at(-1)?.push(item)
    count += adds
    characters += size
  }
  return parts
}
