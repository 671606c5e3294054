import { type ReactNode, useState } from 'react'
import { WhyMemory } from './why-memory.tsx'

interface WhyButtonProps {
  memoryId: string
  className: string
  children: ReactNode
}

/** The words of a memory, one click from what it rests on. */
export function WhyButton({ memoryId, className, children }: WhyButtonProps) {
  const [asking, setAsking] = useState(false)
  return (
    <>
      <button
        type="button"
        title="Why do you know this?"
        onClick={() => setAsking(true)}
        className={`rounded-md wrap-anywhere ${className}`}
      >
        {children}
      </button>
      <WhyMemory memoryId={memoryId} open={asking} onOpenChange={setAsking} />
    </>
  )
}
