import type { Memory } from '@pai/sdk'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { WhyMemory } from '../memories/why-memory.tsx'
import { learntQuery } from '../queries.ts'
import { useClient } from '../services.ts'

/** What PAI has learnt from a message, and what that took the place of: a correction is seen to have arrived. */
export function Learnt({ messageId }: { messageId: string }) {
  const { data } = useQuery(learntQuery(useClient(), messageId))
  if (!data || data.items.length === 0) return null
  return (
    <ul
      aria-label="Remembered from this message"
      className="max-w-[85%] space-y-1 text-right text-sm text-muted"
    >
      {data.items.map(({ memory, replaced }) => (
        <Remembered key={memory.id} memory={memory} replaced={replaced} />
      ))}
    </ul>
  )
}

function Remembered({ memory, replaced }: { memory: Memory; replaced: Memory[] }) {
  const [asking, setAsking] = useState(false)
  const isProposed = memory.status === 'proposed'
  return (
    <li>
      <button
        type="button"
        title="Why do you know this?"
        onClick={() => setAsking(true)}
        className="group/learnt rounded-md text-right wrap-anywhere"
      >
        {isProposed ? 'Waits for your approval: ' : 'Remembered: '}
        <span className="text-ink underline decoration-line-strong underline-offset-4 group-hover/learnt:text-pine">
          {memory.text}
        </span>
        {replaced.length > 0 && ` in place of “${replaced.map(({ text }) => text).join('”, “')}”`}
      </button>
      <WhyMemory memoryId={memory.id} open={asking} onOpenChange={setAsking} />
    </li>
  )
}
