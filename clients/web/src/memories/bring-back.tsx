import { useQuery } from '@tanstack/react-query'
import { forgottenQuery } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { useUndoMemory } from './memory-mutations.ts'
import { type Forgotten, minutesLeft } from './recently-forgotten.ts'

/** The way back for what was forgotten in the last minutes; nothing is shown where nothing was. */
export function BringBack() {
  const { data: forgotten = [] } = useQuery(forgottenQuery)
  if (forgotten.length === 0) return null
  return (
    <ul aria-label="Forgotten just now" className="mt-5 space-y-1.5">
      {forgotten.map((one) => (
        <Waiting key={one.id} forgotten={one} />
      ))}
    </ul>
  )
}

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })

function Waiting({ forgotten }: { forgotten: Forgotten }) {
  const undo = useUndoMemory(forgotten.id)
  const minutes = minutesLeft(forgotten)
  return (
    <li className="flex items-center gap-3 rounded-card border border-line border-dashed py-1.5 pr-2 pl-4 text-sm text-muted">
      <span className="grow">
        Forgotten at {TIME.format(forgotten.at)}, gone for good in{' '}
        {minutes === 1 ? 'a minute' : `${minutes} minutes`}
      </span>
      <Button small look="quiet" disabled={undo.isPending} onClick={() => undo.mutate()}>
        Bring back
      </Button>
    </li>
  )
}
