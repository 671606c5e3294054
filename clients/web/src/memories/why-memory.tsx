import type { Memory, MemoryWhy } from '@pai/sdk'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { memoryWhyQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { Button } from '../ui/button.tsx'
import { formatDay } from '../ui/dates.ts'
import { Modal } from '../ui/dialog.tsx'
import { Problem } from '../ui/problem.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { useUndoMemory } from './memory-mutations.ts'

const PAST = new Set<Memory['status']>(['superseded', 'expired'])

interface WhyMemoryProps {
  memoryId: string
  open: boolean
  onOpenChange: (open: boolean) => void
}

/** Why PAI knows something: the words it rests on, where they were said, and what has happened to it since. */
export function WhyMemory({ memoryId, open, onOpenChange }: WhyMemoryProps) {
  return (
    <Modal title="Why do you know this?" open={open} onOpenChange={onOpenChange}>
      <Reasons memoryId={memoryId} onClose={() => onOpenChange(false)} />
    </Modal>
  )
}

function Reasons({ memoryId, onClose }: { memoryId: string; onClose: () => void }) {
  const why = useQuery(memoryWhyQuery(useClient(), memoryId))
  const undo = useUndoMemory(memoryId)
  if (why.isPending) return <Skeleton label="Looking it up" lines={['w-4/5', 'w-2/5', 'w-3/5']} />
  if (why.data === undefined)
    return <Problem title="This could not be looked up" error={why.error} onRetry={() => why.refetch()} />
  const { memory, sources, derivedFrom, history } = why.data
  return (
    <div className="max-h-[70dvh] overflow-y-auto">
      <p className="font-medium wrap-anywhere">{memory.text}</p>
      <ul className="mt-4 space-y-3">
        {sources.map((source) => (
          <Source
            key={`${source.messageId}${source.saidAt}${source.quoteStart}`}
            source={source}
            onFollow={onClose}
          />
        ))}
      </ul>
      {derivedFrom.length > 0 && (
        <>
          <h3 className="mt-5 text-sm font-semibold text-muted">PAI concluded it from</h3>
          <ul className="mt-2 list-disc space-y-1 pl-5">
            {derivedFrom.map(({ id, text, status }) => (
              <li key={id} className="wrap-anywhere">
                {text}
                {PAST.has(status) && <span className="text-muted"> (no longer true)</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      <h3 className="mt-5 text-sm font-semibold text-muted">What happened to it</h3>
      <ol className="mt-2 space-y-1 text-sm">
        {history.map(({ at, text }) => (
          <li key={at + text} className="flex gap-3">
            <time dateTime={at} className="shrink-0 text-muted">
              {formatDay(at)}
            </time>
            <span className="wrap-anywhere">{text}</span>
          </li>
        ))}
      </ol>
      <div className="mt-6 flex justify-end gap-2">
        {history.length > 1 && (
          <Button disabled={undo.isPending} onClick={() => undo.mutate()}>
            Undo the last change
          </Button>
        )}
        <Button look="primary" onClick={onClose}>
          Close
        </Button>
      </div>
    </div>
  )
}

/** What is quoted was not always said by the owner. */
function originOf({ kind, saidBy }: MemoryWhy['sources'][number]): string {
  if (kind === 'owner') return 'You wrote it down'
  if (saidBy === 'owner') return 'You said it'
  return saidBy === 'assistant' ? 'PAI said it' : 'It stood in something you shared'
}

function Source({ source, onFollow }: { source: MemoryWhy['sources'][number]; onFollow: () => void }) {
  const { conversationId, conversationTitle, quote, reference, saidAt } = source
  return (
    <li>
      <blockquote className="border-l-2 border-pine pl-3 wrap-anywhere">{quote}</blockquote>
      <p className="mt-1 pl-3.5 text-sm text-muted">
        {originOf(source)} on {formatDay(saidAt)}
        {reference !== null && <> · {reference}</>}
        {conversationId !== null && (
          <>
            {' in '}
            <Link
              to="/c/$conversationId"
              params={{ conversationId }}
              onClick={onFollow}
              className="text-pine underline underline-offset-2"
            >
              {conversationTitle || 'a conversation'}
            </Link>
          </>
        )}
      </p>
    </li>
  )
}
