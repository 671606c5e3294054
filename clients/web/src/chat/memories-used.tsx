import type { MemoryUsed } from '@pai/sdk'
import { ChevronRightIcon } from '@radix-ui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { WhyButton } from '../memories/why-button.tsx'
import { memoriesUsedQuery } from '../queries.ts'
import { useClient } from '../services.ts'

interface MemoriesUsedProps {
  messageId: string
  turnId: string | null
}

/** What PAI had in mind when it wrote this reply. Of an earlier reply that is asked for when somebody wants to know. */
export function MemoriesUsed({ messageId, turnId }: MemoriesUsedProps) {
  const [asked, setAsked] = useState(false)
  const { data, isError } = useQuery({
    ...memoriesUsedQuery(useClient(), messageId, turnId),
    enabled: asked && turnId !== null
  })
  if (turnId === null || (data?.length === 0 && !asked)) return null
  return (
    <details
      className="group/used mt-3 text-sm"
      onToggle={({ currentTarget }) => setAsked(currentTarget.open)}
    >
      <summary className="flex w-fit cursor-pointer list-none items-center gap-1.5 rounded-md text-muted hover:text-ink [&::-webkit-details-marker]:hidden">
        <span
          className={`size-2 rounded-full ${data?.length ? 'bg-honey-strong' : 'bg-line-strong'}`}
          aria-hidden="true"
        />
        {labelOf(data)}
        <ChevronRightIcon className="transition-transform group-open/used:rotate-90" />
      </summary>
      <div className="mt-2 border-l-2 border-honey-strong pl-3.5">
        {isError && <p className="text-muted">What was used could not be loaded.</p>}
        {!isError && !data && <p className="animate-breathe text-muted">Looking…</p>}
        {data?.length === 0 && (
          <p className="text-muted">None: this reply rests on the conversation alone.</p>
        )}
        {data && data.length > 0 && (
          <ul className="space-y-1.5">
            {data.map(({ id, text }) => (
              <li key={id}>
                <WhyButton
                  memoryId={id}
                  className="text-left hover:text-pine hover:underline hover:underline-offset-4"
                >
                  {text}
                </WhyButton>
              </li>
            ))}
            <li>
              <Link to="/memories" className="text-pine underline underline-offset-4">
                See them all
              </Link>
            </li>
          </ul>
        )}
      </div>
    </details>
  )
}

function labelOf(used: MemoryUsed[] | undefined): string {
  if (!used) return 'Which memories were used?'
  if (used.length === 0) return 'No memory used'
  return used.length === 1 ? '1 memory used' : `${used.length} memories used`
}
