import type { Memory } from '@pai/sdk'
import {
  DrawingPinFilledIcon,
  DrawingPinIcon,
  Pencil1Icon,
  QuestionMarkCircledIcon,
  TrashIcon
} from '@radix-ui/react-icons'
import { memo, useState } from 'react'
import { Button, IconButton } from '../ui/button.tsx'
import { formatDay } from '../ui/dates.ts'
import { INPUT } from '../ui/field.tsx'
import { useChangeMemory, useForgetMemory } from './memory-mutations.ts'
import { WhyMemory } from './why-memory.tsx'

/** What is worth saying about a memory that does not simply hold. */
const STATES: Partial<Record<Memory['status'], string>> = {
  superseded: 'replaced by a newer one',
  expired: 'no longer true',
  conflicting: 'conflicts with another',
  proposed: 'waiting for your approval',
  unconfirmed: 'needs confirming'
}

export const MemoryCard = memo(function MemoryCard({ memory }: { memory: Memory }) {
  const { id, text, category, pinned, status, validTo } = memory
  const [editing, setEditing] = useState(false)
  const [asking, setAsking] = useState(false)
  const change = useChangeMemory(memory)
  const forget = useForgetMemory(memory)
  const past = status === 'superseded' || status === 'expired'
  const told = toldAt(memory)

  // What was asked for is shown at once; the list catches up.
  const shownPin = (change.isPending ? change.variables.pinned : undefined) ?? pinned
  const shownText = (change.isPending ? change.variables.text : undefined) ?? text
  if (forget.isPending) return null

  return (
    <li className="group rounded-card border border-line bg-surface px-4 py-3.5">
      {editing ? (
        <EditForm
          text={shownText}
          onCancel={() => setEditing(false)}
          onSave={(edited) => {
            setEditing(false)
            if (edited !== text) change.mutate({ text: edited })
          }}
        />
      ) : (
        <div className="flex flex-col gap-1 sm:flex-row sm:items-start sm:gap-2">
          <p
            className={`min-w-0 grow wrap-anywhere ${past ? 'text-muted line-through decoration-line-strong' : ''}`}
          >
            {shownText}
          </p>
          <div className="-mx-2 flex sm:-mt-1.5 sm:ml-0">
            <IconButton
              label={shownPin ? 'Unpin' : 'Pin, so that it never fades'}
              aria-pressed={shownPin}
              onClick={() => change.mutate({ pinned: !shownPin })}
            >
              {shownPin ? <DrawingPinFilledIcon className="text-pine" /> : <DrawingPinIcon />}
            </IconButton>
            <IconButton label="Why do you know this?" onClick={() => setAsking(true)}>
              <QuestionMarkCircledIcon />
            </IconButton>
            <IconButton label="Edit" onClick={() => setEditing(true)}>
              <Pencil1Icon />
            </IconButton>
            <IconButton label="Forget" onClick={() => forget.mutate()}>
              <TrashIcon />
            </IconButton>
          </div>
        </div>
      )}
      <p className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
        {category && (
          <span className="rounded-full bg-honey px-2.5 py-0.5 text-xs font-semibold text-on-honey">
            {category}
          </span>
        )}
        <time dateTime={told}>{formatDay(told)}</time>
        {validTo !== null && <span>until {formatDay(validTo)}</span>}
        {STATES[status] !== undefined && <span>{STATES[status]}</span>}
      </p>
      <WhyMemory memoryId={id} open={asking} onOpenChange={setAsking} />
    </li>
  )
})

/** When it was last said, which is how replies date it; what rests on nobody's words is as old as its record. */
export function toldAt({ sources, createdAt }: Memory): string {
  return sources.at(-1)?.saidAt ?? createdAt
}

interface EditFormProps {
  text: string
  onCancel: () => void
  onSave: (text: string) => void
}

function EditForm({ text, onCancel, onSave }: EditFormProps) {
  const [edited, setEdited] = useState(text)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (edited.trim() !== '') onSave(edited.trim())
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onCancel()
        // A memory is a sentence: as in the message box, Enter sends it.
        if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
        event.preventDefault()
        event.currentTarget.requestSubmit()
      }}
    >
      <textarea
        ref={focusAtEnd}
        aria-label="Memory"
        rows={2}
        maxLength={2000}
        value={edited}
        onChange={(event) => setEdited(event.target.value)}
        className={`${INPUT} resize-none`}
      />
      <div className="mt-2 flex justify-end gap-2">
        <Button small onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" look="primary" small disabled={edited.trim() === ''}>
          Save
        </Button>
      </div>
    </form>
  )
}

function focusAtEnd(area: HTMLTextAreaElement | null) {
  area?.focus()
  area?.setSelectionRange(area.value.length, area.value.length)
}
