import type { Message } from '@pai/sdk'

/** One message on the path that is shown, and its place among the answers to the same parent. */
export interface PathStep {
  message: Message
  siblings: string[]
  position: number
}

/** Which child to show under a parent (`''` for the first message), where the reader has picked one. */
export type Choices = ReadonlyMap<string, string>

export const branchKey = (parentId: string | null) => parentId ?? ''

/**
 * The path from the first message to a leaf: the reader's choice at each fork, else the branch in which something was
 * said last. `messages` are oldest first.
 */
export function visiblePath(messages: readonly Message[], choices: Choices): PathStep[] {
  const children = new Map<string, Message[]>()
  for (const message of messages) {
    const key = branchKey(message.parentId)
    const list = children.get(key)
    if (list) list.push(message)
    else children.set(key, [message])
  }

  // A child comes after its parent, so one walk from the end carries each branch's latest message up to its root.
  const latest = new Map<string, number>()
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages[index] as Message
    const newest = latest.get(message.id) ?? index
    latest.set(message.id, newest)
    const key = branchKey(message.parentId)
    latest.set(key, Math.max(latest.get(key) ?? 0, newest))
  }

  const path: PathStep[] = []
  let forks = children.get('')
  while (forks) {
    const siblings = forks
    const age = (message: Message) => latest.get(message.id) ?? 0
    const newest = siblings.reduce((best, message) => (age(message) > age(best) ? message : best))
    const first: Message = newest
    const chosen = choices.get(branchKey(first.parentId))
    const message = siblings.find((sibling) => sibling.id === chosen) ?? newest
    const ids = siblings.map((sibling) => sibling.id)
    path.push({ message, siblings: ids, position: ids.indexOf(message.id) })
    forks = children.get(message.id)
  }
  return path
}
