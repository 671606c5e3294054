import { ChevronLeftIcon, ChevronRightIcon } from '@radix-ui/react-icons'
import { IconButton } from '../ui/button.tsx'

interface BranchesProps {
  siblings: string[]
  position: number
  onChoose: (id: string) => void
}

/** Steps through the versions of one message. */
export function Branches({ siblings, position, onChoose }: BranchesProps) {
  if (siblings.length < 2) return null
  const previous = siblings[position - 1]
  const next = siblings[position + 1]
  return (
    <div className="flex items-center text-sm text-muted tabular-nums">
      <IconButton
        label="Previous version"
        className="size-8"
        disabled={previous === undefined}
        onClick={() => previous !== undefined && onChoose(previous)}
      >
        <ChevronLeftIcon />
      </IconButton>
      {position + 1}/{siblings.length}
      <IconButton
        label="Next version"
        className="size-8"
        disabled={next === undefined}
        onClick={() => next !== undefined && onChoose(next)}
      >
        <ChevronRightIcon />
      </IconButton>
    </div>
  )
}
