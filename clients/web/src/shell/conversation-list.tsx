import { ArrowLeftIcon, Cross2Icon, MagnifyingGlassIcon } from '@radix-ui/react-icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { archivedListQuery, conversationListQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { ageOf } from '../ui/dates.ts'
import { Skeleton } from '../ui/skeleton.tsx'
import { ConversationItem } from './conversation-item.tsx'
import { FoundConversations } from './found-conversations.tsx'

interface ListProps {
  onNavigate: (() => void) | undefined
}

/** The conversations: all that are not archived, those that are, or those that a search finds. */
export function ConversationList({ onNavigate }: ListProps) {
  const [words, setWords] = useState('')
  const [archived, setArchived] = useState(false)
  const searching = words.trim() !== ''

  return (
    <div className="mt-3 flex min-h-0 grow flex-col">
      <search className="relative">
        <MagnifyingGlassIcon className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-muted" />
        <input
          type="search"
          aria-label="Search conversations"
          placeholder="Search"
          maxLength={1_000}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && setWords('')}
          className="min-h-9 w-full rounded-control border border-line bg-surface pr-9 pl-9 text-[0.9375rem] placeholder:text-muted [&::-webkit-search-cancel-button]:hidden"
        />
        {words !== '' && (
          <IconButton
            label="Clear the search"
            className="absolute top-1/2 right-1 size-7 -translate-y-1/2"
            onClick={() => setWords('')}
          >
            <Cross2Icon />
          </IconButton>
        )}
      </search>
      <nav aria-label="Conversations" className="-mx-1 mt-3 min-h-0 grow overflow-y-auto px-1 pb-3">
        {searching ? (
          <FoundConversations words={words.trim()} onNavigate={onNavigate} />
        ) : archived ? (
          <Archived onNavigate={onNavigate} onBack={() => setArchived(false)} />
        ) : (
          <>
            <Current onNavigate={onNavigate} />
            <Button
              look="quiet"
              small
              className="w-full justify-start! px-3! text-muted"
              onClick={() => setArchived(true)}
            >
              Archived
            </Button>
          </>
        )}
      </nav>
    </div>
  )
}

function Current({ onNavigate }: ListProps) {
  const query = useInfiniteQuery(conversationListQuery(useClient()))
  const pages = query.data?.pages
  const groups = useMemo(() => {
    const now = new Date()
    // A conversation that moved to the top while pages were loading is in two of them.
    const all = new Map(pages?.flatMap((page) => page.items).map((item) => [item.id, item]))
    return Map.groupBy(all.values(), (item) => ageOf(item.updatedAt, now))
  }, [pages])

  return (
    <>
      <Waiting query={query} />
      {query.data && groups.size === 0 && (
        <p className="px-3 py-2 text-sm text-muted">Your conversations will be kept here.</p>
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
      <Older query={query} />
    </>
  )
}

function Archived({ onNavigate, onBack }: ListProps & { onBack: () => void }) {
  const query = useInfiniteQuery(archivedListQuery(useClient()))
  const conversations = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <section aria-label="Archived">
      <div className="mb-1 flex items-center gap-1">
        <IconButton label="Back to all conversations" className="size-8" onClick={onBack}>
          <ArrowLeftIcon />
        </IconButton>
        <h2 className="text-sm font-semibold">Archived</h2>
      </div>
      <Waiting query={query} />
      {query.data && conversations.length === 0 && (
        <p className="px-3 py-2 text-sm text-muted">
          Nothing is archived. What you archive leaves the list, and is still searched and remembered from.
        </p>
      )}
      <ul>
        {conversations.map((conversation) => (
          <ConversationItem key={conversation.id} conversation={conversation} onNavigate={onNavigate} />
        ))}
      </ul>
      <Older query={query} />
    </section>
  )
}

type ListQuery = ReturnType<typeof useInfiniteQuery>

function Waiting({ query }: { query: Pick<ListQuery, 'isPending' | 'isError' | 'data' | 'refetch'> }) {
  if (query.isPending) {
    return (
      <div className="px-3 pt-2">
        <Skeleton label="Loading conversations" lines={['w-4/5', 'w-3/5', 'w-11/12', 'w-2/3']} />
      </div>
    )
  }
  if (!query.isError || query.data) return null
  return (
    <div className="px-3 pt-2 text-sm text-muted">
      <p>Your conversations could not be loaded.</p>
      <Button className="mt-2" onClick={() => query.refetch()}>
        Try again
      </Button>
    </div>
  )
}

function Older({
  query
}: {
  query: Pick<ListQuery, 'hasNextPage' | 'isFetchingNextPage' | 'fetchNextPage'>
}) {
  if (!query.hasNextPage) return null
  return (
    <Button
      look="quiet"
      className="w-full"
      disabled={query.isFetchingNextPage}
      onClick={() => query.fetchNextPage()}
    >
      Show older
    </Button>
  )
}
