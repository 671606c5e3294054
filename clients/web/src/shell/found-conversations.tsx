import type { FoundConversation } from '@pai/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect, useState } from 'react'
import { conversationSearchQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { Button } from '../ui/button.tsx'
import { Skeleton } from '../ui/skeleton.tsx'

/** So long nothing is typed before it is looked for. */
const PAUSE_MS = 250
const SHOWN_SNIPPETS = 2

interface FoundProps {
  words: string
  onNavigate: (() => void) | undefined
}

/** What a search finds, with the words it was found by. */
export function FoundConversations({ words, onNavigate }: FoundProps) {
  const [asked, setAsked] = useState(words)
  useEffect(() => {
    const timer = setTimeout(() => setAsked(words), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [words])
  const query = useQuery({
    ...conversationSearchQuery(useClient(), asked),
    placeholderData: keepPreviousData
  })
  const found = query.data

  return (
    <section aria-label="Found" aria-busy={query.isFetching || asked !== words}>
      {query.isPending && (
        <div className="px-3 pt-2">
          <Skeleton label="Searching" lines={['w-4/5', 'w-3/5', 'w-11/12']} />
        </div>
      )}
      {query.isError && (
        <div className="px-3 pt-2 text-sm text-muted">
          <p>The search did not work.</p>
          <Button className="mt-2" onClick={() => query.refetch()}>
            Try again
          </Button>
        </div>
      )}
      {found?.length === 0 && <p className="px-3 pt-2 text-sm text-muted">Nothing was said of that.</p>}
      <ul className="space-y-1">
        {found?.map((item) => (
          <Found key={item.conversation.id} found={item} onNavigate={onNavigate} />
        ))}
      </ul>
    </section>
  )
}

function Found({ found, onNavigate }: { found: FoundConversation; onNavigate: FoundProps['onNavigate'] }) {
  const { conversation, titleHighlights, snippets } = found
  const { id, title, archived } = conversation
  return (
    <li>
      <Link
        to="/c/$conversationId"
        params={{ conversationId: id }}
        onClick={onNavigate}
        className="block rounded-control px-3 py-2 transition-colors hover:bg-hover"
        activeProps={{ className: 'bg-hover' }}
      >
        <span className="flex items-baseline gap-2">
          <span className="min-w-0 truncate text-[0.9375rem] font-medium">
            {title === '' ? 'New conversation' : marked(title, titleHighlights)}
          </span>
          {archived && <span className="ml-auto shrink-0 text-xs text-muted">Archived</span>}
        </span>
        {snippets.slice(0, SHOWN_SNIPPETS).map(({ messageId, text, highlights }) => (
          <span key={messageId} className="mt-0.5 line-clamp-2 text-sm wrap-anywhere text-muted">
            {marked(text, highlights)}
          </span>
        ))}
      </Link>
    </li>
  )
}

/** A text with the words in it marked that were looked for. */
function marked(text: string, highlights: FoundConversation['titleHighlights']): ReactNode[] {
  const parts: ReactNode[] = []
  let from = 0
  for (const { start, end } of highlights) {
    parts.push(text.slice(from, start))
    parts.push(
      <mark key={start} className="rounded-sm bg-honey text-on-honey">
        {text.slice(start, end)}
      </mark>
    )
    from = end
  }
  return [...parts, text.slice(from)]
}
