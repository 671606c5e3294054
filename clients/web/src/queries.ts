import { type Conversation, type Message, type PaiClient, unwrap } from '@pai/sdk'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'

const PAGE = 50
const LARGEST_PAGE = 200
const REVIEWED = 20

export const keys = {
  me: ['me'],
  conversations: ['conversations'],
  conversation: (id: string) => ['conversations', 'one', id],
  conversationList: ['conversations', 'list'],
  messages: (conversationId: string) => ['messages', conversationId],
  memoriesUsed: (messageId: string) => ['memories-used', messageId],
  memories: ['memories'],
  memoryList: ['memories', 'list'],
  memoryWhy: (id: string) => ['memories', 'why', id],
  memoryReview: ['memories', 'review'],
  memorySearch: (query: string) => ['memories', 'search', query]
} as const

export const meQuery = (client: PaiClient) =>
  queryOptions({ queryKey: keys.me, queryFn: ({ signal }) => unwrap(client.GET('/v1/me', { signal })) })

export const conversationListQuery = (client: PaiClient) =>
  infiniteQueryOptions({
    queryKey: keys.conversationList,
    queryFn: ({ signal, pageParam }) =>
      unwrap(client.GET('/v1/conversations', { signal, params: { query: pageOf(pageParam) } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor
  })

export const conversationQuery = (client: PaiClient, id: string) =>
  queryOptions({
    queryKey: keys.conversation(id),
    queryFn: ({ signal }) =>
      unwrap(client.GET('/v1/conversations/{id}', { signal, params: { path: { id } } }))
  })

/** Every message of a conversation, oldest first: the branches cannot be told without the whole tree. */
export const messagesQuery = (client: PaiClient, id: string) =>
  queryOptions({
    queryKey: keys.messages(id),
    queryFn: async ({ signal }) => {
      const all: Message[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const query = pageOf(cursor, LARGEST_PAGE)
        const init = { signal, params: { path: { id }, query } }
        const page: { items: Message[]; nextCursor: string | null } = await unwrap(
          client.GET('/v1/conversations/{id}/messages', init)
        )
        all.push(...page.items)
        cursor = page.nextCursor
      }
      return all
    }
  })

export const memoryListQuery = (client: PaiClient) =>
  infiniteQueryOptions({
    queryKey: keys.memoryList,
    queryFn: ({ signal, pageParam }) =>
      unwrap(client.GET('/v1/memories', { signal, params: { query: pageOf(pageParam) } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor
  })

export const memorySearchQuery = (client: PaiClient, query: string) =>
  queryOptions({
    queryKey: keys.memorySearch(query),
    queryFn: async ({ signal }) => {
      const { items } = await unwrap(
        client.POST('/v1/memories/search', { signal, body: { query, limit: PAGE } })
      )
      return items.map((item) => item.memory)
    }
  })

export const memoryWhyQuery = (client: PaiClient, id: string) =>
  queryOptions({
    queryKey: keys.memoryWhy(id),
    queryFn: ({ signal }) => unwrap(client.GET('/v1/memories/{id}/why', { signal, params: { path: { id } } }))
  })

/** What waits for the owner's word: a few of each are enough to decide on. */
export const memoryReviewQuery = (client: PaiClient) =>
  queryOptions({
    queryKey: keys.memoryReview,
    queryFn: async ({ signal }) => {
      const params = { query: { limit: REVIEWED } }
      const [proposals, conflicts, extractions] = await Promise.all([
        unwrap(client.GET('/v1/memory-proposals', { signal, params })),
        unwrap(client.GET('/v1/memory-conflicts', { signal, params })),
        unwrap(client.GET('/v1/memory-extractions', { signal, params }))
      ])
      return {
        proposals: proposals.items,
        conflicts: conflicts.items.filter(({ resolvedAt }) => resolvedAt === null),
        extractions: extractions.items.filter(({ status }) => status === 'parked')
      }
    }
  })

export function conversationTitle({ title }: Pick<Conversation, 'title'>): string {
  return title || 'New conversation'
}

function pageOf(cursor: string, limit = PAGE): { cursor?: string; limit: number } {
  return cursor === '' ? { limit } : { cursor, limit }
}
