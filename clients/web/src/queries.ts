import { type Conversation, type Message, type PaiClient, unwrap } from '@pai/sdk'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { readForgotten } from './memories/recently-forgotten.ts'

const PAGE = 50
const LARGEST_PAGE = 200
const REVIEWED = 20
const FOUND = 30
const RUNNING_MS = 1_500
const FORGOTTEN_MS = 20_000
/** Learning from a message takes seconds; what takes longer is seen when the page is opened again. */
const MOST_LOOKS = 20

export const keys = {
  me: ['me'],
  models: ['models'],
  conversations: ['conversations'],
  conversation: (id: string) => ['conversations', 'one', id],
  conversationList: ['conversations', 'list'],
  archivedList: ['conversations', 'archived'],
  conversationSearch: (query: string) => ['conversations', 'search', query],
  attachment: (id: string) => ['attachments', id],
  messages: (conversationId: string) => ['messages', conversationId],
  memoriesUsed: (messageId: string) => ['memories-used', messageId],
  memories: ['memories'],
  memory: (id: string) => ['memories', 'one', id],
  memoryList: (clusterId: string | null) => ['memories', 'list', clusterId],
  topics: ['memories', 'topics'],
  learnt: (messageId: string) => ['memories', 'learnt', messageId],
  memoryWhy: (id: string) => ['memories', 'why', id],
  memoryReview: ['memories', 'review'],
  forgotten: ['memories', 'forgotten'],
  memorySearch: (query: string) => ['memories', 'search', query],
  costs: ['costs'],
  tidying: ['tidying'],
  tidyingList: ['tidying', 'list'],
  profile: ['tidying', 'profile']
} as const

export const meQuery = (client: PaiClient) =>
  queryOptions({ queryKey: keys.me, queryFn: ({ signal }) => unwrap(client.GET('/v1/me', { signal })) })

/** The models to choose from, the deployment's own first. */
export const modelsQuery = (client: PaiClient) =>
  queryOptions({
    queryKey: keys.models,
    queryFn: async ({ signal }) => (await unwrap(client.GET('/v1/models', { signal }))).items
  })

export const conversationListQuery = (client: PaiClient) =>
  infiniteQueryOptions({
    queryKey: keys.conversationList,
    queryFn: ({ signal, pageParam }) =>
      unwrap(client.GET('/v1/conversations', { signal, params: { query: pageOf(pageParam) } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor
  })

export const archivedListQuery = (client: PaiClient) =>
  infiniteQueryOptions({
    queryKey: keys.archivedList,
    queryFn: ({ signal, pageParam }) => {
      const query = { ...pageOf(pageParam), archived: 'true' as const }
      return unwrap(client.GET('/v1/conversations', { signal, params: { query } }))
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor
  })

export const conversationSearchQuery = (client: PaiClient, query: string) =>
  queryOptions({
    queryKey: keys.conversationSearch(query),
    queryFn: async ({ signal }) => {
      const params = { query: { query, limit: FOUND } }
      const { items } = await unwrap(client.GET('/v1/conversations/search', { signal, params }))
      return items
    }
  })

/** The bytes of an image, which never change. */
export const attachmentQuery = (client: PaiClient, id: string) =>
  queryOptions({
    queryKey: keys.attachment(id),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const init = { signal, params: { path: { id } }, parseAs: 'blob' } as const
      return (await unwrap(client.GET('/v1/attachments/{id}', init))) as unknown as Blob
    }
  })

/** What PAI had in mind when it wrote a reply. */
export const memoriesUsedQuery = (client: PaiClient, messageId: string, turnId: string | null) =>
  queryOptions({
    queryKey: keys.memoriesUsed(messageId),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const params = { path: { id: turnId ?? '' } }
      return (await unwrap(client.GET('/v1/turns/{id}', { signal, params }))).memoriesUsed
    }
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

export const memoryListQuery = (client: PaiClient, clusterId: string | null) =>
  infiniteQueryOptions({
    queryKey: keys.memoryList(clusterId),
    queryFn: ({ signal, pageParam }) => {
      const query = { ...pageOf(pageParam), ...(clusterId !== null && { clusterId }) }
      return unwrap(client.GET('/v1/memories', { signal, params: { query } }))
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor
  })

export const memoryQuery = (client: PaiClient, id: string) =>
  queryOptions({
    queryKey: keys.memory(id),
    queryFn: ({ signal }) => unwrap(client.GET('/v1/memories/{id}', { signal, params: { path: { id } } })),
    // One that is forgotten is not there, however often it is asked for.
    retry: false
  })

/** What the memories are about, the largest topic first. */
export const topicsQuery = (client: PaiClient) =>
  queryOptions({
    queryKey: keys.topics,
    queryFn: async ({ signal }) => {
      const params = { query: { limit: LARGEST_PAGE } }
      const { items } = await unwrap(client.GET('/v1/memory-clusters', { signal, params }))
      return items.toSorted((a, b) => b.size - a.size)
    }
  })

export const profileQuery = (client: PaiClient) =>
  queryOptions({
    queryKey: keys.profile,
    queryFn: ({ signal }) => unwrap(client.GET('/v1/profile', { signal }))
  })

/** What models cost this month; never from before the page was left. */
export const costsQuery = (client: PaiClient) =>
  queryOptions({
    queryKey: keys.costs,
    staleTime: 0,
    queryFn: async ({ signal }) => {
      const read = (groupBy: 'model' | 'purpose') =>
        unwrap(client.GET('/v1/usage', { signal, params: { query: { groupBy, limit: LARGEST_PAGE } } }))
      const [byModel, byPurpose] = await Promise.all([read('model'), read('purpose')])
      return { byModel, byPurpose }
    }
  })

/** What was done to the memory by itself. While a run is at work, its end is waited for. */
export const tidyingQuery = (client: PaiClient) =>
  infiniteQueryOptions({
    queryKey: keys.tidyingList,
    queryFn: ({ signal, pageParam }) =>
      unwrap(client.GET('/v1/consolidations', { signal, params: { query: pageOf(pageParam) } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval: ({ state }) =>
      state.data?.pages[0]?.items[0]?.status === 'running' ? RUNNING_MS : false
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

/** What was learnt from a message; asked again until it is. */
export const learntQuery = (client: PaiClient, messageId: string) =>
  queryOptions({
    queryKey: keys.learnt(messageId),
    queryFn: ({ signal }) =>
      unwrap(client.GET('/v1/messages/{id}/memories', { signal, params: { path: { id: messageId } } })),
    refetchInterval: ({ state }) =>
      state.data?.pending && state.dataUpdateCount < MOST_LOOKS ? RUNNING_MS : false
  })

export const memoryWhyQuery = (client: PaiClient, id: string) =>
  queryOptions({
    queryKey: keys.memoryWhy(id),
    queryFn: ({ signal }) => unwrap(client.GET('/v1/memories/{id}/why', { signal, params: { path: { id } } }))
  })

/** What can still be brought back; looked at again, since the minutes run out. */
export const forgottenQuery = queryOptions({
  queryKey: keys.forgotten,
  queryFn: () => readForgotten(),
  staleTime: 0,
  refetchInterval: FORGOTTEN_MS
})

/** What waits for the owner's word: a few of each are enough to decide on. */
export const memoryReviewQuery = (client: PaiClient) =>
  queryOptions({
    queryKey: keys.memoryReview,
    queryFn: async ({ signal }) => {
      const params = { query: { limit: REVIEWED } }
      const unconfirmed = { query: { limit: REVIEWED, status: 'unconfirmed' as const } }
      const [proposals, conflicts, extractions, inferences] = await Promise.all([
        unwrap(client.GET('/v1/memory-proposals', { signal, params })),
        unwrap(client.GET('/v1/memory-conflicts', { signal, params })),
        unwrap(client.GET('/v1/memory-extractions', { signal, params })),
        unwrap(client.GET('/v1/memories', { signal, params: unconfirmed }))
      ])
      return {
        proposals: proposals.items,
        conflicts: conflicts.items.filter(({ resolvedAt }) => resolvedAt === null),
        extractions: extractions.items.filter(({ status }) => status === 'parked'),
        inferences: inferences.items
      }
    }
  })

export function conversationTitle({ title }: Pick<Conversation, 'title'>): string {
  return title || 'New conversation'
}

function pageOf(cursor: string, limit = PAGE): { cursor?: string; limit: number } {
  return cursor === '' ? { limit } : { cursor, limit }
}
