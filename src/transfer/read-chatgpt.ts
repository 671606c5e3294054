import { FileInvalid } from './errors.ts'
import { type IdOf, toInstant } from './moments-and-ids.ts'
import type { ArchivedConversation, ArchivedMessage } from './schemas.ts'

interface Node {
  parent?: string | null
  message?: {
    author?: { role?: string }
    create_time?: number | null
    content?: { parts?: unknown[]; text?: string }
    metadata?: { model_slug?: string; is_visually_hidden_from_conversation?: boolean }
  } | null
}

/** ChatGPT's `conversations.json`: a tree of nodes, of which those that somebody said are kept. */
export function* readChatgpt(file: unknown[], idOf: IdOf): Generator<ArchivedConversation> {
  for (const entry of file) {
    const { id, conversation_id, title, create_time, update_time, mapping } = entry as Record<string, unknown>
    const key = conversation_id ?? id ?? `${title} ${create_time}`
    if (typeof mapping !== 'object' || mapping === null || typeof key !== 'string')
      throw new FileInvalid('ChatGPT')
    const begun = toInstant(create_time)
    const messages = readTree(mapping as Record<string, Node>, (node) => idOf(`${key} ${node}`), begun)
    const [first] = messages
    if (!first) continue
    const createdAt = begun ?? first.createdAt
    yield {
      id: idOf(key),
      title: typeof title === 'string' ? title.slice(0, 200).toWellFormed() : '',
      memoryPaused: false,
      createdAt,
      updatedAt: toInstant(update_time) ?? messages.at(-1)?.createdAt ?? createdAt,
      messages
    }
  }
}

/** Parents before their children, and otherwise in the order in which they were said. */
function readTree(nodes: Record<string, Node>, idOf: IdOf, begun: string | null): ArchivedMessage[] {
  const children = Map.groupBy(Object.keys(nodes), (id) => {
    const parent = nodes[id]?.parent
    return parent && parent in nodes ? parent : null
  })
  const kept: ArchivedMessage[] = []
  // A list and no recursion: a long talk is a deep tree.
  const waiting = (children.get(null) ?? []).map((id) => ({ id, parent: null as ArchivedMessage | null }))
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { id, parent } = next
    const said = toMessage(nodes[id], idOf(id), parent, begun)
    if (said) kept.push(said)
    for (const child of children.get(id) ?? []) waiting.push({ id: child, parent: said ?? parent })
  }
  return kept
    .map((message, index) => ({ message, index }))
    .sort((a, b) => compare(a.message.createdAt, b.message.createdAt) || a.index - b.index)
    .map(({ message }) => message)
}

function toMessage(
  node: Node | undefined,
  id: string,
  parent: ArchivedMessage | null,
  begun: string | null
): ArchivedMessage | null {
  const { author, create_time, content, metadata } = node?.message ?? {}
  const role = author?.role
  if ((role !== 'user' && role !== 'assistant') || metadata?.is_visually_hidden_from_conversation) return null
  const parts = Array.isArray(content?.parts) ? content.parts : [content?.text]
  const text = parts.filter((part) => typeof part === 'string').join('\n')
  if (text.trim() === '') return null
  const at = toInstant(create_time) ?? parent?.createdAt ?? begun
  if (at === null) return null
  return {
    id,
    parentId: parent?.id ?? null,
    role,
    name: null,
    content: text,
    model: typeof metadata?.model_slug === 'string' ? metadata.model_slug : null,
    // Nobody answers before being asked, whatever their clocks said.
    createdAt: parent && compare(at, parent.createdAt) < 0 ? parent.createdAt : at
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
