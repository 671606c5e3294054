import type { Message } from '@pai/sdk'
import { Button } from '../ui/button.tsx'

interface CutShortProps {
  message: Message
  onContinue: (reply: Message) => void
}

/** Says of a reply that it did not come to its own end, and offers the rest where there may be one. */
export function CutShort({ message, onContinue }: CutShortProps) {
  const { finishReason, turnId } = message
  if (finishReason === 'content-filter') {
    return <p className="mt-3 text-sm text-muted">The model’s provider held back the rest of this reply.</p>
  }
  if (finishReason !== 'length') return null
  return (
    <div className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-2 text-sm text-muted">
      <p>This reply was cut off: it reached the model’s limit.</p>
      {turnId !== null && (
        <Button small onClick={() => onContinue(message)}>
          Continue
        </Button>
      )}
    </div>
  )
}
