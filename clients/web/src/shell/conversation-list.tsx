import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { conversationListQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { Button } from '../ui/button.tsx'
import { ageOf } from '../ui/dates.ts'
import { Skeleton } from '../ui/skeleton.tsx'
import { ConversationItem } from './conversation-item.tsx'

export function ConversationList({ onNavigate }: { onNavigate: (() => void) | undefined }) {
  const query = useInfiniteQuery(conversationListQuery(useClient()))
  const pages = query.data?.pages
  const groups = useMemo(() => {
    const now = new Date()
    // A conversation that moved to the top while pages were loading is in two of them.
    const all = new Map(pages?.flatMap((page) => page.items).map((item) => [item.id, item]))
    return Map.groupBy(all.values(), (item) => ageOf(item.updatedAt, now))
  }, [pages])

  return (
    <nav aria-label="Conversations" className="-mx-1 mt-4 min-h-0 grow overflow-y-auto px-1 pb-3">
      {query.isPending && (
        <div className="px-3 pt-4">
          <Skeleton label="Loading conversations" lines={['w-4/5', 'w-3/5', 'w-11/12', 'w-2/3']} />
        </div>
      )}
      {query.isError && !query.data && (
        <div className="px-3 pt-4 text-sm text-muted">
          <p>Your conversations could not be loaded.</p>
          <Button className="mt-2" onClick={() => query.refetch()}>
            Try again
          </Button>
        </div>
      )}
      {query.data && groups.size === 0 && (
        <p className="px-3 pt-2 text-sm text-muted">Your conversations will be kept here.</p>
      )}
      {[...groups].map(([age, conversations]) => (
        <section key={age} aria-label={age} className="mb-4">
          <h2 className="px-3 pb-1 text-xs font-semibold text-muted">{age}</h2>
          <ul>
            {conversations.map((conversation) => (
              <ConversationItem key={conversation.id} conversation={conversation} onNavigate={onNavigate} />
            ))}
          </ul>
        </section>
      ))}
      {query.hasNextPage && (
        <Button
          look="quiet"
          className="w-full"
          disabled={query.isFetchingNextPage}
          onClick={() => query.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </nav>
  )
}
