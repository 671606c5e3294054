import type { MemoryUsed } from '@pai/sdk'
import { ChevronRightIcon } from '@radix-ui/react-icons'
import { skipToken, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { keys } from '../queries.ts'

/** What PAI had in mind when it wrote this reply. */
export function MemoriesUsed({ messageId }: { messageId: string }) {
  // Put there when the turn ended; there is no way to ask for it later.
  const { data } = useQuery<MemoryUsed[]>({ queryKey: keys.memoriesUsed(messageId), queryFn: skipToken })
  if (!data || data.length === 0) return null
  return (
    <details className="group mt-3 text-sm">
      <summary className="flex w-fit cursor-pointer list-none items-center gap-1.5 rounded-md text-muted hover:text-ink [&::-webkit-details-marker]:hidden">
        <span className="size-2 rounded-full bg-honey-strong" aria-hidden="true" />
        {data.length === 1 ? '1 memory used' : `${data.length} memories used`}
        <ChevronRightIcon className="transition-transform group-open:rotate-90" />
      </summary>
      <ul className="mt-2 space-y-1.5 border-l-2 border-honey-strong pl-3.5">
        {data.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
        <li>
          <Link to="/memories" className="text-pine underline underline-offset-4">
            See them all
          </Link>
        </li>
      </ul>
    </details>
  )
}
