import type { Memory } from '@pai/sdk'
import { useQuery } from '@tanstack/react-query'
import { WhyButton } from '../memories/why-button.tsx'
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
  const isProposed = memory.status === 'proposed'
  return (
    <li>
      <WhyButton memoryId={memory.id} className="group/learnt text-right">
        {isProposed ? 'Waits for your approval: ' : 'Remembered: '}
        <span className="text-ink underline decoration-line-strong underline-offset-4 group-hover/learnt:text-pine">
          {memory.text}
        </span>
        {replaced.length > 0 && ` in place of “${replaced.map(({ text }) => text).join('”, “')}”`}
      </WhyButton>
    </li>
  )
}
