import { useState } from 'react'
import { Button } from '../ui/button.tsx'
import { Modal } from '../ui/dialog.tsx'
import { INPUT } from '../ui/field.tsx'
import { detailOf } from '../ui/problem.tsx'
import { useAddMemory } from './memory-mutations.ts'

interface AddMemoryProps {
  open: boolean
  onOpenChange: (open: boolean) => void
}

export function AddMemory({ open, onOpenChange }: AddMemoryProps) {
  const [text, setText] = useState('')
  const add = useAddMemory()

  function save() {
    add.mutate(text.trim(), {
      onSuccess: () => {
        setText('')
        onOpenChange(false)
      }
    })
  }

  return (
    <Modal title="Add a memory" open={open} onOpenChange={onOpenChange}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <label htmlFor="memory-text" className="mb-1.5 block text-[0.9375rem] text-muted">
          One fact, so that it is clear without the others
        </label>
        <textarea
          id="memory-text"
          rows={3}
          maxLength={2000}
          placeholder="My sister Ada keeps bees in Tromsø"
          value={text}
          onChange={(event) => setText(event.target.value)}
          className={`${INPUT} resize-none`}
        />
        {add.isError && (
          <p role="alert" className="mt-2 text-sm text-danger">
            {detailOf(add.error)}.
          </p>
        )}
        <div className="mt-5 flex justify-end gap-2">
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" look="primary" disabled={text.trim() === '' || add.isPending}>
            Remember it
          </Button>
        </div>
      </form>
    </Modal>
  )
}
