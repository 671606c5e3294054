import type { Database, Tx } from '../db/client.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import type { Recall, RecallItem } from '../memory/recall/recall.ts'
import { analyzeTerms, splitWords } from '../search/analyze.ts'
import {
  type ConversationRow,
  findMessages,
  findTitled,
  listByIds,
  type MessageRow
} from './conversation-store.ts'
import {
  findHighlights,
  type Highlight,
  type IsLookedFor,
  looksFor,
  type Snippet,
  takeSnippet
} from './snippet.ts'

/** What recall gives for one search, and how many titles are looked at. */
const RECALLED = 100
const TITLED = 200
const SNIPPETS = 3
/** A title that holds this share of the query's words is found by it. */
const TITLE_MATCH = 0.5

export interface FoundConversation {
  conversation: ConversationRow
  score: number
  titleHighlights: Highlight[]
  snippets: (Snippet & { messageId: string; role: MessageRow['role']; createdAt: Date })[]
}

interface Told {
  message: MessageRow
  score: number
}

export type SearchConversations = ReturnType<typeof createSearchConversations>

interface Deps {
  database: Database
  recall: Recall
  hiding: Hiding
}

/**
 * The conversations that tell of a query, best first: by their titles, and by what recall finds among their messages. What is
 * forgotten and waits to be purged is neither found nor shown.
 */
export function createSearchConversations({ database, recall, hiding }: Deps) {
  return async function searchConversations(
    ownerId: string,
    query: string,
    { offset, limit }: { offset: number; limit: number },
    signal: AbortSignal
  ): Promise<{ items: FoundConversation[]; hasMore: boolean }> {
    const terms = new Set(analyzeTerms(query))
    const isLookedFor = looksFor(terms)
    const recalled = await recall(ownerId, { query, kinds: ['message'], limit: RECALLED }, signal)
    return database.readInOwner(ownerId, async (tx) => {
      const told = await findTold(tx, ownerId, recalled, isLookedFor)
      const scores = scoreAll(told, await findByTitle(tx, ownerId, query, terms))
      const ranked = [...scores].sort(([a, x], [b, y]) => y - x || (a < b ? 1 : -1))
      const page = ranked.slice(offset, offset + limit)
      const ids = page.map(([id]) => id)
      const shown = await hiding.titles(tx, ownerId, listByIds(tx, ownerId, ids))
      const items = page.flatMap(([id, score]) => {
        const conversation = shown.find((row) => row.id === id)
        if (!conversation) return []
        const titleHighlights = findHighlights(conversation.title, isLookedFor)
        const best = told.filter(({ message }) => message.conversationId === id).slice(0, SNIPPETS)
        const snippets = best.map(({ message: { id: messageId, role, content, createdAt } }) => ({
          messageId,
          role,
          createdAt,
          ...takeSnippet(content, isLookedFor)
        }))
        return [{ conversation, score, titleHighlights, snippets }]
      })
      return { items, hasMore: ranked.length > offset + limit }
    })
  }

  /** What was recalled, as it may be shown, best first. */
  async function findTold(
    tx: Tx,
    ownerId: string,
    recalled: RecallItem[],
    isLookedFor: IsLookedFor
  ): Promise<Told[]> {
    const ids = recalled.map(({ id }) => id)
    const shown = await hiding.messages(tx, ownerId, findMessages(tx, ownerId, ids))
    const byId = new Map(shown.map((message) => [message.id, message]))
    return recalled.flatMap(({ id, score, matchedBy }) => {
      const message = byId.get(id)
      if (!message) return []
      // Found by words that are its neighbours', which are found themselves, or that are forgotten.
      const isByOthers = matchedBy.includes('lexical') && !findHighlights(message.content, isLookedFor)[0]
      return isByOthers ? [] : [{ message, score }]
    })
  }

  /** The share of the query's words that a title holds, of those that hold enough of them. */
  async function findByTitle(
    tx: Tx,
    ownerId: string,
    query: string,
    terms: ReadonlySet<string>
  ): Promise<Map<string, number>> {
    if (terms.size === 0) return new Map()
    const found = findTitled(tx, ownerId, [...new Set([...splitWords(query), ...terms])], TITLED)
    const matches = (await hiding.titles(tx, ownerId, found)).map(({ id, title }) => {
      const held = new Set(analyzeTerms(title))
      return [id, [...terms].filter((term) => held.has(term)).length / terms.size] as const
    })
    return new Map(matches.filter(([, match]) => match >= TITLE_MATCH))
  }
}

/** A conversation is worth its best message, or its title where that tells more. */
function scoreAll(told: Told[], titled: Map<string, number>): Map<string, number> {
  const scores = new Map(titled)
  for (const { message, score } of told) {
    const { conversationId: id } = message
    scores.set(id, Math.max(scores.get(id) ?? 0, score))
  }
  return scores
}
