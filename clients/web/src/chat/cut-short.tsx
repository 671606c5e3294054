import type { Message } from '@pai/sdk'
import { Button } from '../ui/button.tsx'

interface CutShortProps {
  message: Message
  onContinue: (reply: Message) => void
}

/** Says of a reply that it did not come to its own end, and offers the rest where there may be one. */
export function CutShort({ message, onContinue }: CutShortProps) {
  const why = whyCutShort(message)
  if (why === null) return null
  const goesOn = message.turnId !== null && message.finishReason !== 'content-filter'
  return (
    <div className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-2 text-sm text-muted">
      <p role={message.turnStatus === 'failed' ? 'alert' : undefined}>{why}</p>
      {goesOn && message.turnError?.retryable !== false && (
        <Button small onClick={() => onContinue(message)}>
          Continue
        </Button>
      )}
    </div>
  )
}

function whyCutShort({ finishReason, turnStatus, turnError }: Message): string | null {
  if (turnStatus === 'stopped') return 'You stopped this reply.'
  if (turnStatus === 'interrupted') return 'This reply was cut off: PAI was stopped while it was written.'
  if (turnStatus === 'failed') return `This reply broke off: ${turnError?.message ?? 'something went wrong'}.`
  if (finishReason === 'content-filter') return 'The model’s provider held back the rest of this reply.'
  return finishReason === 'length' ? 'This reply was cut off: it reached the model’s limit.' : null
}
