import { useQueries } from '@tanstack/react-query'
import { useState } from 'react'
import { memoryQuery } from '../queries.ts'
import { useClient } from '../services.ts'

/** Enough to judge a step by. */
const SHOWN = 12

/** The memories that a step of a report is about, on demand: a report itself holds no words of theirs. */
export function StepMemories({ ids }: { ids: string[] }) {
  const [open, setOpen] = useState(false)
  return (
    <details className="mt-1 text-sm" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="cursor-pointer text-muted">{labelOf(ids.length)}</summary>
      {open && <Texts ids={ids.slice(0, SHOWN)} />}
    </details>
  )
}

function labelOf(count: number): string {
  if (count === 1) return 'Show the memory'
  return count > SHOWN ? `Show ${SHOWN} of ${count} memories` : `Show the ${count} memories`
}

function Texts({ ids }: { ids: string[] }) {
  const client = useClient()
  const memories = useQueries({ queries: ids.map((id) => memoryQuery(client, id)) })
  return (
    <ul className="mt-1 space-y-1 border-l-2 border-line pl-3">
      {memories.map(({ data, isPending }, index) => (
        <li key={ids[index]} className={`wrap-anywhere ${data?.status === 'active' ? '' : 'text-muted'}`}>
          {data?.text ?? (isPending ? '…' : 'Forgotten since')}
        </li>
      ))}
    </ul>
  )
}
